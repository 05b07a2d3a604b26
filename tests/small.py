"""Small versions of the packaged recipes, quick enough for tests; nothing else about them is changed."""

SMALL = {
    "brain-age-table": {"cohort.n_participants": 80, "training.epochs": 4, "training.patience": None},
    "autism-fmri": {"cohort.n_participants": 40, "cohort.n_regions": 56, "training.epochs": 2},
    "alzheimers-mri": {"cohort.n_participants": 24, "training.epochs": 2, "validation.folds": 2},
    "brain-age": {"cohort.n_participants": 24, "training.epochs": 2, "validation.folds": 2},
}


def small(recipe, **more):
    """Return the overrides that make a recipe small, as `read_recipe` takes them."""
    return [*SMALL[recipe].items(), ("validation.permutations", 20), *more.items()]
