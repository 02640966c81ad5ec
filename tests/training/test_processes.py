"""Processes as torchrun announces them, and one alone; several together: tests/end_to_end/test_processes.py."""

import pytest

from unidelta.errors import ConfigError
from unidelta.training.processes import ALONE, Processes, check_gpus, connect, disconnect, gather, started_by


def test_torchrun_says_which_process_this_is() -> None:
    assert started_by({}) == ALONE
    assert started_by({"RANK": "3", "WORLD_SIZE": "4"}) == Processes(rank=3, n=4)
    assert [started_by({"RANK": rank, "WORLD_SIZE": "2"}).is_first for rank in "01"] == [True, False]


def test_one_process_needs_nobody() -> None:
    connect(ALONE, device="cuda")
    assert gather("value", ALONE) == ["value"]
    disconnect(ALONE)


def on_node(rank: int, *, n: int, here: int) -> Processes:
    return started_by({"RANK": str(rank), "WORLD_SIZE": str(n), "LOCAL_WORLD_SIZE": str(here)})


def test_more_processes_than_gpus_of_their_machine_are_refused(monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    with pytest.raises(ConfigError, match="4 processes on the GPUs of one machine") as refusal:
        connect(on_node(5, n=8, here=4), device="cuda")
    assert "torchrun --nproc_per_node 3" in refusal.value.instead


@pytest.mark.parametrize(("n", "here", "n_gpus"), [(2, 1, 1), (16, 4, 4), (16, 4, 8), (4, 4, 4)])
def test_the_gpus_of_one_machine_need_not_serve_the_processes_of_others(n: int, here: int, n_gpus: int) -> None:
    for rank in range(n):
        check_gpus(on_node(rank, n=n, here=here), n_gpus)
    with pytest.raises(ConfigError):
        check_gpus(on_node(0, n=n, here=here), here - 1)
