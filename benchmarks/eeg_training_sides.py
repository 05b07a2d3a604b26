"""The two sides of ``eeg_training.py``, each run in a process (and an environment) of its own with its job as JSON."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

N_CLASSES, BATCH, RATE = 4, 64, 1e-3


def neuroloom(job):
    """Train through neuroloom's loop, one memory-mapped file a trial."""
    from neuroloom.cohort.target import Target
    from neuroloom.models.network import build_network
    from neuroloom.parts import Part
    from neuroloom.sampling.whole import Whole
    from neuroloom.tasks.classify import Classify
    from neuroloom.training.items import Items
    from neuroloom.training.loop import Loop
    from neuroloom.training.settings import TrainingSettings
    from neuroloom.transforms.store import MappedStore

    folder, rows = Path(job["folder"]), np.arange(job["trials"])
    y = np.load(folder / "y.npy")[rows]
    paths = tuple(folder / f"trial_{row}.npy" for row in rows)
    store = MappedStore("series", tuple(map(str, rows)), paths)
    free = {"head_norm": None} if job["model"] == "eegnet" else {}  # braindecode's head has no limit
    part = Part(name=job["model"], dropout=job["dropout"], **free)
    network = build_network(part, {"eeg": store[0].shape}, {"eeg": "series"}, N_CLASSES)
    network.model.load_state_dict(tensors(folder / f"{job['model']}.npz"), strict=False)
    task = Classify().prepare(Target("class", "class", y, ("a", "b", "c", "d")), rows)
    settings = TrainingSettings(
        epochs=job["epochs"], batch_size=BATCH, learning_rate=RATE, weight_decay=0.0, schedule="constant",
        clip_norm=None, threads=job["threads"],
    )  # fmt: skip
    items = [Items({"eeg": store}, Whole(), part, y) for part in (rows, rows[:0])]
    loop = Loop(network, task, settings, [], tuple(job["key"]), torch.device("cpu"))
    start, cpu = time.perf_counter(), time.process_time()
    history = loop.run(*items, folder / "checkpoint", lambda row: None)
    told = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    (folder / "checkpoint").unlink()
    return told | {"losses": [row["fit_loss"] for row in history]}


def braindecode(job):
    """Train through braindecode's classifier on its own dataset of windows."""
    from braindecode import EEGClassifier
    from braindecode.datasets import create_from_X_y
    from braindecode.models import EEGNetv4, ShallowFBCSPNet

    folder, n = Path(job["folder"]), job["trials"]
    x, y = np.load(folder / "x.npy", mmap_mode="r")[:n], np.load(folder / "y.npy")[:n]
    names = [f"E{number}" for number in range(x.shape[1])]
    windows = create_from_X_y(
        np.asarray(x), y, drop_last_window=False, sfreq=250.0, ch_names=names,
        window_size_samples=x.shape[2], window_stride_samples=x.shape[2],
    )  # fmt: skip
    made = {"eegnet": EEGNetv4, "shallow_convnet": ShallowFBCSPNet}[job["model"]]
    network = made(
        n_chans=x.shape[1], n_outputs=N_CLASSES, n_times=x.shape[2], final_conv_length="auto", drop_prob=job["dropout"]
    )
    if job["model"] == "eegnet" and not job["dropout"]:
        network.conv_temporal.padding = network.conv_separable_depth.padding = "same"
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    start = tensors(folder / f"{job['model']}_peer.npz")
    network.load_state_dict({key: value.reshape(shapes[key]) for key, value in start.items()}, strict=False)
    classifier = EEGClassifier(
        network, criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.AdamW, optimizer__lr=RATE,
        optimizer__weight_decay=0.0, train_split=None, batch_size=BATCH, max_epochs=job["epochs"],
        iterator_train__sampler=Orders(job["orders"]), iterator_train__shuffle=False, verbose=0,
        classes=list(range(N_CLASSES)),
    )  # fmt: skip
    torch.set_num_threads(job["threads"])
    begun, cpu = time.perf_counter(), time.process_time()
    classifier.fit(windows, y=None)
    told = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    return told | {"losses": [float(loss) for loss in classifier.history[:, "train_loss"]]}


class Orders:
    """A sampler that gives the trials of each epoch in an order that was fixed before."""

    def __init__(self, files):
        self.orders = [np.load(file).tolist() for file in files]
        self.epoch = 0

    def __len__(self):
        return len(self.orders[0])

    def __iter__(self):
        self.epoch += 1
        return iter(self.orders[self.epoch - 1])


def tensors(file):
    with np.load(file) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asked = json.loads(sys.argv[1])
    print(json.dumps({"neuroloom": neuroloom, "braindecode": braindecode}[asked["side"]](asked)))
