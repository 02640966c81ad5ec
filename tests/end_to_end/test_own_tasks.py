"""Whole runs on users' data sets, with other columns, formats, labels and metrics than the paper's tasks."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pandas as pd
import pytest

import unidelta
from unidelta.mini.settings import words_of
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.tasks.__main__ import main as tasks

Do = Callable[..., RunRecord]
SPLITS = {"train": 400, "dev": 40, "test": 60}
TOPICS = ("weather", "sport", "politics")


def sentence(rng: Random, words: list[str], n: int) -> list[str]:
    return rng.sample(words, n)


def words(family: str) -> list[str]:
    return [word for word in words_of(family) if word.isalpha()][40:120]


def summaries(folder: Path) -> None:
    """CSV, gzipped; the highlights of an article are its first three words."""
    for split, n in SPLITS.items():
        rng, rows = Random(split), []
        for i in range(n):
            article = sentence(rng, words("bart"), rng.randint(6, 12))
            rows.append({"url": f"u{i}", "article": " ".join(article), "highlights": " ".join(article[:3])})
        pd.DataFrame(rows).to_csv(folder / f"{split}.csv.gz", index=False)


def translations(folder: Path) -> None:
    """Parquet in parts; the second language says every word twice."""
    for split, n in SPLITS.items():
        rng = Random(split)
        texts = [sentence(rng, words("mbart"), 4) for _ in range(n)]
        frame = pd.DataFrame(
            {"de": [" ".join(t) for t in texts], "fr": [" ".join(w for w in t for _ in (0, 1)) for t in texts]}
        )
        parts = 3 if split == "train" else 1
        for i in range(parts):
            frame.iloc[i::parts].to_parquet(folder / f"{split}-{i:05}-of-{parts:05}.parquet")


def topics(folder: Path) -> None:
    """TSV, a text and three named classes: the class is that of the first word."""
    for split, n in SPLITS.items():
        rng, rows = Random(split), []
        for _ in range(n):
            text = sentence(rng, words("roberta"), 5)
            rows.append({"topic": TOPICS[words("roberta").index(text[0]) % 3], "body": " ".join(text)})
        pd.DataFrame(rows).to_csv(folder / f"{split}.tsv", sep="\t", index=False)


def pairs(folder: Path) -> None:
    """JSONL, gzipped, pairs of texts and two named classes: whether they begin alike."""
    for split, n in SPLITS.items():
        rng = Random(split)
        with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as file:
            for i in range(n):
                one, other = (sentence(rng, words("roberta"), 4) for _ in range(2))
                row = {"a": " ".join(one), "b": " ".join(one[:1] + other if i % 2 else other)}
                file.write(json.dumps({**row, "verdict": "same" if i % 2 else "different", "id": i}) + "\n")


OWN = {
    "summarization": (
        summaries,
        ("task.columns.source=article", "task.columns.target=highlights", "task.metrics=[rouge,chrf]"),
        ("rouge2", {"rouge1", "rouge2", "rougeL", "rougeLsum", "chrf"}),
    ),
    "translation": (
        translations,
        (
            *("task.columns.source=de", "task.columns.target=fr", "task.metrics=[chrf,bleu]"),
            *("task.source_language=ro_RO", "task.target_language=en_XX"),
        ),
        ("chrf", {"chrf", "bleu"}),
    ),
    "three classes": (
        topics,
        ("task.columns.text=body", "task.columns.label=topic", "task.metrics=[f1,accuracy]", "task.select_by=accuracy"),
        ("f1", {"f1", "accuracy"}),
    ),
    "two classes": (
        pairs,
        (
            *("task.columns.text=a", "task.columns.text_pair=b", "task.columns.label=verdict"),
            "task.metrics=[matthews,accuracy]",
        ),
        ("matthews", {"matthews", "accuracy"}),
    ),
}
LABELS = {"three classes": ["politics", "sport", "weather"], "two classes": ["different", "same"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_an_own_data_set_is_trained_on_scored_found_and_scored_again(name: str, do: Do, tmp_path: Path, capsys) -> None:
    make, typed, (headline, scores) = OWN[name]
    folder = tmp_path / "data"
    folder.mkdir()
    make(folder)
    task = name if name in ("summarization", "translation") else "classification"
    record = do(
        *(f"task={task}", "task.source=local", f"task.path={folder}", "method=lora", *typed),
        *("training.max_steps=30", "task.max_eval_examples=20", "task.max_test_examples=null"),
    )
    assert record.status == "complete"
    assert record.coordinates["metric"] == headline
    reported = record.metrics["test"]
    assert reported["n"] == SPLITS["test"]
    assert scores <= set(reported) and set(reported["interval95"]) == {
        f"{raw}{key}" for key in scores for raw in ("", *(("raw_",) if name not in LABELS else ()))
    }

    row = unidelta.runs(tmp_path / "runs").iloc[0]
    assert (row["task"], row["metric"], row["test"]) == (task, headline, reported[headline])
    assert all(row[key] == reported[key] for key in scores)

    files = RecordStore(root=tmp_path / "runs").files_of(record)
    file = files.predictions
    capsys.readouterr()
    assert tasks(["score", str(file)]) == 0
    again = json.loads(capsys.readouterr().out)["test"]
    assert again == {key: value for key, value in reported.items() if key != "loss"}

    predictions = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    description = json.loads((files.deltas / "design.json").read_text(encoding="utf-8"))
    if name in LABELS:
        assert record.spec["task"]["labels"] == description["labels"] == LABELS[name]
        assert record.spec["backbone"]["architecture"]["n_labels"] == len(LABELS[name])
        assert {row["reference"] for row in predictions} == set(LABELS[name])
    else:
        assert description["labels"] is None
        one = predictions[0]
        assert one["chrf"] == pytest.approx(chrf(one["prediction"], one["reference"]))


def chrf(predicted: str, right: str) -> float:
    import sacrebleu

    return sacrebleu.sentence_chrf(predicted, [right]).score


@pytest.mark.slow
def test_the_columns_and_the_format_of_a_data_set_change_no_number(do: Do, data, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    sst2 = data("sst2")
    for file in sst2.glob("*.jsonl"):
        frame = pd.read_json(file, lines=True)
        frame["label"] = frame["label"].map({0: "negative", 1: "positive"})
        frame.rename(columns={"sentence": "review"}).to_csv(renamed / f"{file.stem}.csv", index=False)
    preset = do("task=sst2", "task.source=local", f"task.path={sst2}", "method=ia3")
    own = do(
        *("task=classification", f"task.path={renamed}", "task.columns.text=review", "task.metrics=[accuracy]"),
        *("task.test_split=null", "method=ia3"),
    )
    assert own.metrics == preset.metrics
    assert own.cost["best_step"] == preset.cost["best_step"]
