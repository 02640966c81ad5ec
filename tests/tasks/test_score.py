"""`python -m unidelta.tasks score`: recomputes scores from saved predictions."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from unidelta.tasks import METRICS
from unidelta.tasks.__main__ import main
from unidelta.tasks.metrics.metric import total


def written(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_each_split_is_scored_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(0, 0, "a"), (1, 2, "a"), (1, 1, "b")]
    file = written(tmp_path / "p.jsonl", *({"prediction": p, "reference": r, "split": s} for p, r, s in rows))
    assert main(["score", file, "--task", "mnli"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["a"] == {"accuracy": 50.0, "n": 2, "interval95": {"accuracy": [0.0, 100.0]}}
    assert told["b"] == {"accuracy": 100.0, "n": 1, "interval95": {"accuracy": [100.0, 100.0]}}
    assert told["interval_signature"].endswith("resamples:1000|seed:0")


def test_references_against_themselves_are_100_in_both_kinds_of_bleu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ("„Țara are nevoie de reforme”, a spus el.", "Prețul a crescut cu 3,5 %.")
    file = written(tmp_path / "p.jsonl", *({"prediction": text, "reference": text} for text in texts))
    assert main(["score", file, "--task", "wmt_en_ro"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [f"{told['all'][key]:.2f}" for key in ("bleu", "bleu_romanian")] == ["100.00", "100.00"]
    assert "tok:13a" in told["signature"]


def test_an_empty_prediction_is_a_prediction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {"prediction": "", "reference": "a b"}, {"prediction": "a b", "reference": "a b"}
    assert main(["score", written(tmp_path / "p.jsonl", *rows), "--task", "xsum"]) == 0
    assert json.loads(capsys.readouterr().out)["all"]["rouge2"] == 50.0


def test_raw_references_are_scored_where_every_row_has_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"prediction": "a b", "reference": "a b", "raw_reference": "a b c d"}
    assert main(["score", written(tmp_path / "p.jsonl", row), "--task", "xsum"]) == 0
    told = json.loads(capsys.readouterr().out)["all"]
    # Two of two words, two of four: F = 2·1·½ / (1 + ½).
    assert (told["rouge1"], told["raw_rouge1"]) == (pytest.approx(100), pytest.approx(100 * 2 / 3))
    assert told["interval95"].keys() == {f"{raw}{key}" for raw in ("", "raw_") for key in METRICS["rouge"].keys}
    file = written(tmp_path / "q.jsonl", row, {"prediction": "a b", "reference": "a b"})
    assert main(["score", file, "--task", "xsum"]) == 2
    assert "q.jsonl:2: raw_reference: the column is missing" in capsys.readouterr().err


@pytest.mark.parametrize("metric", ["f1", "matthews", "accuracy"])
def test_labels_are_scored_against_raw_ones_though_a_class_occurs_in_them_alone(
    metric: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions, references, raw = "aabbb", "ababb", "acabd"
    file = written(
        tmp_path / "p.jsonl",
        *(
            {"prediction": one, "reference": two, "raw_reference": three}
            for one, two, three in zip(predictions, references, raw, strict=True)
        ),
    )
    assert main(["score", file, "--metrics", metric]) == 0
    told = json.loads(capsys.readouterr().out)["all"]
    ours = METRICS[metric]
    alone = ours.combine(total(ours.measure(list(predictions), list(raw))), len(raw))[ours.headline]
    assert told[f"raw_{ours.headline}"] == pytest.approx(alone)
    low, high = told["interval95"][f"raw_{ours.headline}"]
    assert low <= alone <= high


def test_a_compressed_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(written(tmp_path / "p.jsonl", {"prediction": "a b", "reference": "a b"}))
    packed = file.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert main(["score", str(packed), "--task", "xsum"]) == 0
    assert json.loads(capsys.readouterr().out)["all"]["rouge2"] == 100.0
    packed.write_bytes(packed.read_bytes()[:-8])
    assert main(["score", str(packed), "--task", "xsum"]) == 2


def test_what_is_wrong_with_the_file_is_said_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "p.jsonl", {"prediction": "a", "reference": "b"}, {"reference": None, "prediction": 3})
    assert main(["score", file, "--task", "xsum"]) == 2
    told = capsys.readouterr().err
    assert "p.jsonl:2: prediction: 3 is of type int, not text" in told
    assert "p.jsonl:2: reference: null" in told
    assert main(["score", str(tmp_path / "none.jsonl"), "--task", "xsum"]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_a_folder_is_told_by_a_file_of_predictions_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for instead in ("RUN_ID.predictions.jsonl in it", str(tmp_path / "b.predictions.jsonl")):
        assert main(["score", str(tmp_path), "--task", "xsum"]) == 2
        told = capsys.readouterr().err
        assert "it is a folder" in told and told.splitlines()[-1].endswith(instead)
        (tmp_path / "b.predictions.jsonl").touch()


def test_a_record_is_told_where_its_predictions_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = written(tmp_path / "0123.predictions.jsonl", {"prediction": "a", "reference": "a"})
    record = written(tmp_path / "0123.json", {"spec": {"task": {"metrics": ["rouge"]}}})
    assert main(["score", record]) == 2
    assert capsys.readouterr().err.endswith(f"Instead:    {predictions}\n")
    assert main(["score", predictions]) == 0


def scored(folder: Path, *typed: str, capsys: pytest.CaptureFixture[str], **task: Any) -> str:
    """What is said of the predictions of a run whose record has `task`."""
    rows = {"prediction": "a b", "reference": "a b"}, {"prediction": "a b", "reference": "b a"}
    written(folder / "0123.json", {"spec": {"task": task}})
    status = main(["score", written(folder / "0123.predictions.jsonl", *rows), *typed])
    said = capsys.readouterr()
    return said.err if status else ",".join(name for name in json.loads(said.out)["all"] if name != "interval95")


@pytest.mark.parametrize(
    ("typed", "task", "said"),
    [
        (["--metrics", " chrf , bleu"], {}, "chrf,bleu,n"),
        (["--metrics", "chrf,BLEU"], {}, "Instead:    --metrics chrf,bleu\n"),
        (["--metrics", "Rouge-Unicode"], {"kind": "translation"}, "Instead:    --metrics rouge_unicode\n"),
        (
            ["--metrics", "chrf,exact"],
            {"kind": "translation"},
            "any of bleu, bleu_romanian, chrf, rouge, rouge_unicode\n",
        ),
        (
            ["--metrics", "exact"],
            {"kind": "classification"},
            "Instead:    --metrics with any of accuracy, f1, matthews\n",
        ),
        (
            [],
            {"metrics": ["exact"]},
            "Instead:    --config-dir DIR, the folder with your own metrics; or --metrics with",
        ),
        (
            ["--metrics", "f1"],
            {"kind": "summarization"},
            "f1 compares labels, and the run of that file predicted texts",
        ),
        ([], {"metrics": None, "name": 3, "kind": ["x"]}, "Instead:    --metrics NAME,NAME or --task TASK\n"),
        (
            ["--task", "xsum"],
            {"kind": "classification"},
            "rouge compares texts, and the run of that file predicted labels",
        ),
    ],
)
def test_metrics_are_asked_for_by_name_and_those_offered_fit(
    typed: list[str], task: dict, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in scored(tmp_path, *typed, capsys=capsys, **task)
