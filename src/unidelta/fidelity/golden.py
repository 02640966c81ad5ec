"""Golden files: the authors' numbers for tiny models, compared with ours for the same weights and inputs.

A golden file is `<model>.<variant>.json` (options, configuration, parameter names) next to a `.safetensors`
(weights in exactly representable float16, inputs, logits, losses, hidden states, gradients, generated ids).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel
from transformers.trainer_pt_utils import LabelSmoother

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.count import count
from unidelta.design.describe import describe
from unidelta.design.family import FAMILIES
from unidelta.design.spec import Design
from unidelta.errors import DataError, Problems
from unidelta.fast.switch import speed_up
from unidelta.fidelity.names import official_names
from unidelta.fidelity.options import design_of
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection

TOLERANCES = {  # logits and losses in float64; the authors stored hidden states and gradients in float32
    "logits": 1e-10,
    "loss": 1e-10,
    "smoothed loss": 1e-5,
    "hidden": 1e-5,
    "gradients": 1e-5,
}


@dataclass(kw_only=True)
class Comparison:
    """One golden file compared with our model: differences by quantity, and mismatches.

    Args:
        name: `<model>.<variant>`.
        design: the compared design, in words.
        errors: largest absolute difference (gradients: relative) by quantity.
        wrong: names, counts or generated ids that differ, in words.
        skipped: why there is nothing to compare, or None.
    """

    name: str
    design: str = ""
    errors: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def passed(self) -> bool:
        """True if everything is within its tolerance."""
        within = all(error <= TOLERANCES[key] for key, error in self.errors.items())
        return self.skipped is None and within and not self.wrong and bool(self.errors)


def golden_files(folder: Path) -> list[Path]:
    """The descriptions in a folder, sorted.

    Raises:
        DataError: if there are none.
    """
    found = sorted(folder.glob("*.json"))
    if not found:
        raise DataError(
            f"golden files in {folder}",
            "there is no *.json in that folder",
            "the folder of the golden files, tests/golden",
        )
    return found


def compare(path: Path, *, fast: bool = False) -> Comparison:
    """Compare one golden file with our model, which is built from a request like any run.

    Args:
        path: the description; the tensors are next to it.
        fast: whether optimisations are on.

    Raises:
        DataError: if the file is damaged.
    """
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        result = Comparison(name=f"{meta['model']}.{meta['variant']}")
        if meta["status"] != "ok":
            return _not_runnable(meta, result)
        tensors = load_file(path.with_suffix(".safetensors"))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"golden file {path}", f"it cannot be read: {error}", "a whole copy of the file") from error
    model = _base_model(meta, tensors)
    design = _design(meta, model)
    result.design = describe(design)
    injection = inject(model, design, generator=torch.Generator().manual_seed(0))
    if fast:
        speed_up(injection)
    is_encoder = FAMILIES[meta["model"]].kind == "encoder"
    theirs = official_names(injection.trained, design, is_encoder=is_encoder, is_wrapped=meta["wrapped"])
    _load_deltas(injection, theirs, tensors)
    _check_names(injection, meta, theirs, tensors, result)
    _check_numbers(injection, meta, theirs, tensors, result)
    if "gen/greedy" in tensors:
        _check_generation(injection.model.float(), meta, tensors, result)
    return result


def _not_runnable(meta: Mapping[str, Any], result: Comparison) -> Comparison:
    """Report a design that the authors' code cannot run, and whether it builds here."""
    result.skipped = f"the authors' code fails: {meta.get('where', 'unknown place')}"
    with torch.device("meta"):
        model = _model(AutoConfig.for_model(meta["model"]))
    try:
        inject(model, _design(meta, model), generator=torch.Generator())
        result.skipped += "; builds here"
    except Problems as problems:
        result.skipped += f"; refused here: {problems.why}"
    return result


