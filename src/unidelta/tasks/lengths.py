"""Lengths that a model cannot take or give: of sources, targets and outputs, in tokens."""

from collections.abc import Iterator

from unidelta.errors import ConfigError
from unidelta.tasks.task import TaskSpec


def check_lengths(spec: TaskSpec, n_positions: int) -> Iterator[ConfigError]:
    """Every length that is beyond the model's positions or contradicts another.

    Args:
        spec: the task.
        n_positions: the longest sequence that the model can take or give, in tokens.
    """
    lengths = {"task.max_source_length": spec.max_source_length}
    if spec.generates:
        lengths |= {f"task.{name}": getattr(spec, name) for name in ("max_target_length", "eval_max_target_length")}
        if spec.generation is not None:
            lengths["task.generation.max_length"] = spec.generation.max_length
            least, most = spec.generation.min_length, spec.generation.max_length
            if least > most > 1:
                asked = f"task.generation.min_length={least} with task.generation.max_length={most}"
                instead = f"task.generation.min_length={most} or less"
                yield ConfigError(asked, "the least length is above the greatest", instead)
        if spec.prompt is not None:
            yield from _check_sequence(lengths, n_positions)
    for key, length in lengths.items():
        if not 2 <= length <= n_positions:
            why = f"the model has positions for 2 to {n_positions} tokens"
            instead = f"{key}={n_positions} or less" if length > n_positions else f"{key}=2 or more"
            yield ConfigError(f"{key}={length}", why, instead)


def _check_sequence(lengths: dict[str, int], n_positions: int) -> Iterator[ConfigError]:
    """A decoder reads the source and writes after it: both are in its positions."""
    source, *targets = lengths
    longest = max(targets, key=lambda key: lengths[key])
    if max(lengths.values()) <= n_positions < lengths[source] + lengths[longest]:
        asked = f"{source}={lengths[source]} with {longest}={lengths[longest]}"
        why = f"the target follows its source, and the model has {n_positions} positions for both together"
        fits = n_positions - lengths[longest]
        yield ConfigError(
            asked, why, f"{source}={fits}" if fits > 1 else f"{source}={n_positions // 2} {longest}={n_positions // 2}"
        )
