"""One small finished run for all tests of what answers live."""

import pytest
from made_live import CONTENT

import neuroloom
from neuroloom.recipe import resolved
from neuroloom.simulators import SIMULATORS


@pytest.fixture(scope="session")
def hands_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIMULATORS, "live_hands", "made_live:simulate_live_hands")
        return neuroloom.run(resolved(CONTENT), out=folder / "run", cache=folder / "cache", jobs=1)