def _base_model(meta: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> PreTrainedModel:
    defaults = AutoConfig.for_model(meta["model"]).to_dict()
    known = set(defaults) - {"transformers_version", "dtype", "architectures", "model_type"}
    given = {key: value for key, value in meta["config"].items() if key in known}
    model = _model(AutoConfig.for_model(meta["model"], **given)).double().eval()
    state = {
        name.removeprefix("state/").removeprefix("pretrained_model."): tensor.double()
        for name, tensor in tensors.items()
        if name.startswith("state/")
    }
    missing, _ = model.load_state_dict(state, strict=False)
    untied = set(missing) - {name.removeprefix("pretrained_model.") for name in meta["tied_state"]}
    if untied:
        raise DataError(f"golden file {meta['model']}.{meta['variant']}", f"it lacks {sorted(untied)}", "a whole copy")
    return model


def _model(config: PreTrainedConfig) -> PreTrainedModel:
    return MODEL_CLASSES[FAMILIES[config.model_type].kind].from_config(config)


def _design(meta: Mapping[str, Any], model: PreTrainedModel) -> Design:
    return design_of(meta["official_options"], architecture_of(model.config, name=model.config.model_type))


def _load_deltas(injection: Injection, theirs: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    parameters = dict(injection.model.named_parameters())
    for name, their_name in theirs.items():
        stored = tensors.get(f"state/{their_name}")
        if stored is not None and their_name.removeprefix("pretrained_model.") != name:
            # their generator has rows for the encoder's layers in every stack; ours only for layers that exist
            parameters[name].data.copy_(stored[: parameters[name].shape[0]])


def _check_names(
    injection: Injection,
    meta: Mapping[str, Any],
    theirs: Mapping[str, str],
    tensors: Mapping[str, Tensor],
    result: Comparison,
) -> None:
    expected = set(meta["trainable_names"]) - set(meta["unused_trainable_no_grad"])
    ours = set(theirs.values())
    if ours != expected:
        result.wrong.append(f"trained names: {len(expected - ours)} missing, {len(ours - expected)} too many")
    architecture = architecture_of(injection.model.config, name="golden")
    parameters = dict(injection.model.named_parameters())
    pairs = ((parameters[name], tensors.get(f"state/{their_name}")) for name, their_name in theirs.items())
    surplus = sum(stored.numel() - mine.numel() for mine, stored in pairs if stored is not None)
    used = meta["trainable_params"] - meta["unused_params"] - surplus
    counts = count(injection.design, architecture)
    numbers = {
        "trained parameters": (injection.n_trained, used),
        "closed form": (counts.trained, used),
        "base parameters": (architecture.n_parameters, meta["base_params"]),
    }
    result.wrong += [f"{key}: {mine}, theirs {their}" for key, (mine, their) in numbers.items() if mine != their]


def _check_numbers(
    injection: Injection,
    meta: Mapping[str, Any],
    theirs: Mapping[str, str],
    tensors: Mapping[str, Tensor],
    result: Comparison,
) -> None:
    model = injection.model
    inputs = {key.removeprefix("input/"): value for key, value in tensors.items() if key.startswith("input/")}
    output = model(**inputs, output_hidden_states=True)
    result.errors["logits"] = _difference(output.logits, tensors["out/logits64"])
    result.errors["loss"] = abs(output.loss.item() - meta["loss_float64"])
    if "out/loss_label_smoothing_0.1" in tensors:
        smoothed = LabelSmoother(epsilon=0.1)(output, inputs["labels"])
        result.errors["smoothed loss"] = _difference(smoothed, tensors["out/loss_label_smoothing_0.1"].squeeze())
    hidden = {"enc": output.get("encoder_hidden_states") or output.get("hidden_states")}
    hidden["dec"] = output.get("decoder_hidden_states")
    result.errors["hidden"] = max(
        _difference(hidden[key.split("/")[1].split(".")[0]][int(key.rsplit(".", 1)[1])], tensor)
        for key, tensor in tensors.items()
        if key.startswith("hidden/")
    )
    output.loss.backward()
    parameters = dict(model.named_parameters())
    largest = max(tensor.abs().max().item() for key, tensor in tensors.items() if key.startswith("grad/"))
    resolution = torch.finfo(torch.float32).eps * largest
    worst = 0.0
    for name, their_name in theirs.items():
        expected, gradient = tensors.get(f"grad/{their_name}"), parameters[name].grad
        if gradient is None or expected is None:
            result.wrong.append(f"{name} has no gradient{' of theirs' if expected is None else ''}")
            continue
        expected = expected[: gradient.shape[0]]
        size = expected.abs().max().item()
        # zero in exact arithmetic (biases of k_proj, under a softmax): theirs is the noise of float32
        if max(size, gradient.abs().max().item()) > resolution:
            worst = max(worst, _difference(gradient, expected) / size)
    result.errors["gradients"] = worst


def _check_generation(
    model: PreTrainedModel, meta: Mapping[str, Any], tensors: Mapping[str, Tensor], result: Comparison
) -> None:
    for name, beams in (("greedy", 1), ("beam4", 4)):
        expected = tensors[f"gen/{name}"]
        with torch.inference_mode():
            ids = cast(Any, model).generate(
                input_ids=tensors["input/input_ids"],
                attention_mask=tensors["input/attention_mask"],
                num_beams=beams,
                max_length=12,
                min_length=4,
                no_repeat_ngram_size=3,
                length_penalty=1.0,
                do_sample=False,
                early_stopping=False,
                forced_eos_token_id=meta["config"]["forced_eos_token_id"],
                decoder_start_token_id=int(expected[0, 0]),  # mBART's files start from a language id
            )
        width = max(ids.shape[1], expected.shape[1])
        pad = model.config.pad_token_id
        mine, their = (torch.nn.functional.pad(t, (0, width - t.shape[1]), value=pad) for t in (ids, expected))
        rows = int((mine != their).any(dim=1).sum())
        if rows:
            result.wrong.append(f"{name}: {rows} of {len(expected)} generated rows differ")


def _difference(ours: Tensor, theirs: Tensor) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    return (ours.detach().double() - theirs.double()).abs().max().item()
