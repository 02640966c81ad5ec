"""Download everything that runs read from the hub, for machines without a network."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from unidelta.backbones.hub import Hub, unknown_revision
from unidelta.config.run_spec import RunSpec
from unidelta.errors import BackboneError, Problems, UserError, first_line
from unidelta.tasks import load_all

_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")  # configuration, weights and tokenizer


def prefetch(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Download data, weights and tokenizers into the local hub cache, each once.

    Args:
        specs: the runs.

    Yields:
        A line for each item that is now in the cache.

    Raises:
        Problems: everything that could not be downloaded, after all the rest.
    """
    problems: list[UserError] = []
    seen: set[Hashable] = set()
    for spec in specs:
        weights = spec.backbone.weights
        try:
            if spec.task.source == "hub" and spec.task not in seen:
                seen.add(spec.task)
                yield _data(spec)
            if isinstance(weights, Hub) and weights.fingerprint() not in seen:
                seen.add(weights.fingerprint())
                yield _weights(weights.name, weights.revision)
        except UserError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)


def _data(spec: RunSpec) -> str:
    splits = load_all(spec.task)
    rows = ", ".join(f"{split} {len(rows):,}" for split, rows in splits.items())
    return f"data     {spec.task.hub_id}@{spec.task.hub_revision or 'main'}: {rows} rows"


def _weights(checkpoint: str, revision: str | None) -> str:
    from huggingface_hub import snapshot_download  # late: the hub's client takes half a second

    from unidelta.network.hub import cache_only, why_unreachable

    asked = f"backbone.checkpoint={checkpoint} backbone.hub_revision={revision or 'main'}"
    unreachable = why_unreachable()
    try:
        with nullcontext() if unreachable is None else cache_only():
            folder = Path(snapshot_download(checkpoint, revision=revision, allow_patterns=list(_FILES)))
    except (OSError, ValueError) as error:  # what the hub's client raises for unknown names and lost connections
        why = unreachable or first_line(error)
        unknown = unknown_revision(error, f"backbone.checkpoint={checkpoint}", revision)
        instead = "a machine with a network, or backbone.checkpoint=DIR"
        raise unknown or BackboneError(asked, why, instead) from None
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if not any(folder.glob("*.safetensors")):
        why = "the repository has no safetensors file at this revision"
        raise BackboneError(asked, why, "backbone.hub_revision=… of a commit that has one, or backbone.checkpoint=DIR")
    return f"weights  {checkpoint}@{revision or 'main'}: {size / 1e9:.2f} GB, {folder}"
