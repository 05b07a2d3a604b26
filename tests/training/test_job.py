"""The same work gives the same bytes: one thread, and one order of sums on a GPU."""

import os

import torch

from neuroloom.training.job import single_thread


def orders():
    return torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark


def test_one_thread_and_back():
    before = torch.get_num_threads()
    with single_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_a_gpu_sums_in_one_order_while_something_is_learned(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = orders()
    with single_thread():
        assert orders() == (True, False)
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert orders() == before
