"""The source of a run's weights, decided once: shipped with unidelta, in another package, a local folder, or the hub.

Each source has the same methods: `architecture`, `check`, `fingerprint`, `commit`, `world`, `languages`,
`has_chat_template`, `load`.
Importing this module imports no torch; `load` does.
"""

from unidelta.backbones.hub import Hub
from unidelta.backbones.local import Local, is_local
from unidelta.backbones.packaged import Packaged
from unidelta.backbones.shipped import BACKBONES, PROVENANCE, Shipped
from unidelta.extensions.named_paths import as_path

Weights = Shipped | Packaged | Local | Hub


def weights_of(checkpoint: str | None, *, family: str, revision: str | None, published: str | None) -> Weights:
    """The weights that a configuration requests.

    Args:
        checkpoint: a folder or hub id, as typed; None if none was typed.
        family: the required architecture.
        revision: of a hub id.
        published: the hub id of the paper's checkpoint, used if none was typed; None for the shipped weights.
    """
    if checkpoint is None and published is not None:
        return Hub(family=family, name=published, revision=revision, is_published=True)
    if checkpoint is None:
        return Shipped(family=family, folder=BACKBONES / family)
    folder = as_path(checkpoint, asked=f"backbone.checkpoint={checkpoint}")
    if (folder / PROVENANCE).is_file():
        return Shipped(family=family, folder=folder)
    if is_local(checkpoint):
        return Local(family=family, typed=checkpoint)
    return Hub(family=family, name=checkpoint, revision=revision)
