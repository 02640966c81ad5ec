"""Load a miniature's weights as a model in float32, after checking them."""

from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import load_file
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from unidelta.backbones.classes import model_class
from unidelta.backbones.dropouts import set_dropouts
from unidelta.backbones.loading import Loading
from unidelta.backbones.shipped import checked_weights, world_of
from unidelta.backbones.tokenizer import prepare_padding
from unidelta.design.family import FAMILIES
from unidelta.errors import BackboneError
from unidelta.mini.tokenizer import tokenizer

# Tied weights, stored once under the first of their names.
_TIED = {"lm_head.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"}


def load_miniature(folder: Path, family: str, how: Loading) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A pretrained model in eval mode, and its tokenizer. The global random state is not changed.

    Args:
        folder: of the miniature.
        family: its architecture.
        how: seed and labels of a new classification head, dropouts, attention.

    Raises:
        BackboneError: weights are missing or have been altered.
    """
    weights = checked_weights(folder)
    config = hf.AutoConfig.from_pretrained(folder, **({"num_labels": how.n_labels} if how.n_labels else {}))
    known = FAMILIES[family]
    set_dropouts(config, known, how)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(how.seed)
        model: PreTrainedModel = model_class(known, n_labels=how.n_labels).from_config(config)
    report = model.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()}, strict=False)
    model.tie_weights()
    missing = [name for name in report.missing_keys if name not in _TIED and not name.startswith(f"{known.head}.")]
    unknown = [name for name in report.unexpected_keys if not name.startswith("lm_head.")]
    if missing or unknown:
        raise BackboneError(
            f"the miniature {folder}",
            f"its tensors are not those of a {family} of its config.json: {', '.join([*missing, *unknown][:5])}",
            f"python -m unidelta.mini pretrain {family} --out DIR and backbone.checkpoint=DIR",
        )
    model.set_attn_implementation(how.attn_implementation)
    words = tokenizer(family, seed=world_of(folder))
    prepare_padding(words, model, known, asked=f"the miniature {folder}")
    return model.eval(), words
