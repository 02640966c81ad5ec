"""`BackboneConfig` to `BackboneSpec`: where the weights of a run come from."""

from unidelta.backbones.weights import Weights, weights_of
from unidelta.config.reading import leave
from unidelta.config.run_spec import BackboneSpec
from unidelta.config.schema import RunConfig
from unidelta.design.architecture import Architecture
from unidelta.extensions.named_paths import is_local


def resolve_backbone(config: RunConfig, architecture: Architecture) -> BackboneSpec:
    """The backbone of a run."""
    backbone = config.backbone
    return BackboneSpec(
        architecture=architecture,
        weights=resolve_weights(config),
        attn_implementation=backbone.attn_implementation,
        dropout=backbone.dropout,
        attention_dropout=backbone.attention_dropout,
    )


def resolve_weights(config: RunConfig) -> Weights:
    """Where the weights come from: as typed, or the scale's own."""
    backbone = config.backbone
    checkpoint, published = backbone.checkpoint, None
    if checkpoint is not None:
        why = f"backbone.checkpoint={checkpoint} says where the weights come from"
        leave(config, ["backbone.hub_id"], why, "leave it out, or backbone.checkpoint=null scale=paper")
    elif config.scale.name == "paper":
        published = backbone.hub_id
    else:
        why, instead = "scale=mini takes the embedded miniature's weights", "scale=paper, or backbone.checkpoint=HUB_ID"
        leave(config, ["backbone.hub_id", "backbone.hub_revision"], why, instead)
    revision = None
    if checkpoint is not None and is_local(checkpoint):
        why = f"backbone.checkpoint={checkpoint} is a folder, and only what lies on the hub has revisions"
        leave(config, ["backbone.hub_revision"], why, "leave it out, or backbone.checkpoint=HUB_ID")
    elif checkpoint is not None or published is not None:
        revision = backbone.hub_revision
    return weights_of(checkpoint, family=backbone.family, revision=revision, published=published)
