"""neuroloom: brain data of any kind into a trained, honestly validated, explained model and a report."""

__version__ = "0.1.0"
__all__ = ["check", "predict", "register", "run", "segment", "volumes"]


def run(recipe, data=None, **options):
    """Run a recipe and return its `neuroloom.run_folder.Run`; see `neuroloom.api.run_recipe`."""
    from neuroloom.api import run_recipe

    return run_recipe(recipe, data, **options)


def predict(run_folder, files, **options):
    """Answer for new scans with a finished run; see `neuroloom.api.predict_files`."""
    from neuroloom.api import predict_files

    return predict_files(run_folder, files, **options)


def segment(scans, out, **options):
    """Find structures in scans with the weights that ship; see `neuroloom.api.segment_scans`."""
    from neuroloom.api import segment_scans

    return segment_scans(scans, out, **options)


def volumes(scans, out, **options):
    """Measure structures in scans with the weights that ship; see `neuroloom.api.measure_scans`."""
    from neuroloom.api import measure_scans

    return measure_scans(scans, out, **options)


def register(moving, fixed, out, **options):
    """Bring one scan onto another and write it into a folder; see `neuroloom.api.register_files`."""
    from neuroloom.api import register_files

    return register_files(moving, fixed, out, **options)


def check(data, **options):
    """Look for what is wrong with a folder of data; see `neuroloom.cohort.checks.check_data`."""
    from neuroloom.cohort.checks import check_data

    return check_data(data, **options)
