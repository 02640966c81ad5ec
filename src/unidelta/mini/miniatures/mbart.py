"""mini-mbart: an encoder-decoder of two languages, for translation."""

from collections.abc import Mapping
from typing import Any

from unidelta.mini.miniature import MINIATURES, Miniature, Size
from unidelta.mini.miniatures import bart
from unidelta.mini.second_language import LANGUAGES
from unidelta.mini.second_lexicon import first_vocabulary, second_lexicon


def _vocabulary(seed: int) -> list[str]:
    return [*first_vocabulary(seed), *second_lexicon(seed).vocabulary(), *LANGUAGES]


def _config(size: Size, words: Mapping[str, int]) -> dict[str, Any]:
    return {**bart.config(size, words), "decoder_start_token_id": words[LANGUAGES[1]]}


MINIATURES.register(Miniature(name="mbart", vocabulary=_vocabulary, config=_config, languages=LANGUAGES))
