"""A record names the device: a GPU by its own name."""

import pytest
import torch

from unidelta.config.compose import compose
from unidelta.run.device import device_name
from unidelta.run.prepare import prepare


@pytest.mark.parametrize(
    ("typed", "has_gpu", "name"),
    [
        ("auto", False, "cpu"),
        ("auto", True, "NVIDIA H200"),
        ("cuda", True, "NVIDIA H200"),
        ("cpu", True, "cpu"),
        ("cuda", False, "cuda"),  # refused before the run; a record of an earlier end still says what was asked
    ],
)
def test_the_device_is_named(typed: str, has_gpu: bool, name: str, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    assert device_name(prepare(compose([f"training.device={typed}"])).training) == name
