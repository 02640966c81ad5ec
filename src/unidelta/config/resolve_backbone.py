"""`BackboneConfig` to `BackboneSpec`: where the weights of a run come from."""

from unidelta.config.reading import leave
from unidelta.config.run_spec import BackboneSpec
from unidelta.config.schema import RunConfig
from unidelta.design.architecture import Architecture
from unidelta.extensions.named_paths import is_local


def resolve_backbone(config: RunConfig, architecture: Architecture) -> BackboneSpec:
    """The backbone of a run."""
    backbone = config.backbone
    checkpoint = backbone.checkpoint
    if checkpoint is not None:
        why = f"backbone.checkpoint={checkpoint} says where the weights come from"
        leave(config, ["backbone.hub_id"], why, "leave it out, or backbone.checkpoint=null scale=paper")
    elif config.scale.name == "paper":
        checkpoint = backbone.hub_id
    else:
        why, instead = "scale=mini takes the embedded miniature's weights", "scale=paper, or backbone.checkpoint=HUB_ID"
        leave(config, ["backbone.hub_id", "backbone.hub_revision"], why, instead)
    return BackboneSpec(
        architecture=architecture,
        checkpoint=checkpoint,
        revision=revision(config, checkpoint),
        attn_implementation=backbone.attn_implementation,
        dropout=backbone.dropout,
        attention_dropout=backbone.attention_dropout,
    )


def revision(config: RunConfig, checkpoint: str | None) -> str | None:
    """The revision of a hub id; a folder has none."""
    if checkpoint is None:
        return None
    if is_local(checkpoint):
        why = f"backbone.checkpoint={checkpoint} is a folder, and only what lies on the hub has revisions"
        leave(config, ["backbone.hub_revision"], why, "leave it out, or backbone.checkpoint=HUB_ID")
        return None
    return config.backbone.hub_revision
