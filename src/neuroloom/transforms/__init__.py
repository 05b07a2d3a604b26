"""What is done to arrays: per scan (pure, cached), fitted (inside the fold), augmentation (on the batch)."""

SCAN_TRANSFORMS = {
    "to_ras": "neuroloom.transforms.volume_to_ras:ToRAS",
    "resample": "neuroloom.transforms.volume_resample:Resample",
    "crop_box": "neuroloom.transforms.volume_crop_box:CropBox",
    "crop_head": "neuroloom.transforms.volume_crop_head:CropHead",
    "crop_brain": "neuroloom.transforms.volume_crop_brain:CropBrain",
    "align": "neuroloom.transforms.volume_align:Align",
    "zscore": "neuroloom.transforms.volume_zscore:ZScore",
    "unit_range": "neuroloom.transforms.volume_unit_range:UnitRange",
    "regional_means": "neuroloom.transforms.volume_regional_means:RegionalMeans",
    "clean_series": "neuroloom.transforms.series_clean:CleanSeries",
    "crop_series": "neuroloom.transforms.series_crop:CropSeries",
    "pick": "neuroloom.transforms.series_pick:Pick",
    "bad_channels": "neuroloom.transforms.series_bad_channels:BadChannels",
    "reference": "neuroloom.transforms.series_reference:Reference",
    "filter": "neuroloom.transforms.series_filter:Filter",
    "resample_series": "neuroloom.transforms.series_resample:ResampleSeries",
    "ica_clean": "neuroloom.transforms.series_ica_clean:IcaClean",
    "scale_robust": "neuroloom.transforms.series_scale_robust:ScaleRobust",
    "exponential_standardize": "neuroloom.transforms.series_exponential:ExponentialStandardize",
    "covariance": "neuroloom.transforms.series_covariance:Covariance",
    "fisher_z": "neuroloom.transforms.series_fisher_z:FisherZ",
}
FITTED_TRANSFORMS = {
    "drop_regions": "neuroloom.transforms.fitted_drop_regions:DropRegions",
    "impute": "neuroloom.transforms.fitted_impute:Impute",
    "tangent": "neuroloom.transforms.fitted_tangent:Tangent",
    "standardize": "neuroloom.transforms.fitted_standardize:Standardize",
    "combat": "neuroloom.transforms.fitted_combat:Combat",
}
AUGMENTATIONS = {
    "spatial": "neuroloom.transforms.augment_spatial:Spatial",
    "intensity": "neuroloom.transforms.augment_intensity:Intensity",
    "simulated_contrasts": "neuroloom.transforms.augment_contrasts:SimulatedContrasts",
    "series": "neuroloom.transforms.augment_series:Series",
    "connectome": "neuroloom.transforms.augment_connectome:Connectome",
    "eeg": "neuroloom.transforms.augment_eeg:EEG",
}
