"""PLACEHOLDER backbones: a tiny model and tokenizer per family. Random weights; scores mean nothing.

They have the layout of the real checkpoints (special tokens, language codes, decoder start), so that
injection, training and generation run as they would, in milliseconds and without a network.
"""

from collections.abc import Callable

import torch
import transformers as hf
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from unidelta.mini.settings import LANGUAGES, SPECIAL, settings, words_of

_FAMILIES: dict[str, tuple[Callable[..., PretrainedConfig], Callable[..., PreTrainedModel]]] = {
    "bart": (hf.BartConfig, hf.BartForConditionalGeneration),
    "mbart": (hf.MBartConfig, hf.MBartForConditionalGeneration),
    "roberta": (hf.RobertaConfig, hf.RobertaForSequenceClassification),
    "bert": (hf.BertConfig, hf.BertForSequenceClassification),
}


def backbone(family: str, *, seed: int, n_labels: int = 2) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A model in eval mode with weights drawn from `seed`, and its tokenizer. Global randomness is untouched.

    Raises:
        DataError: there is no such family.
    """
    cfg = config(family, n_labels=n_labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _FAMILIES[family][1](cfg)
    return model.eval(), _tokenizer(family)


def config(family: str, *, n_labels: int = 2) -> PretrainedConfig:
    """The backbone's configuration alone, no weights drawn. Encoder–decoders ignore `n_labels`.

    Raises:
        DataError: there is no such family.
    """
    values = settings(family, n_labels=n_labels)
    return _FAMILIES[values.pop("model_type")][0](**values)


class _TranslationTokenizer(PreTrainedTokenizerFast):
    """mBART's convention: text ends in `</s>` and its language, en_XX for inputs, ro_RO for `text_target`."""

    def _switch_to_input_mode(self) -> None:
        self.backend_tokenizer.post_processor = _ending_in("en_XX")

    def _switch_to_target_mode(self) -> None:
        self.backend_tokenizer.post_processor = _ending_in("ro_RO")


def _tokenizer(family: str) -> PreTrainedTokenizerFast:
    words = words_of(family)
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [word for word in words if word in (*SPECIAL, *LANGUAGES)]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.post_processor = _ending_in("en_XX") if family == "mbart" else _pairs()
    wrapper = _TranslationTokenizer if family == "mbart" else PreTrainedTokenizerFast
    roles = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    roles |= {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    inputs = ["input_ids", "attention_mask"]
    return wrapper(tokenizer_object=tokenizer, model_max_length=128, model_input_names=inputs, **roles)


def _pairs() -> processors.TemplateProcessing:
    ids = [("<s>", 0), ("</s>", 2)]
    return processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids)


def _ending_in(language: str) -> processors.TemplateProcessing:
    ids = [("</s>", 2), (language, words_of("mbart")[language])]
    ending = f"</s> {language}"
    return processors.TemplateProcessing(single=f"$A {ending}", pair=f"$A $B {ending}", special_tokens=ids)
