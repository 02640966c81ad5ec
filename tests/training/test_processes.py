"""Processes as torchrun announces them, and one alone; several together: tests/end_to_end/test_processes.py."""

import pytest

from unidelta.errors import ConfigError
from unidelta.training.processes import ALONE, Processes, connect, disconnect, gather, started_by


def test_torchrun_says_which_process_this_is() -> None:
    assert started_by({}) == ALONE
    assert started_by({"RANK": "3", "WORLD_SIZE": "4"}) == Processes(rank=3, n=4)
    assert [started_by({"RANK": rank, "WORLD_SIZE": "2"}).is_first for rank in "01"] == [True, False]


def test_one_process_needs_nobody() -> None:
    connect(ALONE, device="cuda")
    assert gather("value", ALONE) == ["value"]
    disconnect(ALONE)


def test_more_processes_than_gpus_are_refused(monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(ConfigError, match="2 processes on GPUs") as refusal:
        connect(Processes(rank=0, n=2), device="cuda")
    assert "torchrun --nproc_per_node 1" in refusal.value.instead
