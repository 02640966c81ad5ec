"""Where the weights of a run come from: as typed, or the scale's own."""

from unidelta.backbones.local import is_local
from unidelta.backbones.packaged import Packaged
from unidelta.backbones.weights import Weights, weights_of
from unidelta.config.reading import leave
from unidelta.config.schema import RunConfig


def resolve_weights(config: RunConfig) -> Weights:
    """The weights, by kind."""
    backbone = config.backbone
    checkpoint, published, revision = backbone.checkpoint, None, None
    if checkpoint is not None:
        why = f"backbone.checkpoint={checkpoint} says where the weights come from"
        leave(config, ["backbone.hub_id"], why, "leave it out, or backbone.checkpoint=null scale=paper")
    elif config.scale.name == "paper":
        published = backbone.hub_id
    else:
        theirs = {"mini": "the embedded miniature's weights", "small": "the weights of an installed package"}
        why = f"scale={config.scale.name} takes {theirs.get(config.scale.name, 'its own weights')}"
        leave(config, ["backbone.hub_id", "backbone.hub_revision"], why, "scale=paper, or backbone.checkpoint=HUB_ID")
        if config.scale.name == "small":
            return Packaged(family=backbone.family, name=backbone.name, place=backbone.package)
    why = f"scale={config.scale.name} takes no weights from a package"
    leave(config, ["backbone.package"], why, "scale=small, without backbone.checkpoint")
    if published is not None or (checkpoint is not None and not is_local(checkpoint)):
        revision = backbone.hub_revision
    elif checkpoint is not None:
        why = f"backbone.checkpoint={checkpoint} is a folder, and only what lies on the hub has revisions"
        leave(config, ["backbone.hub_revision"], why, "leave it out, or backbone.checkpoint=HUB_ID")
    return weights_of(checkpoint, family=backbone.family, revision=revision, published=published)
