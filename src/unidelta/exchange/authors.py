"""Checkpoints of the paper's released code: the whole model in one file, and nothing that says what was tuned.

What was tuned is therefore typed, in the authors' own options (`attn_mode=prefix attn_bn=30 …`), and the backbone in
the file is compared with the one given.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.axes import LayerNorm
from unidelta.design.describe import describe
from unidelta.design.form import FORMS
from unidelta.design.resolve import checked_design
from unidelta.design.spec import BitFit, Design, Frozen, FullFineTuning, parts_of
from unidelta.errors import ExchangeError
from unidelta.exchange.folder import Found, read_tensors
from unidelta.exchange.tie import Tie, fixed
from unidelta.fidelity.names import has_parallel_ffn, official_names
from unidelta.fidelity.options import request
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.beside import beside
from unidelta.injection.injection import Injection

_FILES = ("model.safetensors", "pytorch_model.bin")
_WRAPPED = "pretrained_model."
_NUMBERS = {
    **dict.fromkeys(("attn_bn", "ffn_bn", "mid_dim"), int),
    **dict.fromkeys(("prefix_dropout", "lora_alpha", "lora_dropout"), float),
}
_UNUSED = re.compile(r".*\.position_ids|prompt_model\.input_tokens")
_UNUSED_OF_ENCODERS = re.compile(  # made for sequence-to-sequence as well
    r"prompt_model\.(wte2|wte_enc|control_trans2|control_trans_enc|decoder_cross_attn|encoder_attn)[._].*"
)
_UNUSED_NORM = re.compile(r".*\.ef_transform_layer_norm\..*")
_UNUSED_BESIDE_PARALLEL = re.compile(r".*\.output\.ef_ffn_adapter\..*")


def read(folder: Path, model: PreTrainedModel, *, options: Mapping[str, Any], allow_bin: bool, asked: str) -> Found:
    """The design of the options, and what the tensors of a checkpoint are in it.

    Args:
        folder: with pytorch_model.bin, or the same as model.safetensors.
        model: the stock backbone.
        options: the authors' options, by their names; numbers may be text.
        allow_bin: whether pytorch_model.bin may be read.
        asked: in words, for the error.

    Raises:
        ExchangeError: an option is missing or not known, or the file cannot be read.
        Problems: the options cannot be built on this backbone.
    """
    design = _design(options, model, asked)
    tensors, _ = read_tensors(folder, _FILES, config={}, allow_bin=allow_bin, asked=asked)
    family = architecture_of_model(model).family
    is_encoder = family.kind == "encoder"
    reads_norm = any(
        FORMS[part.form].level == "heads" and part.layer_norm is not LayerNorm.NONE for part in parts_of(design)
    )
    unused = {
        _UNUSED: True,
        _UNUSED_OF_ENCODERS: is_encoder,
        _UNUSED_BESIDE_PARALLEL: is_encoder and has_parallel_ffn(design),
        _UNUSED_NORM: not reads_norm,
    }
    patterns = [pattern for pattern, is_unused in unused.items() if is_unused]
    kept = {name: tensor for name, tensor in tensors.items() if not any(each.fullmatch(name) for each in patterns)}

    def ties(injection: Injection) -> list[Tie]:
        names = (*injection.trained, *beside(injection.model))
        theirs = official_names(names, design, is_encoder=is_encoder, is_wrapped=True)
        own = [Tie(theirs=their_name, ours=(name,)) for name, their_name in theirs.items()]
        return own + _of_backbone(injection.model, kept, set(theirs))

    return Found(design=design, tensors=kept, ties=ties, beside=[*beside(model)])


def _of_backbone(model: PreTrainedModel, tensors: Mapping[str, Tensor], trained: set[str]) -> list[Tie]:
    """What has to be as in the backbone: all that was not trained, and copies of it that are tied."""
    state, parameters = model.state_dict(), dict(model.named_parameters())
    names = [name for name in parameters if ".deltas." not in name and name not in trained]
    names += [name for name in state if name not in parameters and f"{_WRAPPED}{name}" in tensors]
    return [fixed(f"{_WRAPPED}{name}", state[name], otherwise="differs from the backbone's") for name in names]


def with_numbers(options: Mapping[str, Any], *, asked: str) -> dict[str, Any]:
    """The options with numbers in place of text where they are numbers.

    Args:
        options: as typed.
        asked: in words, for the error.

    Raises:
        ExchangeError: a number is none.
    """
    found = dict(options)
    for name, number in _NUMBERS.items():
        if name in options:
            try:
                found[name] = number(options[name])
            except ValueError:
                why = f"{name}={options[name]} is not a number"
                raise ExchangeError(asked, why, f"{name}=… as it was typed to the authors' script") from None
    return found


def _design(options: Mapping[str, Any], model: PreTrainedModel, asked: str) -> Design:
    try:
        wanted = request(with_numbers(options, asked=asked))
    except KeyError as error:
        why = f"the checkpoint does not say what was tuned, and {error.args[0]} is not given"
        instead = f"{error.args[0]}=… as it was typed to the authors' script"
        raise ExchangeError(asked, why, instead) from None
    architecture = architecture_of_model(model)
    design = checked_design(wanted, architecture=architecture, published=architecture)
    if isinstance(design, FullFineTuning | Frozen):
        why = f"{describe(design)} were trained: there are no deltas"
        raise ExchangeError(asked, why, "the checkpoint as a backbone: --backbone DIR, backbone.checkpoint=DIR")
    return replace(design, trains_head=True) if isinstance(design, BitFit) and architecture.n_labels else design
