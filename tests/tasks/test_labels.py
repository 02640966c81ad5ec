"""Labels as numbers, names or positions: how they are read, ordered and spelled, and which are none of the task's."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.errors import Problems
from unidelta.tasks import Columns, TaskSpec, load, read_labels
from unidelta.tasks.labels import class_of, label_names, spelled

from ..task_facts import task_spec


def reviews(folder: Path, labels: Sequence[int | str], *names: str, ending: str) -> TaskSpec:
    """A task of labels `names` whose training split, in a file of this ending, has `labels`."""
    rows = [{"text": f"row {i}", "stars": label} for i, label in enumerate(labels)]
    with (folder / f"train{ending}").open("w", encoding="utf-8", newline="") as stream:
        if ending == ".jsonl":
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(stream, ["text", "stars"])
            writer.writeheader()
            writer.writerows(rows)
    return task_spec("sst2", path=str(folder), columns=Columns(text="text", label="stars"), labels=names)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"b", "a", "C"}, ("C", "a", "b")),
        ({10, 9, -1}, ("-1", "9", "10")),
        ({0, 1}, ("0", "1")),
        ({2, "two", "one"}, ("2", "one", "two")),
    ],
)
def test_labels_are_ordered_and_spelled_as_they_came(values: set, names: tuple[str, ...]) -> None:
    assert label_names(values) == names
    classes = list(range(len(names)))
    assert [class_of(label, names) for label in spelled(classes, names, like=values)] == classes
    assert set(spelled(classes, names, like=values)) == values


def test_numbers_of_named_classes_stay_numbers() -> None:
    names = ("entailment", "neutral")
    assert spelled([1, 0], names, like=[0, 1]) == [1, 0]
    assert spelled([1, 0], names, like=["neutral", "entailment"]) == ["neutral", "entailment"]
    assert spelled([1, 0], names, like=[1, "entailment"]) == ["neutral", "entailment"]
    assert (class_of(2, names), class_of("other", names)) == (None, None)


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
@pytest.mark.parametrize(
    ("names", "unseen"), [(("2", "3"), 1), (("-1", "1"), 0), (("10", "20", "many"), 2), (("07", "08"), 1)]
)
def test_a_number_is_no_position_among_labels_that_are_numbers(
    names: tuple[str, ...], unseen: int, ending: str, tmp_path: Path
) -> None:
    task = reviews(tmp_path, [names[0], unseen], *names, ending=ending)
    with pytest.raises(Problems, match=f"{unseen} is none of the labels") as caught:
        load(task, "train")
    assert len(caught.value.errors) == 1
    assert f"of the labels {', '.join(names)}" in caught.value.errors[0].instead


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_a_label_with_a_zero_before_it_is_a_text(ending: str, tmp_path: Path) -> None:
    labels = ["007", 1, "010"]
    task = reviews(tmp_path, labels, ending=ending)
    names = ("1", "007", "010")
    assert read_labels(task) == names
    task = replace(task, labels=names)
    rows = load(task, "train")
    assert [task.label(row) for row in rows] == labels
    assert spelled([task.target(row) for row in rows], names, like=labels) == labels


WRONG = {
    "names": (["up", "down", "left", "down"], ("x", "y"), "'up' is none of the labels (the first of 4 such rows; also"),
    "some": (["x", "up", "y", "down", "up"], ("x", "y"), "'up' is none of the labels (the first of 3 such rows; also"),
    "decimals": ([0.5, 2.5, 1.5], (), "0.5 is of type float, not a label (the first of 3 such rows; also 2.5, 1.5)"),
    "positions": ([4, 0, 5, 4], ("x", "y"), "4 is outside 0 to 1 (the first of 3 such rows; also 5)"),
    "none": (["", "x", "", ""], ("x", "y"), "null where a label is needed (the first of 3 such rows)"),
}


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
@pytest.mark.parametrize("case", WRONG)
def test_a_fault_of_many_labels_is_told_once(case: str, ending: str, tmp_path: Path) -> None:
    labels, names, said = WRONG[case]
    with pytest.raises(Problems) as caught:
        load(reviews(tmp_path, labels, *names, ending=ending), "train")
    assert len(caught.value.errors) == 1
    assert said in caught.value.errors[0].why


@pytest.mark.parametrize(
    ("labels", "said"), [(["y", ""], "one of the labels x, y"), ([1, ""], "one of 0 (x), 1 (y)"), (["", ""], "x, y")]
)
def test_a_missing_label_is_answered_in_the_spelling_of_the_data(labels: list, said: str, tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        load(reviews(tmp_path, labels, "x", "y", ending=".csv"), "train")
    assert said in caught.value.errors[0].instead
    assert caught.value.errors[0].instead.endswith("task.test_split=null")
