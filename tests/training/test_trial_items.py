"""Estimators of trials inside a learner: what they are given, how windows are put together, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from made_trials import N_CHANNELS, RATE, rhythmic

from neuroloom.cohort.cohort import Cohort
from neuroloom.cohort.folds import Fold
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.estimators.csp_lda import CSPLDA
from neuroloom.explanation.answer import answer_of
from neuroloom.explanation.occlusion import Occlusion
from neuroloom.explanation.redrawn import redrawn
from neuroloom.parts import Part
from neuroloom.sampling.data import Data, with_noise
from neuroloom.sampling.whole import Whole
from neuroloom.sampling.windows import Windows
from neuroloom.training.learner import InputPlan, Plan, load_learner, make_learner
from neuroloom.transforms.store import ArrayStore

N = 60
FOLD = Fold(0, 0, np.arange(40), np.arange(40, 45), np.arange(45, N), "participant")
NAMES = ["Fz", "C3", "Cz", "C4", "P3", "Pz", "P4", "Oz"]


def recorded(sampling=None, change=lambda values: values, rates=RATE, kind="series", n_inputs=1):
    """Return trials as data, 4 of each person; ``change`` may spoil their dict row -> (channel, time)."""
    x, y, _ = rhythmic(N, ratio=4)
    samples = tuple(f"sub-{row // 4:02d}_t{row % 4:04d}" for row in range(N))
    table = pd.DataFrame(
        {"participant_id": [sample[:6] for sample in samples]}, index=pd.Index(samples, name="sample_id")
    )
    values = change(dict(enumerate(x.astype(np.float32))))
    rates = np.broadcast_to(rates, N)
    told = {row: {"names": NAMES, "sampling_rate": float(rates[row])} for row in range(N)}
    store = ArrayStore(kind, samples, values, NAMES, told)
    stores = {name: store for name in ["eeg", "other"][:n_inputs]}
    return Data(Cohort(table, {}), stores, Target("hand", "class", y, ("left", "right")), sampling or Whole())


def learned(data, folder, name="csp_lda", fold=FOLD, **arguments):
    plans = {one: InputPlan(one) for one in data.stores}
    plan = Plan(name, "estimator", Part(name=name, **arguments), plans, Part(name="classify"))
    return make_learner(plan).fit(data, fold, 0, folder)


def test_whole_trials_are_answered_as_by_the_estimator_itself(tmp_path):
    data = recorded()
    learner = learned(data, tmp_path)
    x, groups = data.stores["eeg"].stack(range(N)).astype(np.float64), np.arange(N) // 4
    alone = CSPLDA().fit(x[FOLD.fit], data.target.values[FOLD.fit], groups[FOLD.fit])
    rows = FOLD.test[::-1]  # in another order
    assert learner.predict(data, rows) == pytest.approx(alone.predict(x[rows]), abs=1e-12)
    loaded = load_learner(tmp_path)
    assert np.array_equal(loaded.predict(data, rows), learner.predict(data, rows))
    assert np.mean(learner.predict(data, FOLD.test).argmax(axis=1) == data.target.values[FOLD.test]) > 0.8


def test_windows_of_a_trial_have_its_label_and_their_answers_are_averaged(tmp_path):
    data = recorded(Windows(length=96, step=48))  # three windows a trial
    learner = learned(data, tmp_path)
    x = data.stores["eeg"].stack(range(N)).astype(np.float64)
    windows = np.stack([x[..., start : start + 96] for start in (0, 48, 96)], axis=1)  # (n, window, channel, time)
    fit = windows[FOLD.fit].reshape(-1, N_CHANNELS, 96)
    alone = CSPLDA().fit(fit, np.repeat(data.target.values[FOLD.fit], 3), None)
    each = alone.predict(windows[FOLD.test].reshape(-1, N_CHANNELS, 96)).reshape(-1, 3, 2)
    assert learner.predict(data, FOLD.test) == pytest.approx(each.mean(axis=1), abs=1e-12)


def test_windows_of_one_person_are_held_out_together_where_a_setting_is_chosen(tmp_path, monkeypatch):
    data, seen = recorded(Windows(length=96)), []
    import neuroloom.estimators.linear_svm as module

    chosen = module.inner_folds
    monkeypatch.setattr(
        module, "inner_folds", lambda y, groups, **more: seen.append(groups) or chosen(y, groups, **more)
    )
    learned(data, tmp_path, "riemann_svm")
    assert seen[0].tolist() == np.repeat(np.arange(N) // 4, 2)[: 2 * len(FOLD.fit)].tolist()


@pytest.mark.parametrize(
    "name", ["csp_lda", "filter_bank_csp", "xdawn_tangent", "riemann_svm", "band_power", "time_lda"]
)
def test_noise_in_place_of_the_test_people_changes_nothing_that_is_learned(tmp_path, name):
    data, arguments = recorded(), {"bands": [[8, 12]]} if name == "filter_bank_csp" else {}
    kept = []
    for what, one in (("plain", data), ("noisy", with_noise(data, FOLD.test, seed=1))):
        (tmp_path / what).mkdir()
        learned(one, tmp_path / what, name, **arguments)
        kept.append(
            [(tmp_path / what / f).read_bytes() for f in ("model.safetensors", "state.safetensors", "fitted.json")]
        )
    assert kept[0] == kept[1]


def test_what_an_estimator_says_of_the_channels_is_kept(tmp_path):
    def flat(values):
        return {row: np.where(np.arange(N_CHANNELS)[:, None] == 2, 0, array) for row, array in values.items()}

    learned(recorded(change=flat), tmp_path)
    assert "1 of 8 channels never change in the fit part (number 3)" in (tmp_path / "fitted.json").read_text()


def ragged(values):
    return {**values, 3: values[3][:, :100]}


def absent(values):
    return {row: array for row, array in values.items() if row != 3}


def with_nan(values):
    values[3][2, 5] = np.nan
    return values


def silent(values):
    values[3][:] = 0
    return values


@pytest.mark.parametrize(("data", "message"), [
    (recorded(change=ragged), r"beside 192 time points there are sub-00_t0003 100.*sampling.length=100"),
    (recorded(change=absent), r"1 of 40 samples have no eeg: sub-00_t0003"),
    (recorded(change=with_nan), r"sub-00_t0003: 1 of 1536 values of eeg are NaN"),
    (recorded(change=silent), r"csp_lda: sub-00_t0003: no power"),
    (recorded(rates=np.where(np.arange(N) == 3, 64, RATE)), r"beside 128.0 Hz there are sub-00_t0003 \(64.0 Hz\)"),
    (recorded(kind="table"), r"but eeg is a table at the end of its chain"),
    (recorded(n_inputs=2), r"looks at one series, but its inputs are eeg, other"),
])  # fmt: skip
def test_what_an_estimator_of_trials_cannot_take_is_named(tmp_path, data, message):
    with pytest.raises(NeuroloomError, match=message):
        learned(data, tmp_path)


def test_an_estimator_whose_settings_are_in_hz_asks_for_the_rate(tmp_path):
    data = recorded()
    for told in data.stores["eeg"].told.values():
        del told["sampling_rate"]
    with pytest.raises(NeuroloomError, match="time_lda: its settings are in Hz"):
        learned(data, tmp_path, "time_lda")


def test_new_trials_of_another_length_or_rate_are_refused(tmp_path):
    learner = learned(recorded(), tmp_path)
    shorter = recorded(change=lambda values: {row: array[:, :150] for row, array in values.items()})
    with pytest.raises(NeuroloomError, match=r"sub-11_t0001: trials of .channels, time points. \(8, 150\)"):
        learner.predict(shorter, FOLD.test)
    with pytest.raises(
        NeuroloomError, match=r"sub-11_t0001: 64.0 Hz, but this learner was fitted on series of 128.0 Hz"
    ):
        learner.predict(recorded(rates=64.0), FOLD.test)
    unknown = recorded()
    for told in unknown.stores["eeg"].told.values():
        del told["sampling_rate"]
    with pytest.raises(NeuroloomError, match=r"rate is not known.*Give it: --sampling-period 0\.0078125"):
        learner.predict(unknown, FOLD.test)
    as_a_period = 1 / (1 / RATE + 1e-12)
    assert learner.predict(recorded(rates=as_a_period), FOLD.test).shape == (15, 2)


@pytest.mark.parametrize("sampling", [Whole(), Windows(length=96)])
def test_occlusion_of_channels_explains_the_answer_that_is_given(tmp_path, sampling):
    data = recorded(sampling)
    learner = learned(data, tmp_path)
    answer = answer_of(learner, data.target, 1)
    made = Occlusion(by="region").attribute(learner, data, FOLD.test[:4], FOLD, answer)
    assert made.maps["eeg"].shape == (4, N_CHANNELS, 192)
    assert np.abs(made.maps["eeg"]).max() > 0.1
    if isinstance(sampling, Whole):
        assert made.answers == pytest.approx(answer.of_prediction(learner.predict(data, FOLD.test[:4])), abs=1e-9)
    other = redrawn(learner, data, FOLD, 0, "key")
    assert not np.array_equal(other.predict(data, FOLD.test), learner.predict(data, FOLD.test))
