"""The hub source. What the hub gives is played by a stub; its cache on this machine is a real one. No connections."""

import os
from pathlib import Path

import datasets
import huggingface_hub.constants
import pytest
from datasets.arrow_writer import ArrowWriter

from unidelta.errors import DataError, Problems
from unidelta.network import hub
from unidelta.tasks import Columns, commit, fingerprint, load, load_all, read_labels
from unidelta.tasks.hub_rows import HubRows

ROWS = [{"sentence": f"film {i}", "label": i % 2, "idx": i} for i in range(4)]
READ = [{"sentence": row["sentence"], "label": row["label"]} for row in ROWS]
FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def answering(monkeypatch):
    """A hub that can be reached and gives what it is told to."""
    for module in (huggingface_hub.constants, datasets.config):
        monkeypatch.setattr(module, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_answers", lambda *_: True)
    asked: list[tuple] = []

    def gives(rows: object) -> list[tuple]:
        def load_dataset(name, config, *, split, revision):
            asked.append((name, config, split, revision))
            if isinstance(rows, Exception):
                raise rows
            return rows if isinstance(rows, datasets.Dataset) else datasets.Dataset.from_list(rows)

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        return asked

    return gives


@pytest.fixture
def cache(monkeypatch, tmp_path: Path):
    """Puts splits into a cache as `datasets` keeps it, at a commit; the hub is switched off."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))

    def put(splits: dict[str, list[dict]], revision: str, *, at: int) -> None:
        folder = tmp_path / "nyu-mll___glue" / "sst2" / "0.0.0" / revision
        folder.mkdir(parents=True)
        infos = datasets.SplitDict(dataset_name="glue")
        features = None
        for split, rows in splits.items():
            table = datasets.Dataset.from_list(rows)
            features = table.features
            with ArrowWriter(path=str(folder / f"glue-{split}.arrow"), features=features) as writer:
                for row in rows:
                    writer.write(row)
                n_examples, n_bytes = writer.finalize()
            infos.add(datasets.SplitInfo(name=split, num_bytes=n_bytes, num_examples=n_examples))
        info = datasets.DatasetInfo(
            features=features, splits=infos, builder_name="parquet", dataset_name="glue", config_name="sst2"
        )
        info.version = datasets.Version("0.0.0")
        info.write_to_directory(str(folder))
        os.utime(folder, (at, at))

    return put


def glue(make_task, **changes):
    return make_task("sst2", **{"source": "hub", "hub_id": "nyu-mll/glue", "hub_config": "sst2", **changes})


def told(load_it) -> DataError:
    with pytest.raises((DataError, Problems)) as caught:
        load_it()
    return caught.value.errors[0] if isinstance(caught.value, Problems) else caught.value


def test_the_hub_is_asked_for_the_split_at_the_revision(make_task, answering) -> None:
    asked = answering(ROWS)
    rows = load(glue(make_task, hub_revision=FIRST, max_test_examples=3), "validation")
    assert asked == [("nyu-mll/glue", "sst2", "validation", FIRST)]
    assert list(rows) == READ[:3]
    assert len(rows) == 3
    assert fingerprint(rows) == fingerprint(READ[:3])


def test_many_rows_come_in_their_order(make_task, answering) -> None:
    many = [{"sentence": str(i), "label": 0} for i in range(2500)]
    answering(many)
    assert list(load(glue(make_task), "validation")) == many


def test_nested_columns_come_as_the_data_set_has_them(make_task, answering) -> None:
    rows = [{"translation": {"en": f"sea {i}", "ro": f"mare {i}"}} for i in range(3)]
    features = datasets.Features({"translation": datasets.Translation(languages=["en", "ro"])})
    answering(datasets.Dataset.from_list(rows, features=features))
    assert list(load(make_task("wmt_en_ro", source="hub"), "train")) == rows


@pytest.mark.parametrize(
    ("rows", "why", "instead"),
    [
        ([{"text": "a", "label": 0}], "validation: no column sentence; it has text, label", "task.columns.text=NAME"),
        (
            [ROWS[0], {"sentence": None, "label": 0, "idx": 1}],
            "validation:2: sentence: null where text is needed",
            "text",
        ),
        ([{"sentence": 5, "label": 0}], "validation:1: sentence: 5 is of type int, not text", "text"),
        ([{"sentence": "a", "label": 2}], "validation:1: label: 2 is outside 0 to 1", "0 (negative), 1 (positive)"),
        (
            [{"sentence": "a", "label": "1.0"}],
            "validation:1: label: 1.0 is of type float, not a label",
            "0 (negative)",
        ),
        (
            [{"sentence": "a", "label": -1}],
            "validation:1: label: -1 stands for no label: this is a split whose labels were never published",
            "0 (negative)",
        ),
        (datasets.Dataset.from_dict({"sentence": [], "label": []}), "validation: the split has no rows", "one row"),
    ],
)
def test_rows_of_the_hub_are_checked_like_those_of_files(make_task, answering, rows, why: str, instead: str) -> None:
    answering(rows)
    error = told(lambda: load(glue(make_task), "validation"))
    assert error.asked == "split validation of nyu-mll/glue (sst2) from the hub, for task sst2"
    assert error.why == why
    assert instead in error.instead


def test_a_limit_does_not_hide_a_fault_behind_it(make_task, answering) -> None:
    answering([*ROWS, {"sentence": "a", "label": 7, "idx": 4}])
    assert ":5: label" in told(lambda: load(glue(make_task, max_test_examples=2), "validation")).why


def test_a_loading_script_is_replaced_by_the_hubs_parquet_copy(make_task, answering, monkeypatch) -> None:
    revisions = []
    copy = datasets.Dataset.from_list([{"document": "a", "summary": "b"}])
    copy.info.download_checksums = {f"hf://datasets/someone/something@{SECOND}/default/train/0000.parquet": {}}
    answering([])

    def load_dataset(*args, revision, **kwargs):
        revisions.append(revision)
        if revision != "refs/convert/parquet":
            raise RuntimeError("Dataset scripts are no longer supported, but found xsum.py")
        return copy

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    for pin in (None, FIRST):
        rows = load(make_task("xsum", source="hub", hub_revision=pin), "train")
        assert commit({"train": rows}) == SECOND
    assert revisions == [None, "refs/convert/parquet", FIRST, "refs/convert/parquet"]


def test_what_the_hub_refuses_is_told_in_one_line(make_task, answering) -> None:
    answering(ValueError('Unknown split "dev". Should be one of train.\nand more'))
    assert told(lambda: load(glue(make_task), "dev")).why == 'ValueError: Unknown split "dev". Should be one of train'


def test_without_a_hub_or_a_cache_the_message_says_what_to_type(make_task, cache) -> None:
    with pytest.raises(Problems) as caught:
        load_all(glue(make_task))
    assert str(caught.value) == (
        "You asked:  split train of nyu-mll/glue (sst2) from the hub, for task sst2\n"
        "Why not:    the hub is switched off (HF_HUB_OFFLINE), "
        "and the data set is not in the cache of this machine\n"
        "Instead:    task.source=local task.path=DIR, where DIR has train, validation "
        "(.jsonl, .csv, .tsv or .parquet); or task.source=mini"
    )


def test_without_a_hub_the_cache_is_read_and_says_its_commit(make_task, cache) -> None:
    cache({"train": ROWS, "validation": ROWS[:2]}, FIRST, at=1)
    rows = load_all(glue(make_task, hub_revision=FIRST))
    assert {split: list(data) for split, data in rows.items()} == {"train": READ, "validation": READ[:2]}
    assert commit(rows) == FIRST
    assert all(isinstance(data, HubRows) for data in rows.values())


def test_a_cache_of_another_commit_is_not_taken_for_the_pinned_one(make_task, cache) -> None:
    cache({"train": ROWS}, FIRST, at=1)
    cache({"train": ROWS[:2]}, SECOND, at=2)
    error = told(lambda: load(glue(make_task, hub_revision=FIRST), "train"))
    assert error.asked.endswith(f"at commit {FIRST}")
    assert error.why.endswith(f"the cache of this machine has commit {SECOND}")
    assert error.instead.startswith(f"task.hub_revision={SECOND}; or task.source=local")
    assert len(load(glue(make_task, hub_revision=None), "train")) == 2


def test_the_switch_is_put_back(make_task, cache, monkeypatch) -> None:
    cache({"train": ROWS}, FIRST, at=1)
    for module in (huggingface_hub.constants, datasets.config):
        monkeypatch.setattr(module, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_answers", lambda *_: False)
    assert len(load(glue(make_task), "train")) == 4
    assert (datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE) == (False, False)


def test_rows_of_other_sources_have_no_commit() -> None:
    assert commit({"train": ROWS}) is None


def test_labels_are_the_hubs_own_where_it_names_them_and_those_of_the_rows_where_not(make_task, answering) -> None:
    rows = {"text": ["a", "b"], "mood": [2, 0]}
    declared = datasets.Features({"text": datasets.Value("string"), "mood": datasets.ClassLabel(names=["x", "b", "a"])})
    task = make_task("sst2", source="hub", hub_id="a/moods", columns=Columns(text="text", label="mood"), labels=())
    answering(datasets.Dataset.from_dict(rows, features=declared))
    assert read_labels(task) == ("x", "b", "a")
    answering(datasets.Dataset.from_dict(rows))
    assert read_labels(make_task("sst2", **{**FACTS, "hub_id": "b/moods"})) == ("0", "2")


def test_classes_that_the_hub_names_by_numbers_are_these_numbers(make_task, answering) -> None:
    declared = datasets.Features({"text": datasets.Value("string"), "mood": datasets.ClassLabel(names=["1", "2", "3"])})
    rows = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "mood": [1, 0, 2]}, features=declared)
    answering(rows)
    task = make_task("sst2", **{**FACTS, "hub_id": "c/moods", "labels": ("1", "2", "3")})
    loaded = list(load(task, "train"))
    assert [row["mood"] for row in loaded] == [2, 1, 3]
    assert [task.target(row) for row in loaded] == [1, 0, 2]


FACTS = {"source": "hub", "columns": Columns(text="text", label="mood"), "labels": ()}
