"""How a decoder-only model reads a task: its sources in a template, and the target after them.

Nothing here needs a tokenizer; see `prompted`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from unidelta.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPrompt:
    """The text before a target.

    Args:
        template: with the roles of the sources in braces, e.g. `{source}\\nSummary:`.
        is_chat: whether the tokenizer's chat template is put around it, as what the user says.
        label_words: the text for each label, in the labels' order, if labels are written and not chosen by a head.
    """

    template: str
    is_chat: bool = False
    label_words: tuple[str, ...] = ()

    def text(self, sources: Mapping[str, str]) -> str:
        """The template with the source texts, by role."""
        return self.template.format_map(sources)


def no_chat_template() -> ConfigError:
    """The error of a task that is asked as a conversation, of a model that was not tuned for any."""
    why = "the tokenizer has no chat template: the checkpoint is a base model, or its template was not saved with it"
    return ConfigError("task.chat=true", why, "task.chat=false, or a checkpoint that was tuned to follow instructions")


def usual_template(roles: Sequence[str]) -> str:
    """Every source on a line of its own: `{text}\\n{text_pair}\\n`."""
    return "".join(f"{{{role}}}\n" for role in roles)


def wrong_template(template: str, roles: Sequence[str]) -> str | None:
    """What is wrong with a template for sources of these roles, in words; None if nothing is."""
    wanted = " and ".join(f"{{{role}}}" for role in roles)
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        return f"its braces cannot be read ({error}); a brace of the text is written twice"
    found = [name for _, name, _, _ in parts if name is not None]
    if any(spec or conversion for _, _, spec, conversion in parts):
        return f"braces hold the role of a source and nothing else: {wanted}"
    unknown = [f"{{{name}}}" for name in found if name not in roles]
    missing = [f"{{{role}}}" for role in roles if role not in found]
    if unknown:
        return f"it has {' and '.join(unknown)}, and this task's sources are {wanted}"
    if missing:
        return f"it lacks {' and '.join(missing)}: the model would not see that source"
    return None
