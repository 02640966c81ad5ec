"""Everything that decides the numbers of a run, resolved and frozen."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from unidelta.backbones.weights import Weights
from unidelta.design.architecture import Architecture
from unidelta.design.design_json import design_to_dict
from unidelta.design.spec import Design
from unidelta.tasks.task import TaskSpec
from unidelta.training.spec import TrainingSpec

_AS_STATED = ("head", "attn_implementation", "quantised", "dropout", "attention_dropout")
"""What a record keeps of a `BackboneSpec` as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneSpec:
    """Where a backbone's weights come from and how it is run.

    Args:
        architecture: its sizes.
        weights: where they come from.
        head: `new` for a head from the seed in place of the checkpoint's own, else `auto`.
        attn_implementation: sdpa or eager.
        quantised: none, 8bit or 4bit: what frozen linear weights are stored in.
        dropout: hidden dropout in place of the checkpoint's, or None.
        attention_dropout: attention dropout in place of the checkpoint's, or None.
    """

    architecture: Architecture
    weights: Weights
    head: Literal["auto", "new"]
    attn_implementation: str
    dropout: float | None
    attention_dropout: float | None
    quantised: str = "none"


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
        scale: mini, small or paper.
        fast: whether what only makes a run faster is on.
        resume: whether a checkpoint of another machine is refused (strict), continued (any), or that is up to the
            device (auto).
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
    resume: str = "auto"

    def scientific(self) -> dict[str, Any]:
        """What a record keeps of the spec, as JSON-ready data: not devices, paths, progress bars or checkpoints.

        Rows and weights are not in it: their fingerprints take their place once they have been read. The run's name is
        a hash of it without its labels (`records.identity`).
        """
        data: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "resume"}
        data |= {"task": asdict(self.task), "training": asdict(self.training)}
        backbone = self.backbone
        data["backbone"] = {
            "architecture": backbone.architecture.to_dict(),
            "revision": backbone.weights.revision,
            **{name: getattr(backbone, name) for name in _AS_STATED},
        }
        data["design"] = design_to_dict(self.design)
        data["task"]["extra_eval_splits"] = list(self.task.extra_eval_splits)
        no_numbers = "device progress save_every_minutes gradient_checkpointing backbone_dtype log_every"
        for key in no_numbers.split():
            del data["training"][key]
        for key in ("path", "title", "max_unknown_share"):  # the rows' fingerprint stands for their folder
            del data["task"][key]
        columns = data["task"]["columns"]
        data["task"]["columns"] = {role: name for role, name in columns.items() if name is not None}
        data["task"]["labels"] = list(self.task.labels)
        if self.task.prompt is None:  # only a decoder-only model has one
            del data["task"]["prompt"]
        else:
            data["task"]["prompt"]["label_words"] = list(self.task.prompt.label_words)
        data["task"]["metrics"] = sorted(self.task.metrics)  # which of them is the headline changes no number
        return data
