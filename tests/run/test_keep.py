"""A whole model that transformers or the disk does not take is told, with what to type instead."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from safetensors import SafetensorError

from unidelta.errors import RecordError
from unidelta.run.keep import keep


@pytest.mark.parametrize(
    ("error", "why", "instead"),
    [
        (ValueError("GenerationConfig is invalid.\nMore"), "transformers: GenerationConfig is invalid", "save_model=f"),
        (SafetensorError("I/O error: x (os error 30)"), "Read-only file system", "may write to: results_dir=DIR"),
        (OSError(28, "No space left on device"), "No space left on device", "another folder: results_dir=DIR"),
    ],
)
def test_what_cannot_be_kept_is_told(error, why, instead, tmp_path):
    def fail(folder: object) -> None:
        raise error

    execution = SimpleNamespace(
        spec=None, files=SimpleNamespace(deltas=tmp_path / "run"), saves_deltas=False, saves_model=True
    )
    injection = SimpleNamespace(model=SimpleNamespace(save_pretrained=fail))
    with pytest.raises(RecordError) as refusal:
        keep(cast(Any, execution), cast(Any, injection), cast(Any, None), {})
    assert refusal.value.why.startswith(why) and instead in refusal.value.instead
    assert [*tmp_path.iterdir()] == []
