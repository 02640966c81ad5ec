"""What a loaded tokenizer is checked for, and given: the model's vocabulary, and a padding token.

Many decoders' tokenizers have no padding token: texts are then padded with the token that ends them. Padding is masked
and its labels are ignored, so that no number depends on which token it is.
"""

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.backbones.tokenizer_files import SAVE_BOTH
from unidelta.design.family import Family
from unidelta.errors import BackboneError

_MOST_ROWS_MORE_OR_LESS = 0.1  # tables are padded to round numbers: 28 rows of T5's 32,128


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, *, asked: str) -> None:
    """Refuse a tokenizer that was made for other embeddings.

    Args:
        tokenizer: as it was loaded.
        model: as it was loaded.
        asked: the words in which the checkpoint was asked for.

    Raises:
        BackboneError: it has special tokens only, or a number of tokens far from the number of embeddings.
    """
    n_tokens, n_embeddings = len(tokenizer), len(model.get_input_embeddings().get_parameter("weight"))
    instead = f"the tokenizer of the checkpoint in its folder: {SAVE_BOTH}"
    if n_tokens <= len(tokenizer.all_special_ids):
        why = f"its tokenizer knows {n_tokens} special tokens and no other; the model has {n_embeddings:,} embeddings"
        raise BackboneError(asked, why, instead)
    if abs(n_tokens - n_embeddings) > _MOST_ROWS_MORE_OR_LESS * n_embeddings:
        why = f"its tokenizer has {n_tokens:,} tokens and the model {n_embeddings:,} embeddings: they do not match"
        raise BackboneError(asked, why, instead)


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
