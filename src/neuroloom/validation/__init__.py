"""What a score may be claimed for: folds, intervals, nulls, confounds, comparisons, and the words for them."""
