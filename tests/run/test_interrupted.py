"""A run that a signal stops is interrupted, whatever the code that it came into makes of it."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.errors import Interrupted
from unidelta.records.store import RecordStore
from unidelta.run.run import run
from unidelta.tasks import METRICS
from unidelta.training.stopping import Stop

from ..composed import composed
from ..own_registries import keep

WORDS = "task=xsum method=frozen tracking=none task.metrics=[letters] task.max_test_examples=5 task.max_eval_examples=5"


def test_an_error_that_a_library_makes_of_a_signal_is_an_interrupted_run(monkeypatch, tmp_path: Path):
    keep(monkeypatch, METRICS)

    def measure(predictions, references):
        if len(predictions) > 3:  # not of the trial before the run
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except BaseException as error:
                raise RuntimeError("could not measure") from error
        return [(float(len(text)),) for text in predictions]

    METRICS.register(
        replace(
            METRICS["rouge"],
            **{"name": "letters", "headline": "letters", "keys": ("letters",), "measure": measure},
            combine=lambda sums, n: {"letters": sums[0] / n},
        )
    )
    stop, words = Stop(), [*WORDS.split(), f"results_dir={tmp_path}"]
    with pytest.raises(Interrupted, match="Stopped by SIGTERM"), stop.listening():
        run(composed(words), command=["train.py", *words], stop=stop)
    (record,) = RecordStore(root=tmp_path).read_all().records
    assert record.status == "interrupted" and record.reason is not None and "SIGTERM" in record.reason
