"""Weights on the Hugging Face hub, or in this machine's cache of it."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from unidelta.backbones.config_file import WANTED, read_config
from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config
from unidelta.errors import BackboneError, first_line

# huggingface_hub and modules that need it are imported late: they take half a second, and other weights need none.

OFFLINE = "backbone.checkpoint=DIR with a local folder, or scale=mini"
"""What to type without the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A repository of the hub.

    Args:
        family: the required architecture.
        name: `name` or `owner/name`.
        revision: commit, branch or tag; None for main.
        is_published: whether it is the paper's checkpoint, whose sizes are in conf/backbone/, so that nothing needs to
            be downloaded to check a configuration.
    """

    family: str
    name: str
    revision: str | None
    is_published: bool = False

    def architecture(self, published: Architecture) -> Architecture:
        """The sizes: `published` for the paper's checkpoint, else from the repository's config.json.

        Raises:
            BackboneError: config.json is neither in the cache nor reachable, damaged, or of a different architecture.
        """
        if self.is_published:
            return published
        from huggingface_hub import hf_hub_download

        self.check()
        try:
            path = Path(hf_hub_download(self.name, "config.json", revision=self.revision))
        except (OSError, ValueError) as error:  # what the hub's client raises for unknown names and lost connections
            first = first_line(error)
            raise unknown_revision(error, self._asked, self.revision) or BackboneError(
                self._asked, first, WANTED
            ) from None
        config = read_config(path, family=self.family, asked=self._asked)
        return architecture_from_config(config, name=Path(self.name).name, n_labels=published.n_labels)

    def check(self) -> None:
        """Refuse a repository that is neither in the cache nor reachable, within seconds.

        Raises:
            BackboneError: it is neither.
        """
        from unidelta.network.hub import why_unreachable

        if self.commit() is not None:
            return
        unreachable = why_unreachable()
        if unreachable:
            has_main = replace(self, revision=None).commit() is not None
            raise BackboneError(
                self._asked + (f" backbone.hub_revision={self.revision}" if self.revision else ""),
                not_cached(unreachable) + (", which has its main branch" if has_main else ""),
                ("backbone.hub_revision=main, or " if has_main else "") + OFFLINE,
            )

    def languages(self) -> tuple[str, ...]:
        """Empty: the languages are unknown until the tokenizer is loaded."""
        return ()

    def world(self) -> None:
        """None: the weights know no world of the miniature."""

    def has_chat_template(self) -> None:
        """None: whether there is a chat template is unknown until the tokenizer is loaded."""

    def commit(self) -> str | None:
        """The commit of the files in the cache of this machine; None if there are none."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.name, "config.json", revision=self.revision)
        return Path(found).parent.name if isinstance(found, str) else None

    def fingerprint(self) -> str:
        """Name and revision."""
        return f"{self.name}@{self.revision or 'main'}"

    def load(self, how: Loading) -> LoadedBackbone:
        """The model in float32, and its tokenizer; from the cache if the hub does not answer.

        Raises:
            BackboneError: weights or tokenizer are missing, damaged or do not fit config.json.
        """
        from unidelta.backbones.pretrained import load_pretrained
        from unidelta.network.hub import cache_only, why_unreachable

        unreachable = why_unreachable()
        with cache_only() if unreachable else nullcontext():
            return load_pretrained(self.name, how, asked=self._asked, revision=self.revision, unreachable=unreachable)

    @property
    def _asked(self) -> str:
        return f"backbone.checkpoint={self.name}"


def not_cached(unreachable: str) -> str:
    """Why a checkpoint cannot be had, given why the hub cannot."""
    return f"{unreachable}, and the checkpoint is not in the cache of this machine"


def unknown_revision(error: BaseException, asked: str, revision: str | None) -> BackboneError | None:
    """A BackboneError if the repository lacks the revision (a commit of a pull request may vanish), else None.

    Args:
        error: what a client of the hub raised.
        asked: the words in which the checkpoint was asked for.
        revision: the pin.
    """
    from unidelta.network.hub import is_unknown_revision

    if revision is None or not is_unknown_revision(error):
        return None
    why = "the repository has no such commit, tag or branch"
    instead = "backbone.hub_revision=main, if its files are safetensors; the record names the commit"
    return BackboneError(f"{asked} backbone.hub_revision={revision}", why, instead)
