"""The word-level tokenizers of the miniature's backbones, with the special tokens of the original models."""

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from unidelta.mini.miniature import MAX_POSITIONS, SPECIAL
from unidelta.mini.second_language import LANGUAGES
from unidelta.mini.settings import miniature_of, words_of

_ROLES = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}


class TranslationTokenizer(PreTrainedTokenizerFast):
    """mBART's convention: text ends in `</s>` and its language, `src_lang` for inputs, `tgt_lang` for `text_target`."""

    src_lang, tgt_lang = LANGUAGES

    @property
    def lang_code_to_id(self) -> dict[str, int]:
        """Ids of the languages by code, as in mBART's tokenizer."""
        words = self.get_vocab()
        return {code: words[code] for code in LANGUAGES}

    def _switch_to_input_mode(self) -> None:
        self.set_language(self.src_lang)

    def _switch_to_target_mode(self) -> None:
        self.set_language(self.tgt_lang)

    def set_language(self, code: str) -> None:
        """End texts with this language's code from now on."""
        self.backend_tokenizer.post_processor = _ending_in(code, self.get_vocab()[code])


def tokenizer(family: str, *, seed: int) -> PreTrainedTokenizerFast:
    """The tokenizer of a family: words and punctuation are separated by spaces.

    Raises:
        DataError: there is no miniature of this family.
    """
    words, miniature = words_of(family, seed=seed), miniature_of(family)
    languages = miniature.languages
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = [word for word in words if word in (*SPECIAL, *languages)]
    backend.add_special_tokens([AddedToken(token, special=True) for token in special])
    backend.post_processor = _ending_in(languages[0], words[languages[0]]) if languages else _pairs()
    if miniature.reads_lines:
        backend.normalizer = normalizers.Replace("\n", " </s> ")
        backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    wrapper = TranslationTokenizer if languages else PreTrainedTokenizerFast
    inputs = ["input_ids", "attention_mask"]
    return wrapper(tokenizer_object=backend, model_max_length=MAX_POSITIONS, model_input_names=inputs, **_ROLES)


def _pairs() -> processors.TemplateProcessing:
    ids = [("<s>", 0), ("</s>", 2)]
    return processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids)


def _ending_in(language: str, index: int) -> processors.TemplateProcessing:
    ending = f"</s> {language}"
    ids = [("</s>", 2), (language, index)]
    return processors.TemplateProcessing(single=f"$A {ending}", pair=f"$A $B {ending}", special_tokens=ids)
