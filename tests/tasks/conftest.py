"""Task specs with everything filled in, so that a test states only what it is about."""

from collections.abc import Callable
from typing import Any

import pytest

from unidelta.tasks import GenerationSpec, TaskSpec

MakeTask = Callable[..., TaskSpec]


@pytest.fixture
def make_task() -> MakeTask:
    """A `TaskSpec` of the given name; keywords replace its defaults."""

    def make(name: str, **changes: Any) -> TaskSpec:
        is_seq2seq = name in ("xsum", "wmt_en_ro")
        generation = GenerationSpec(num_beams=2, max_length=8, min_length=1, no_repeat_ngram_size=0, length_penalty=1.0)
        settings: dict[str, Any] = {
            "name": name,
            "source": "local",
            "path": None,
            "hub_id": "someone/something",
            "hub_config": None,
            "hub_revision": None,
            "max_source_length": 16,
            "max_target_length": 12,
            "eval_max_target_length": 8,
            "eval_split": "validation",
            "test_split": None,
            "extra_eval_splits": (),
            "max_train_examples": None,
            "max_eval_examples": None,
            "max_test_examples": None,
            "source_language": "en_XX" if name == "wmt_en_ro" else None,
            "target_language": "ro_RO" if name == "wmt_en_ro" else None,
            "generation": generation if is_seq2seq else None,
        }
        return TaskSpec(**{**settings, **changes})

    return make
