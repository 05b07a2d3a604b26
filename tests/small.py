"""Small versions of the packaged recipes, quick enough for tests; nothing else about them is changed."""

SMALL = {
    "brain-age-table": {"cohort.n_participants": 80, "training.epochs": 4, "training.patience": None},
    "autism-fmri": {"cohort.n_participants": 40, "cohort.n_regions": 56, "training.epochs": 2},
    "alzheimers-mri": {"cohort.n_participants": 24, "training.epochs": 2, "validation.folds": 2},
    "anatomy": {
        "cohort.n_participants": 6,
        "training.epochs": 2,
        "validation.folds": 2,
        "model.widths": [4, 8],
        "inputs.labels.chain.1.voxel_size": 6.0,
        "training.augmentation.0.voxel_size": 6.0,
        "sampling.shape": [24, 28, 24],
        "sampling.per_sample": 2,
    },
    "eeg-decode": {
        "cohort.n_participants": 2,
        "cohort.n_runs": 2,
        "cohort.n_trials": 12,
        "training.epochs": 2,
        "validation.folds": 2,
    },
    "p300": {
        "cohort.n_participants": 2,
        "cohort.n_runs": 2,
        "cohort.n_letters": 1,
        "cohort.n_rounds": 3,
        "training.epochs": 2,
        "validation.folds": 2,
    },
    "sleep-stages": {
        "cohort.n_participants": 3,
        "cohort.hours": 0.75,
        "cohort.sampling_rate": 64.0,
        "cohort.mains": 0.0,
        "cohort.seed": 301,  # short nights that have every stage
        "validation.folds": 2,
        "model.width": 8,
        "training.epochs": 1,
    },
    "workload": {
        "cohort.n_participants": 4,
        "cohort.n_runs": 2,
        "cohort.n_blocks": 4,
        "cohort.block": 20.0,
        "trials.stop": 20.0,
        "training.epochs": 1,
        "validation.folds": 2,
    },
    "seizure-detect": {
        "cohort.n_participants": 4,
        "cohort.hours": 0.25,
        "cohort.sampling_rate": 64.0,
        "cohort.mains": 0.0,
        "inputs.eeg.chain": [{"name": "filter", "high_pass": 0.5, "low_pass": 28.0}],
        "trials.every": 4.0,
        "training.epochs": 1,
        "validation.folds": 2,
        "validation.events.random": 19,
    },
    "emotion": {
        "cohort.n_participants": 2,
        "cohort.n_clips": 8,
        "cohort.clip": 10.0,
        "trials.stop": 10.0,
        "sampling.length": 640,
        "training.epochs": 1,
    },
    "dementia-eeg": {"cohort.n_participants": 16, "cohort.n_sites": 2, "cohort.minutes": 0.5, "validation.folds": 2},
    "depression-eeg": {"cohort.n_participants": 16, "cohort.n_sites": 2, "cohort.minutes": 0.5, "validation.folds": 2},
    "brain-age": {"cohort.n_participants": 24, "training.epochs": 2, "validation.folds": 2},
}


def small(recipe, **more):
    """Return the overrides that make a recipe small, as `read_recipe` takes them."""
    return [*SMALL[recipe].items(), ("validation.permutations", 20), *more.items()]
