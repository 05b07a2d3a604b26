"""One side of the augmentation benchmark, run by `augmentation.py` in a process of its own.

python benchmarks/augmentation_sides.py '{"side": "monai", ...}'
"""

import json
import math
import sys
import time
from pathlib import Path

import psutil

BATCH = 4
VOXEL = 2.0  # mm
LIMITS = {"rotation": 10.0, "scale": 0.1, "translation": 5.0, "elastic": 7.5, "points": 7, "bias": 0.3, "noise": 0.1}


def run_side(job):
    """Run one setting and return its times; called in a fresh process."""
    import torch

    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    prepare = {"neuroloom": neuroloom_side, "monai": monai_side, "torchio": torchio_side}[job["side"]]
    epochs_of = prepare(job)  # imports are over, nothing is read yet
    baseline = psutil.Process().memory_info().rss
    step = training_step() if job["table"] == "training" else None
    seconds, n_seen, start = [], 0, time.perf_counter()
    for batches in epochs_of(job["epochs"]):
        for x in batches:
            n_seen += len(x)
            if step:
                step(x)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
    later = seconds[1:] or seconds
    return {
        "first_epoch_s": seconds[0],
        "epoch_s": sum(later) / len(later),
        "samples_per_s": n_seen / len(seconds) / (sum(later) / len(later)),
        "baseline_mb": baseline / 2**20,
        "shape": list(x.shape[1:]),
    }


