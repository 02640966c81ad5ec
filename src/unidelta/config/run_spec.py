"""Everything that decides the numbers of a run, resolved and frozen."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from unidelta.design.architecture import Architecture
from unidelta.design.design_json import design_to_dict
from unidelta.design.spec import Design
from unidelta.tasks.task import TaskSpec
from unidelta.training.spec import TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneSpec:
    """Where a backbone's weights come from and how it is run.

    Args:
        architecture: its sizes.
        checkpoint: local folder or hub id; None for the embedded miniature.
        revision: of a hub id.
        attn_implementation: sdpa or eager.
        dropout: hidden dropout in place of the checkpoint's, or None.
        attention_dropout: attention dropout in place of the checkpoint's, or None.
    """

    architecture: Architecture
    checkpoint: str | None
    revision: str | None
    attn_implementation: str
    dropout: float | None
    attention_dropout: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One run. Two runs with equal specs, data and weights give equal numbers on one machine.

    Args:
        method: the method's name, a label.
        conventions: released or paper; a label, for what they decide is in the design.
        design: what is tuned.
        published_bottlenecks: the paper's bottleneck of each slot, before it is mapped to a smaller backbone.
        backbone: the pretrained model.
        task: data and decoding.
        training: optimisation.
        seed: of initialisation, data order and dropout.
        scale: mini or paper.
        fast: whether what only makes a run faster is on.
    """

    method: str
    conventions: str
    design: Design
    published_bottlenecks: dict[str, int]
    backbone: BackboneSpec
    task: TaskSpec
    training: TrainingSpec
    seed: int
    scale: str
    fast: bool = True

    def scientific(self) -> dict[str, Any]:
        """What a record keeps of the spec, as JSON-ready data: not devices, paths, progress bars or checkpoints.

        The run's name is a hash of it without its labels (`records.identity`).
        """
        data: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        data |= {"task": asdict(self.task), "training": asdict(self.training)}
        data["backbone"] = {each.name: getattr(self.backbone, each.name) for each in fields(self.backbone)}
        data["design"] = design_to_dict(self.design)
        data["backbone"]["architecture"] = self.backbone.architecture.to_dict()
        data["task"]["extra_eval_splits"] = list(self.task.extra_eval_splits)
        for key in ("device", "progress", "save_every_minutes"):
            del data["training"][key]
        del data["task"]["path"]  # the rows' fingerprint stands for them
        return data
