"""Shares of right parts: what is changed in an output is wrong, and nothing else."""

from typing import Any

import pytest

from unidelta.mini import rows
from unidelta.mini.parts import shares
from unidelta.mini.world import world


def right(task: str, row: dict[str, Any]) -> Any:
    if task == "wmt_en_ro":
        return row["translation"]["ro"]
    return row["summary" if task == "xsum" else "label"]


SPLITS = {"xsum": "test", "wmt_en_ro": "test", "mnli": "test_mismatched", "sst2": "test"}


@pytest.mark.parametrize(("task", "n"), [("xsum", 10), ("wmt_en_ro", 7), ("mnli", 9), ("sst2", 2)])
def test_every_part_of_the_references_is_right_and_none_of_nothing(task: str, n: int):
    of = rows(task, SPLITS[task])
    perfect = shares(task, of, [right(task, row) for row in of], seed=0)
    assert perfect == dict.fromkeys(perfect, 100.0)
    assert len(perfect) == n
    nothing = [9 if isinstance(right(task, row), int) else "" for row in of]
    assert shares(task, of, nothing, seed=0) == dict.fromkeys(perfect, 0.0)


def test_a_wrong_ware_is_wrong_where_the_subject_is_told_and_where_it_is_new():
    of, this = rows("xsum", "test"), world(0)
    outputs = [" ".join("it" if word in this.things.kinds else word for word in row["summary"].split()) for row in of]
    found = shares("xsum", of, outputs, seed=0)
    assert {name for name, share in found.items() if share == 0} == {"ware_told", "ware_new"}
    assert {share for name, share in found.items() if not name.startswith("ware")} == {100.0}


def test_words_are_told_and_new_by_their_facts_in_pretraining():
    of, this = rows("xsum", "test"), world(0)
    new = {word for word, is_told in zip(this.people.words, this.people.is_told, strict=True) if not is_told}
    outputs = []
    for row in of:
        main = next(s for s in row["document"].split(" .") if s and not s.strip().startswith(("mean", "else", "earl")))
        outputs.append("" if set(main.split()) & new else row["summary"])
    found = shares("xsum", of, outputs, seed=0)
    assert (found["profession_told"], found["profession_new"]) == (100.0, 0.0)
