"""TensorBoard: what its own reader reads is what was logged."""

import pytest

from unidelta.tracking import TrackingSpec, start_tracking

pytest.importorskip("tensorboard", reason="an extra: pip install tensorboard")


def test_the_event_files_hold_history_metrics_and_predictions(record, entries, facts, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    spec = TrackingSpec(kind="tensorboard", folder=tmp_path, mode="auto", project="p", entity=None, group=None)
    with start_tracking(spec, facts) as tracker:
        for entry in entries:
            tracker.log(entry)
        tracker.log({"step": 5, "grad_norm": None})  # it overflowed in fp16; what comes after is logged
        tracker.log({"step": 6, "grad_norm": 2.5})
        written = tracker.finish(tracker.noted(record), [{"split": "test", "prediction": "ein Wort"}])
    assert written.provenance["tracking"] == {"kind": "tensorboard", "note": None}
    events = EventAccumulator(str(tmp_path / "tensorboard" / record.run_id)).Reload()
    losses = [(event.step, event.value) for event in events.Scalars("loss")]
    assert losses == [(entry["step"], pytest.approx(entry["loss"])) for entry in entries if "loss" in entry]
    assert [event.step for event in events.Scalars("eval_rouge1")] == [2, 4]
    assert [(event.step, event.value) for event in events.Scalars("grad_norm")][-1] == (6, 2.5)
    names = set(events.Tags()["scalars"])
    assert {"parameters/trained", "cost/steps", "exit_code"} <= names
    assert b"ein Wort" in events.Tensors("predictions/text_summary")[0].tensor_proto.string_val[0]
