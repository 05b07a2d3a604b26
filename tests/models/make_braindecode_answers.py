"""Write what braindecode's networks answer, with their weights, for ``test_eeg_twins.py``; not a test.

    python -m venv peer && peer/bin/pip install braindecode==0.8.1 torch
    peer/bin/python tests/models/make_braindecode_answers.py

Small networks of fixed seeds in evaluation mode. Batch norms are given weights and running averages that matter. Two things
are set otherwise than in braindecode, so that the same function is compared: outputs are taken before the log-softmax, and
EEGNet's convolutions are padded as in the paper ("same") and not by half their even length at both ends. Braindecode shrinks
weights (max-norm) while it answers: they are saved as they were used. ``count/NAME`` is the number of trained values of the
network at its own defaults, for 22 channels, 1,125 samples (1,000 for the conformer) and 4 classes.
"""

from pathlib import Path

import numpy as np
import torch
from braindecode.models import ATCNet, Deep4Net, EEGConformer, EEGNetv4, ShallowFBCSPNet

N_CHANNELS, N_OUTPUTS = 5, 3
SMALL = {
    "eegnet": (EEGNetv4, 163, {"F1": 3, "D": 2, "F2": 4, "kernel_length": 32}),
    "shallow_convnet": (ShallowFBCSPNet, 200, {"n_filters_time": 6, "n_filters_spat": 7, "final_conv_length": "auto"}),
    "deep_convnet": (
        Deep4Net,
        330,
        {"n_filters_time": 6, "n_filters_spat": 6, "n_filters_2": 7, "n_filters_3": 8, "n_filters_4": 9}
        | {"filter_length_2": 5, "filter_length_3": 5, "filter_length_4": 5, "filter_time_length": 5}
        | {"final_conv_length": "auto"},
    ),
    "eeg_conformer": (
        EEGConformer,
        200,
        {"n_filters_time": 20, "att_depth": 2, "att_heads": 5, "final_fc_length": 140},
    ),
    "atcnet": (
        ATCNet,
        290,
        {"conv_block_n_filters": 4, "tcn_n_filters": 8, "n_windows": 2, "att_head_dim": 3, "concat": True}
        | {"sfreq": 250.0, "input_window_seconds": 290 / 250},
    ),
}
FULL = {
    "eegnet": (EEGNetv4, 1125, {}),
    "shallow_convnet": (ShallowFBCSPNet, 1125, {"final_conv_length": "auto"}),
    "deep_convnet": (Deep4Net, 1125, {"final_conv_length": "auto"}),
    "eeg_conformer": (EEGConformer, 1000, {"final_fc_length": "auto"}),
    "atcnet": (ATCNet, 1125, {"concat": True, "input_window_seconds": 4.5, "sfreq": 250.0}),
}


def built(model, n_channels, n_outputs, n_times, arguments):
    timing = {} if "sfreq" in arguments else {"n_times": n_times}
    return model(n_chans=n_channels, n_outputs=n_outputs, **timing, **arguments)


def without_log_softmax(network):
    for module in list(network.modules()):
        for key, child in module.named_children():
            if isinstance(child, torch.nn.LogSoftmax):
                setattr(module, key, torch.nn.Identity())
    return network


def with_norms_that_matter(network):
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d | torch.nn.LayerNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.3)
            if hasattr(module, "running_mean"):
                torch.nn.init.normal_(module.running_mean, std=0.2)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def answers(name):
    model, n_times, arguments = SMALL[name]
    torch.manual_seed(7)
    network = with_norms_that_matter(built(model, N_CHANNELS, N_OUTPUTS, n_times, arguments))
    if name == "eegnet":
        network.conv_temporal.padding = network.conv_separable_depth.padding = "same"
    network = without_log_softmax(network)
    x = torch.randn(4, N_CHANNELS, n_times)
    with torch.no_grad():
        output = network(x)
    told = {f"{name}/input": x, f"{name}/output": output}
    return told | {f"{name}/state/{key}": value for key, value in network.state_dict().items()}


def main():
    told = {key: value.numpy() for name in SMALL for key, value in answers(name).items()}
    for name, (model, n_times, arguments) in FULL.items():
        network = built(model, 22, 4, n_times, arguments)
        told[f"count/{name}"] = np.array(sum(parameter.numel() for parameter in network.parameters()))
    np.savez_compressed(Path(__file__).parent / "data" / "braindecode_answers.npz", **told)


if __name__ == "__main__":
    main()
