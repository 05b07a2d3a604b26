"""What is done to arrays: per scan (pure, cached), fitted (inside the fold), augmentation (on the batch)."""

SCAN_TRANSFORMS = {}
FITTED_TRANSFORMS = {}
AUGMENTATIONS = {}
