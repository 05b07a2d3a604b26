"""A head of 256^3 voxels and 33 answers at each: within memory, and no tensor of 2^31 bytes."""

import json
import subprocess
import sys

import pytest

CHILD = """
import json, torch
from neuroloom.models.voxel_answer import posterior_slabs
from neuroloom.models.volume_unet3d import UNet3D
torch.manual_seed(0)
torch.set_num_threads(2)
network = UNet3D((1, 256, 256, 256), 33, widths=(4, 8, 8)).eval()
reached, sums = 0, []
for start, stop, slab in posterior_slabs(network, torch.rand(1, 256, 256, 256)):
    assert start == reached and slab.nbytes < 2**31
    reached = stop
    sums.append(float((slab.sum(dim=0) - 1).abs().max()))
line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
peak = int(line.split()[1]) / 2**20
print(json.dumps({"reached": reached, "wrong": max(sums), "peak_gb": peak}))
"""


@pytest.mark.slow
def test_33_answers_at_256_cubed_fit_in_memory():
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["reached"] == 256
    assert told["wrong"] < 1e-5
    assert told["peak_gb"] < 6
