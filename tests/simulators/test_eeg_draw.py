"""What every simulator of EEG keeps: a recording depends on the seed, the arguments and its name, on nothing else."""

import pickle

import pytest

from neuroloom.simulators.eeg_emotion import simulate_emotion
from neuroloom.simulators.eeg_motor_imagery import simulate_motor_imagery
from neuroloom.simulators.eeg_p300 import simulate_p300
from neuroloom.simulators.eeg_rest import simulate_resting_eeg
from neuroloom.simulators.eeg_seizure import simulate_seizures
from neuroloom.simulators.eeg_sleep import simulate_sleep
from neuroloom.simulators.eeg_workload import simulate_workload

CAP = {"n_participants": 2, "n_channels": 19, "sampling_rate": 128.0}
SMALL = {
    simulate_motor_imagery: CAP | {"n_sessions": 1, "n_runs": 1, "n_trials": 4},
    simulate_emotion: CAP | {"n_sessions": 1, "n_clips": 4, "clip": 10.0},
    simulate_p300: CAP | {"n_runs": 1, "n_letters": 1, "n_rounds": 2},
    simulate_resting_eeg: CAP | {"minutes": 0.5},
    simulate_seizures: CAP | {"hours": 0.25},
    simulate_sleep: CAP | {"hours": 0.5},
    simulate_workload: CAP | {"n_runs": 1, "n_blocks": 2, "block": 10.0},
}


@pytest.mark.parametrize("simulate", SMALL, ids=lambda simulate: simulate.__name__)
def test_draws_are_keyed_and_picklable(simulate):
    small = SMALL[simulate]
    cohort = simulate(**small, seed=5)
    first, last = cohort.samples
    source = pickle.loads(pickle.dumps(cohort.inputs["eeg"]))
    late, early = (source.load(sample).data.tobytes() for sample in (last, first))
    assert cohort.load("eeg", first).data.tobytes() == early != late
    assert simulate(**small, seed=5).fingerprint() == cohort.fingerprint()
    assert simulate(**small, seed=6).fingerprint() != cohort.fingerprint()
    more = simulate(**small | {"n_participants": 3}, seed=5)
    assert more.load("eeg", first).data.tobytes() == early
    assert more.truth.loc[cohort.samples].equals(cohort.truth)


@pytest.mark.parametrize("simulate", SMALL, ids=lambda simulate: simulate.__name__)
def test_what_is_planted_is_told(simulate):
    cohort = simulate(**SMALL[simulate], effect=0.0)
    assert cohort.planted["effect"] == 0.0
    assert cohort.truth.index.equals(cohort.table.index)
    assert cohort.simulated
