"""Keys that somebody typed and that the run did not read: refused, with the reason.

Which they are is known from the resolution itself (`reading`). What a file says beside other choices stays. Two kinds
are warned of instead: how to track a run, beside `tracking=none`, and what the chosen experiment sets.
"""

from collections.abc import Iterator

from unidelta.config.keys import keys
from unidelta.config.reading import Notes
from unidelta.config.schema import GROUPS, ComposedConfig, RunConfig
from unidelta.design.request import SLOTS
from unidelta.design.resolve_size import sized_by_budget
from unidelta.errors import ConfigError, UserError

_NO_NUMBERS = ("hydra", "tracking.")
_CHOICES = ("scale_task", "tuned", "experiment")  # groups of files that set the keys of others
_AXES = ("insertion", "composition")


def unused_keys(config: RunConfig, notes: Notes) -> list[UserError]:
    """One refusal for each reason, with all the words that it is a reason against.

    Args:
        config: as composed; one that nothing was typed for has no such keys.
        notes: taken while a run was resolved from it.
    """
    typed = config.typed if isinstance(config, ComposedConfig) else ()
    words = [word for word in typed if not word.startswith(_NO_NUMBERS) and not _is_read(word.partition("=")[0], notes)]
    reasons: dict[tuple[str, str], list[str]] = {}
    for word in words:
        reasons.setdefault(_reason(word.partition("=")[0], config, notes), []).append(word)
    return [
        ConfigError(" ".join(those), f"nothing would read it: {why}", instead.format(words=" ".join(those)))
        for (why, instead), those in reasons.items()
    ]


def warnings(config: RunConfig, notes: Notes) -> Iterator[str]:
    """A line for each key that the run does not read although it was said, where that is no mistake."""
    if not isinstance(config, ComposedConfig):
        return
    for word in config.typed:
        key = word.partition("=")[0]
        if key.startswith("tracking.") and not _is_read(key, notes):
            yield f"Nothing reads {word}: {_reason(key, config, notes)[0]}."
    for key in config.said:
        if key in keys() and not _is_read(key, notes):
            yield f"Nothing reads {key}, which the experiment sets: {_reason(key, config, notes)[0]}."


def _is_read(key: str, notes: Notes) -> bool:
    if key in _CHOICES:
        return True
    if key in GROUPS:
        named = f"{key}.name" in keys()  # what else is in the group may be read for itself
        return f"{key}.name" in notes.read if named else any(read.startswith(f"{key}.") for read in notes.read)
    return key in notes.read or (".options." in key and key.partition(".options.")[0] + ".options" in notes.read)


def _reason(key: str, config: RunConfig, notes: Notes) -> tuple[str, str]:
    """Why nothing reads a key, and what to type instead; `{words}` stands for what was typed."""
    method, position = config.method, config.position
    parts = key.split(".")
    if key in notes.left:
        return notes.left[key]
    if parts[0] == "method" and parts[1] in SLOTS:
        slot = SLOTS[parts[1]]
        if position.slots and slot not in position.slots:
            why = f"position={position.name} has no delta at {slot}"
            return why, f"leave {key} out, or position={slot}, or position=both for a method that has both"
        if parts[2] == "bottleneck" and slot in sized_by_budget(config.request(), position.slots):
            return f"budget={config.budget.name} decides that size", f"leave {key} out, or budget=paper {{words}}"
    if key == "method.length" and method.kind == "prompt_tuning":
        return f"budget={config.budget.name} decides that size", f"leave {key} out, or budget=paper {{words}}"
    if key == "method.length":
        return "only a prompt has a length", f"leave {key} out, or method=prompt"
    if key == "method.flexible":
        return f"budget={config.budget.name} solves no size", "leave it out, or budget=percent budget.percent=3.6"
    if key in _AXES:
        return f"every slot of {method.name} that is used has its own {key}", f"leave {key} out, or another method"
    if parts[0] == "tracking":
        return f"tracking={config.tracking.name} has no such setting", f"leave {key} out, or tracking=wandb"
    return f"{method.name} on {config.task.name} has no use for it", f"leave {key} out"
