"""Asking as a person does: words in, a run or one report of everything that is wrong out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from unidelta.config.overrides import check
from unidelta.config.resolve import published_architecture, resolve
from unidelta.config.resolve_prompt import n_outputs
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.design.config_facts import architecture_from_config
from unidelta.extensions import folders as extensions
from unidelta.extensions.folders import add_folder

from ..composed import composed

SMALL = {
    **{"vocab_size": 500, "layers": 2, "num_hidden_layers": 2, "d_model": 64, "hidden_size": 64, "ffn_dim": 128},
    **{"intermediate_size": 128, "attention_heads": 4, "num_attention_heads": 4, "max_position_embeddings": 128},
}
KEYS = {f"{side}{key}" for key in SMALL for side in ("", "encoder_", "decoder_")}


def _asked(*words: str, saves_apart: bool = False) -> RunSpec:
    """The run these words ask for, on the published backbone or on a small one of its family."""
    check(words)
    return _resolved(composed(words), saves_apart=saves_apart)


def _resolved(config: RunConfig, *, saves_apart: bool = False) -> RunSpec:
    n = n_outputs(config)
    published = published_architecture(config.backbone, n_labels=n)
    sizes = {
        key: SMALL[key.removeprefix("encoder_").removeprefix("decoder_")] for key in published.config if key in KEYS
    }
    small = architecture_from_config({**published.config, **sizes}, name="small", n_labels=n)
    return resolve(config, architecture=small if saves_apart else published, published=published)


@pytest.fixture(scope="session")
def asked() -> Callable[..., RunSpec]:
    return _asked


@pytest.fixture(scope="session")
def resolved() -> Callable[..., RunSpec]:
    """The run of a configuration, where a test sets values on one composition: a hundred times as fast as `asked`."""
    return _resolved


@pytest.fixture(scope="session", name="composed")
def _composed() -> Callable[[Sequence[str]], RunConfig]:
    """`compose`, the files of each set of words once."""
    return lambda *words: composed(words)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], Path]:
    """Files to write into a folder of a user's own, which is taken in when it is called."""
    monkeypatch.setattr(extensions, "_folders", [])

    def write(files: Mapping[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return add_folder(tmp_path)

    return write
