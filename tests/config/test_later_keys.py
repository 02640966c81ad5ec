"""What came later changes nothing of the miniature's runs."""

import pytest

from unidelta.records.identity import LATER_KEYS


@pytest.mark.parametrize("task", ["xsum", "wmt_en_ro", "mnli", "sst2"])
def test_the_miniature_does_what_it_did_before_there_were_these_keys(asked, task: str) -> None:
    training = asked(f"task={task}", is_small=True).scientific()["training"]
    later = {key.removeprefix("training."): value for key, value in LATER_KEYS.items() if key.startswith("training.")}
    assert later.items() <= training.items()
