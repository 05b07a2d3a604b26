"""neuroloom: brain data of any kind into a trained, honestly validated, explained model and a report."""

__version__ = "0.1.0"
__all__ = ["check", "predict", "register", "run", "segment"]


def run(recipe, data=None, **options):
    """Run a recipe and return its `neuroloom.run_folder.Run`; see `neuroloom.api.run_recipe`."""
    from neuroloom.api import run_recipe

    return run_recipe(recipe, data, **options)


def predict(run_folder, files, **options):
    """Answer for new scans with a finished run; see `neuroloom.api.predict_files`."""
    from neuroloom.api import predict_files

    return predict_files(run_folder, files, **options)


def segment(run_folder, files, out, **options):
    """Write label maps of new scans with a finished run that segments; see `neuroloom.api.segment_files`."""
    from neuroloom.api import segment_files

    return segment_files(run_folder, files, out, **options)


def register(moving, fixed, out, **options):
    """Bring one scan onto another and write it into a folder; see `neuroloom.api.register_files`."""
    from neuroloom.api import register_files

    return register_files(moving, fixed, out, **options)


def check(data, **options):
    """Look for what is wrong with a folder of data; see `neuroloom.cohort.checks.check_data`."""
    from neuroloom.cohort.checks import check_data

    return check_data(data, **options)
