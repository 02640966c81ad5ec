"""The prompt of a task for a decoder-only model: its template, and whether labels are written or chosen by a head."""

from collections.abc import Iterator

from unidelta.config.reading import leave, plain
from unidelta.config.schema import RunConfig, TaskConfig
from unidelta.design.config_facts import known_family
from unidelta.design.family import Family
from unidelta.errors import ConfigError, UserError
from unidelta.tasks.kind import KINDS, Kind
from unidelta.tasks.text_prompt import TextPrompt, usual_template, wrong_template

WORDS = "words"
"""The choice of `task.classify_by` by which a model writes labels."""
_KEYS = tuple(f"task.{name}" for name in ("prompt", "chat", "classify_by", "label_words"))
_OF_LABELS = _KEYS[2:]
_UNKNOWN_LABELS = 2  # as long as nobody has read the rows


def n_outputs(config: RunConfig) -> int:
    """Outputs of a classification head, two where only the rows would say it; 0 where targets are written."""
    task = config.task
    if task.kind not in KINDS or KINDS[task.kind].output != "label":
        return 0
    if known_family(config.backbone.family).kind == "decoder" and task.classify_by == WORDS:
        return 0
    return len(task.labels) if task.labels is not None else _UNKNOWN_LABELS


def resolve_prompt(config: RunConfig, kind: Kind, family: Family) -> TextPrompt | None:
    """The prompt of a run, None where an encoder reads the sources as they are."""
    task = config.task
    if family.kind != "decoder":
        why = f"prompts are for decoder-only models, and a {family.name} has an encoder"
        leave(config, _KEYS, why, "leave it out, or a decoder-only model: backbone=llama")
        if kind.output != "label":
            leave(config, _OF_LABELS, f"{task.name} has no labels", "leave it out, or task=classification")
        return None
    template = task.prompt if task.prompt is not None else usual_template(_sources(task, kind))
    if kind.output != "label":
        leave(config, _OF_LABELS, f"{task.name} has no labels", "leave it out, or task=classification")
        return TextPrompt(template=template, is_chat=task.chat)
    if task.classify_by != WORDS:
        why = "a head on the last token tells the labels apart (task.classify_by=head)"
        leave(config, _KEYS[3:], why, f"leave it out, or task.classify_by={WORDS}")
        return TextPrompt(template=template, is_chat=task.chat)
    words = task.label_words if task.label_words is not None else task.labels
    return TextPrompt(template=template, is_chat=task.chat, label_words=tuple(words or ()))


def check_prompt(config: RunConfig, kind: Kind, family: Family) -> Iterator[UserError]:
    """What is wrong with a prompt, as far as no tokenizer is needed to tell."""
    task = plain(config).task
    if family.kind != "decoder":
        return
    template = task.prompt
    if template is not None and (why := wrong_template(template, _sources(task, kind))):
        usual = usual_template(_sources(task, kind))
        yield ConfigError(f"task.prompt={template!r}", why, f"task.prompt=null, which is {usual!r}")
    if kind.output != "label" or task.classify_by != WORDS or task.label_words is None:
        return
    words, labels = task.label_words, task.labels
    asked = f"task.label_words=[{','.join(words)}]"
    if any(not word.strip() for word in words) or len(set(words)) < len(words):
        yield ConfigError(asked, "each label has a word of its own", "task.label_words=null, which takes their names")
    elif labels is None:
        why = "the labels are those of the training split, in an order that is not known before it is read"
        yield ConfigError(asked, why, f"{asked} task.labels=[…], the labels in the order of their words")
    elif len(words) != len(labels):
        why = f"there are {len(labels)} labels, {', '.join(labels)}, and {len(words)} words"
        yield ConfigError(asked, why, "a word for each, in the order of task.labels")


def _sources(task: TaskConfig, kind: Kind) -> list[str]:
    """The roles of the sources that the task has columns for."""
    return [role for role in kind.sources if getattr(task.columns, role) is not None]
