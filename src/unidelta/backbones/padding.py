"""A tokenizer without a padding token, as of many decoders: texts are padded with the token that ends them.

Padding is masked and its labels are ignored, so that no number depends on which token it is.
"""

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.design.family import Family
from unidelta.errors import BackboneError


def prepare_padding(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, family: Family, *, asked: str) -> None:
    """Give a tokenizer its padding token, and a decoder with a classification head what finds a text's last token.

    Args:
        tokenizer: changed in place if it has none.
        model: of the family; its configuration is changed in place if it is a decoder with such a head.
        family: the architecture.
        asked: the words in which the checkpoint was asked for.

    Raises:
        BackboneError: it has no token that ends a text either.
    """
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is None:
        why = "its tokenizer has neither a padding token nor one that ends a text (pad_token, eos_token)"
        raise BackboneError(asked, why, 'a tokenizer_config.json with "eos_token": the token that ends a text')
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if family.kind == "decoder" and family.head_of(model) is not None:
        model.config.pad_token_id = tokenizer.pad_token_id
        model.config.use_cache = False  # a classifier reads a text once
