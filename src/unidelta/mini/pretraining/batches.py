"""Documents to batches for each backbone's objective. B batch, S source length, T target length."""

from collections.abc import Callable
from random import Random

import torch
from torch import Tensor

from unidelta.mini.pretraining.noise import hide, infill, mask_tokens
from unidelta.mini.pretraining.texts import Text
from unidelta.mini.reviews import VERDICTS
from unidelta.mini.settings import SPECIAL, words_of
from unidelta.mini.world import world

Collate = Callable[[list[Text], Random], dict[str, Tensor]]
_BOS, _PAD, _EOS = 0, 1, 2
_IGNORED = -100


def batches(family: str, *, seed: int) -> Collate:
    """What makes a batch of documents, noise and labels included."""
    words = words_of(family, seed=seed)
    salient = frozenset(words[kind] for kind in kinds(seed) if kind in words)
    mask = words["<mask>"]

    def ids(text: str) -> list[int]:
        return [words[word] for word in text.split()]

    def denoising(texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """BART: `<s> text </s>` to itself, labels as the tokenizer makes them for a target."""
        sources, targets = [], []
        for text in texts:
            target = ids(text.target[0])
            sources.append([_BOS, *infill(target, salient=salient, mask=mask, rng=rng), _EOS])
            targets.append([_BOS, *target, _EOS])
        return _seq2seq(sources, targets)

    def bilingual(texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """mBART: `text </s> language` to itself; the language that ends the labels begins the decoder's input."""
        sources, targets = [], []
        for text in texts:
            target = ids(text.target[0])
            if text.source is None:
                source = infill(target, salient=frozenset(), mask=mask, rng=rng)
            else:
                source = ids(text.source)
            ending = [_EOS, words[text.language]]
            sources.append([*source, *ending])
            targets.append([*target, *ending])
        return _seq2seq(sources, targets)

    def masked(texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """RoBERTa: `<s> segment </s>` or `<s> segment </s> </s> segment </s>`."""
        sources, labels = [], []
        special = frozenset(range(len(SPECIAL)))
        for text in texts:
            tokens = [_BOS, *ids(text.target[0]), _EOS]
            for segment in text.target[1:]:
                tokens += [_EOS, *ids(segment), _EOS]
            if text.asked:
                source, label = hide(tokens, {words[word] for word in text.asked}, mask=mask)
            else:
                source, label = mask_tokens(
                    tokens, salient=salient, special=special, mask=mask, n_tokens=len(words), rng=rng
                )
            sources.append(source)
            labels.append(label)
        input_ids_BS = _pad(sources, _PAD)
        return {
            "input_ids": input_ids_BS,
            "attention_mask": (input_ids_BS != _PAD).long(),
            "labels": _pad(labels, _IGNORED),
        }

    return {"bart": denoising, "mbart": bilingual, "roberta": masked}[family]


def kinds(seed: int) -> tuple[str, ...]:
    """The words for kinds, and the verdicts of reviews: what a fact is about."""
    this = world(seed)
    classes = (this.people, this.cities, this.things, this.deeds, this.qualities, this.firms)
    verdicts = [word for words in VERDICTS.values() for word in words]
    return (*(kind for words in classes for kind in words.kinds), *this.demonyms, *verdicts)


def _seq2seq(sources: list[list[int]], targets: list[list[int]]) -> dict[str, Tensor]:
    input_ids_BS = _pad(sources, _PAD)
    return {
        "input_ids": input_ids_BS,
        "attention_mask": (input_ids_BS != _PAD).long(),
        "labels": _pad(targets, _IGNORED),
    }


def _pad(rows: list[list[int]], filler: int) -> Tensor:
    length = max(map(len, rows))
    return torch.tensor([row + [filler] * (length - len(row)) for row in rows])