def training_step():
    """Return a function that trains a small 3D network on one batch, the same for every side."""
    import torch

    from neuroloom.models.volume_cnn3d import CNN3D

    network = None

    def step(x):
        nonlocal network, optimizer
        if network is None:
            network = CNN3D(tuple(x.shape[1:]), 2, widths=(16, 32, 64), stem_stride=2).train()
            optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
        truth = torch.arange(len(x)) % 2
        loss = torch.nn.functional.cross_entropy(network(torch.as_tensor(x)), truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    optimizer = None
    return step


def neuroloom_side(job):
    import numpy as np

    from neuroloom.cohort.bids import read_bids
    from neuroloom.parts import Part
    from neuroloom.sampling.whole import Whole
    from neuroloom.seeds import generator, torch_generator
    from neuroloom.training.items import Items
    from neuroloom.transforms.augment_intensity import Intensity
    from neuroloom.transforms.augment_spatial import Spatial
    from neuroloom.transforms.cache import Cache

    elastic = LIMITS["elastic"] if job["table"] != "plain" else 0.0
    spatial = Spatial(
        flip=1.0,
        rotation=LIMITS["rotation"],
        scale=LIMITS["scale"],
        translation=LIMITS["translation"],
        elastic=elastic,
        elastic_points=LIMITS["points"],
        voxel_size=VOXEL,
    )
    intensity = Intensity(gamma=0, contrast=0, brightness=0, bias=LIMITS["bias"], noise=LIMITS["noise"])
    chain = [Part(name="to_ras"), Part(name="resample", voxel_size=VOXEL), Part(name="zscore")]

    def epochs(n_epochs):
        cohort = read_bids(Path(job["scans"]))
        for epoch in range(n_epochs):
            yield batches(cohort, epoch)

    made = {}

    def batches(cohort, epoch):
        if not made:
            store = Cache(Path(job["scratch"]) / "cache", jobs=job["workers"] or 1).store(cohort, "t1w", chain)
            made["items"] = Items({"t1w": store}, Whole(), np.arange(len(cohort)))
        draw = torch_generator(0, "augmentation", epoch)
        order = generator(0, "order", epoch).permutation(len(made["items"]))
        for numbers in made["items"].batches(BATCH, order):
            yield intensity(spatial(made["items"].batch(numbers), draw), draw).inputs["t1w"]

    return epochs


def monai_side(job):
    import monai.transforms as mt
    from monai.data import CacheDataset, DataLoader, PersistentDataset
    from monai.utils import set_determinism

    set_determinism(0)
    fixed = [
        mt.LoadImaged("x"),
        mt.EnsureChannelFirstd("x"),
        mt.Orientationd("x", axcodes="RAS", labels=None),
        mt.Spacingd("x", pixdim=(VOXEL,) * 3, mode="bilinear"),
        mt.NormalizeIntensityd("x"),
        mt.EnsureTyped("x", track_meta=False),  # plain tensors: the random part is faster on them
    ]
    radians, scale = math.radians(LIMITS["rotation"]), LIMITS["scale"]
    affine = {
        "rotate_range": (radians,) * 3,
        "scale_range": (scale,) * 3,
        "translate_range": (LIMITS["translation"] / VOXEL,) * 3,
        "padding_mode": "border",
        "prob": 1.0,
    }
    files = [{"x": str(path)} for path in scans_in(job["scans"])]
    shape = mt.Compose(fixed)(files[0])["x"].shape[1:]  # outside the timed part
    limits = [LIMITS["elastic"] / VOXEL / ((size - 1) / 2) for size in shape]
    warps = {
        "none": [mt.RandAffined("x", **affine)],
        "elastic3d": [mt.Rand3DElasticd("x", sigma_range=(5, 7), magnitude_range=(50, 150), **affine)],
        "smooth_deform": [
            mt.RandAffined("x", **affine),
            mt.RandSmoothDeformd(
                "x",
                spatial_size=shape,
                rand_size=(LIMITS["points"],) * 3,
                field_mode="trilinear",
                align_corners=True,
                prob=1.0,
                def_range=max(limits),
                grid_mode="bilinear",
                grid_align_corners=True,
            ),
        ],
    }
    random = [
        mt.RandFlipd("x", prob=1.0, spatial_axis=0),
        *warps[job["variant"]],
        mt.RandBiasFieldd("x", prob=1.0, degree=3, coeff_range=(-LIMITS["bias"], LIMITS["bias"])),
        mt.RandGaussianNoised("x", prob=1.0, std=LIMITS["noise"]),
    ]

    def epochs(n_epochs):
        loader = None
        for _ in range(n_epochs):
            loader = loader or make_loader()
            yield (batch["x"] for batch in loader)

    def make_loader():
        chain = mt.Compose([*fixed, *random])
        if job["dataset"] == "CacheDataset":
            data = CacheDataset(files, chain, num_workers=max(1, job["workers"]), progress=False)
        else:
            data = PersistentDataset(files, chain, cache_dir=Path(job["scratch"]) / "monai")
        return loader_of(DataLoader, data, job["workers"])

    return epochs


def torchio_side(job):
    import torchio as tio

    fixed = tio.Compose([tio.ToCanonical(), tio.Resample(VOXEL), tio.ZNormalization()])
    affine = {
        "scales": LIMITS["scale"],
        "degrees": LIMITS["rotation"],
        "translation": LIMITS["translation"],
        "default_pad_value": "minimum",
    }
    elastic = {"num_control_points": LIMITS["points"], "max_displacement": LIMITS["elastic"]}
    warps = {
        "none": [tio.RandomAffine(**affine)],
        "two_steps": [tio.RandomAffine(**affine), tio.RandomElasticDeformation(**elastic)],
    }
    random = tio.Compose(
        [
            tio.RandomFlip(axes=0, flip_probability=1.0),
            *warps[job["variant"]],
            tio.RandomBiasField(coefficients=LIMITS["bias"], order=3),
            tio.RandomNoise(std=(0, LIMITS["noise"])),
        ]
    )

    def epochs(n_epochs):
        loader = None
        for _ in range(n_epochs):
            loader = loader or make_loader()
            yield (batch["x"][tio.DATA] for batch in loader)

    def make_loader():
        subjects = [fixed(tio.Subject(x=tio.ScalarImage(path))) for path in scans_in(job["scans"])]
        return loader_of(tio.SubjectsLoader, tio.SubjectsDataset(subjects, transform=random), job["workers"])

    return epochs


def loader_of(loader, data, workers):
    """Return a shuffling loader of batches, its workers kept between epochs."""
    return loader(data, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)


def scans_in(folder):
    return sorted(Path(folder).glob("sub-*/anat/*_T1w.nii.gz"))


if __name__ == "__main__":
    print(json.dumps(run_side(json.loads(sys.argv[1]))))
