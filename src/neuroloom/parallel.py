"""Independent calls side by side on this machine, one thread each."""

import warnings

import joblib

RESTART = "A worker stopped while some jobs were given"  # joblib replaces a process that grew; nothing is lost


def processors():
    """Return the processors that this process may use, which in a container are fewer than the machine's."""
    return joblib.cpu_count()


def side_by_side(calls, jobs=1):
    """Yield the results of calls in the order in which they end.

    Parameters
    ----------
    calls : sequence of tuple
        Function and arguments of each call; all can be pickled.
    jobs : int
        Processes at work; 1 stays in this process.
    """
    if not calls:
        return
    run = joblib.Parallel(n_jobs=min(jobs, len(calls)), return_as="generator_unordered")
    with warnings.catch_warnings(), joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        warnings.filterwarnings("ignore", RESTART, UserWarning)
        yield from run(joblib.delayed(function)(*arguments) for function, *arguments in calls)
