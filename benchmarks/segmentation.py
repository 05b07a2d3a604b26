"""Seconds and memory of segmenting a head, cold: ``neuroloom segment`` beside the same network in MONAI's sliding window.

    python benchmarks/segmentation.py [--out results.json]

A simulated T1-weighted head is written as .nii.gz with 192 x 224 x 192 and with 256 x 256 x 256 voxels of 1 mm. Each side runs in
a process of its own, imports counted:

- ours: the command, with all it does (head found, two looks, mirror image, quality, label map, mask and stripped scan written);
- peer: the file read, prepared as ours, the network in ``monai.inferers.sliding_window_inference`` (half overlapping windows of
  the training patch, Gaussian weights), its answers brought to the scan's grid at once, and a label map written.

``network`` is what the answer at 2 mm takes alone: one look at the whole window, and MONAI's windows over it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = [(192, 224, 192), (256, 256, 256)]
ROI = (80, 96, 80)


def write_head(path, shape):
    """Write a simulated whole head, 1 mm."""
    import numpy as np

    from neuroloom.anatomy.weight_tests import STILL, simulated
    from neuroloom.atlases.anatomy import generation_table
    from neuroloom.formats.nifti import write_nifti
    from neuroloom.scan import Scan
    from neuroloom.simulators.label_maps import LabelMapDraw
    from neuroloom.transforms.volume_grid import resample_onto

    head = LabelMapDraw(1)("sub-001")
    affine = np.eye(4)
    middle = head.geometry["affine"][:3, :3] @ ((np.array(head.data.shape) - 1) / 2) + head.geometry["affine"][:3, 3]
    affine[:3, 3] = middle - (np.array(shape) - 1) / 2
    labels = resample_onto(head, shape, affine).data
    source = {"table": generation_table(), "voxel_size": 1.0}
    scan, _ = simulated(labels, source, (0, "benchmark"), contrast="t1", **STILL, stripped=0.0)
    write_nifti(path, Scan(scan.data, "volume", {"affine": affine}))


def ours(path, out):
    from neuroloom.api import segment_scans

    table = segment_scans([path], out, device="cpu")
    return {"status": table["status"].iloc[0]}


def prepared(path):
    import numpy as np
    import torch

    from neuroloom.anatomy.weight_card import load_weights
    from neuroloom.formats import read
    from neuroloom.parts import Part
    from neuroloom.transforms.chain import ScanChain

    weights, scan = load_weights(), read(path)
    ready = ScanChain([Part(**part) for part in weights.card["chain"]])(scan)
    return weights, scan, torch.from_numpy(np.ascontiguousarray(ready.data))[None]


def peer(path, out):
    import numpy as np
    import torch
    import torch.nn.functional as F
    from monai.inferers import sliding_window_inference

    from neuroloom.formats.nifti import write_nifti
    from neuroloom.scan import Scan

    weights, scan, x = prepared(path)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = sliding_window_inference(x, ROI, 1, weights.network, overlap=0.5, mode="gaussian")
    posteriors = F.interpolate(logits.float(), size=scan.data.shape[1:], mode="trilinear")
    labels = weights.numbers[posteriors.argmax(dim=1)[0].numpy()]
    out.mkdir(exist_ok=True)
    write_nifti(out / "peer_dseg.nii.gz", Scan(np.ascontiguousarray(labels), "labels", scan.geometry))
    return {}


def network(path, out):
    """Time the answer at 2 mm alone: the whole window at once, and in MONAI's windows; the second of two runs each."""
    import torch
    from monai.inferers import sliding_window_inference

    weights, _, x = prepared(path)

    def whole():
        return weights.network(x)

    def windows():
        return sliding_window_inference(x, ROI, 1, weights.network, overlap=0.5, mode="gaussian")

    told = {}
    for name, answer in (("whole_s", whole), ("windows_s", windows)):
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            answer()
            started = time.perf_counter()
            answer()
            told[name] = round(time.perf_counter() - started, 2)
    return told


SIDES = {"ours": ours, "peer": peer, "network": network}


def measured(side, path, out):
    """Run one side in its own process; wall seconds with its start, and its peak memory."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, str(path), str(out)], capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return {"seconds": round(seconds, 1), **json.loads(done.stdout.splitlines()[-1])}


def peak_gb():
    """Return the peak memory of this process alone, GiB (ru_maxrss would start at its parent's)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("segmentation.json"))
    parser.add_argument("--side", nargs=3)
    told = parser.parse_args()
    if told.side:
        side, path, out = told.side
        found = SIDES[side](Path(path), Path(out))
        print(json.dumps({**found, "peak_gb": round(peak_gb(), 2)}))
        return
    results = {"machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors", "shapes": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for shape in SHAPES:
            path = Path(scratch) / f"head{shape[0]}.nii.gz"
            write_head(path, shape)
            sides = {side: measured(side, path, Path(scratch) / f"{side}{shape[0]}") for side in SIDES}
            results["shapes"][" x ".join(map(str, shape))] = sides
            print(shape, sides, flush=True)
    told.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
