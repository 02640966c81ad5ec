"""Prompt tuning without an encoder: the stock model reads l embeddings more, and what is returned is the text's."""

import pytest
import torch
import transformers as hf
from torch import Tensor, nn
from transformers import DynamicCache, StaticCache

import unidelta
from unidelta.design.count import count
from unidelta.design.family import FAMILIES
from unidelta.errors import DesignError
from unidelta.hosts.cache import CACHE
from unidelta.injection.architecture import architecture_of_model

pytestmark = pytest.mark.usefixtures("no_float32")

DECODERS = [name for name, family in FAMILIES.items() if family.kind == "decoder"]
L, S = 4, 9  # vectors of the prompt, tokens of a text


def text(padding: int = 0) -> dict[str, Tensor]:
    ids = torch.randint(3, 41, (3, S), generator=torch.Generator().manual_seed(9))
    mask = torch.ones_like(ids)
    ids[1, :padding], mask[1, :padding] = 1, 0
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("family", DECODERS)
@torch.no_grad()
def test_it_is_the_stock_model_on_the_prompt_s_embeddings_and_the_text_s(injected, tiny, family):
    model, stock, inputs = injected("prompt", family).model.double(), tiny(family).double(), text(padding=3)
    found = model(**inputs, output_hidden_states=True)
    vectors, embed = model.get_decoder().deltas.prompt.vectors, stock.get_input_embeddings()
    for row in (0, 2):
        embedded = torch.cat([vectors, embed(inputs["input_ids"][row])])[None]
        expected = stock(inputs_embeds=embedded, output_hidden_states=True)
        torch.testing.assert_close(found.logits[row], expected.logits[0, L:], rtol=0, atol=1e-12)
        for mine, theirs in zip(found.hidden_states, expected.hidden_states, strict=True):
            torch.testing.assert_close(mine[row], theirs[0, L:], rtol=0, atol=1e-12)
    assert model(**inputs, return_dict=False)[0].equal(found.logits)


@pytest.mark.parametrize("family", DECODERS)
@torch.no_grad()
def test_cached_pieces_and_padding_in_front_change_nothing(injected, family):
    model, inputs = injected("prompt", family).model.double(), text(padding=3)
    positions = (inputs["attention_mask"].cumsum(1) - 1).clamp(min=0)
    forced = model(**inputs, position_ids=positions).logits
    cache, pieces = DynamicCache(config=model.config), []
    for begin, end in ((0, 5), (5, 8), (8, S)):
        piece = {"input_ids": inputs["input_ids"][:, begin:end], "attention_mask": inputs["attention_mask"][:, :end]}
        piece["position_ids"] = positions[:, begin:end]
        pieces.append(model(**piece, **{CACHE: cache}, use_cache=True).logits)
    is_text = inputs["attention_mask"].bool()
    torch.testing.assert_close(torch.cat(pieces, dim=1)[is_text], forced[is_text], rtol=0, atol=1e-12)
    alone = model(input_ids=inputs["input_ids"][1:2, 3:]).logits[0]
    torch.testing.assert_close(forced[1, 3:], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize("beams", [1, 3])
@torch.no_grad()
def test_generation_with_and_without_a_cache_gives_the_same_tokens(injected, family, beams):
    model, inputs = injected("prompt", family).model.double(), text(padding=3)
    made = [model.generate(**inputs, max_new_tokens=8, num_beams=beams, use_cache=use) for use in (True, False)]
    assert made[0].equal(made[1]) and made[0].shape[1] > S


@torch.no_grad()
def test_a_classification_head_is_trained_and_exchanged_with_a_prompt(tmp_path):
    def stock() -> hf.LlamaForSequenceClassification:
        torch.manual_seed(5)
        config = hf.LlamaConfig(**FAMILIES["llama"].tiny, num_labels=3)
        return hf.LlamaForSequenceClassification(config).double().eval()

    deltas = unidelta.inject(stock(), "prompt", budget=L)
    assert sorted(deltas.trained) == ["model.deltas.prompt.vectors", "score.weight"]
    assert deltas.n_trained == count(deltas.design, architecture_of_model(stock())).trained == L * 12 + 3 * 12
    ids, other = text()["input_ids"], stock()
    vectors, embed = deltas.model.model.deltas.prompt.vectors, other.get_input_embeddings()
    embedded = torch.cat([vectors.expand(3, -1, -1), embed(ids)], dim=1)
    found = deltas.model(input_ids=ids).logits
    torch.testing.assert_close(found, other(inputs_embeds=embedded).logits, rtol=0, atol=1e-12)
    deltas.model.score.weight += 1.0
    unidelta.export(deltas.model, tmp_path / "out", to="peft")
    again = unidelta.import_(tmp_path / "out", other, source="peft")
    assert again.design == deltas.design
    torch.testing.assert_close(other(input_ids=ids).logits, deltas.model(input_ids=ids).logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("n_new", [1, L, L + 1, 12])
@torch.no_grad()
def test_a_cache_with_the_prompt_is_not_continued_wrongly(injected, n_new, padding):
    """`generate` leaves out as many tokens of the text as the cache holds, prompt and all."""
    model, inputs = injected("prompt", "llama").model, text(padding=padding)
    made = model.generate(**inputs, max_new_tokens=4, min_new_tokens=4, return_dict_in_generate=True)
    longer = nn.functional.pad(made.sequences, (0, n_new), value=5)
    mask = nn.functional.pad(inputs["attention_mask"], (0, longer.shape[1] - S), value=1)
    with pytest.raises(DesignError, match=f"leaves out {L} tokens"):
        model.generate(longer, attention_mask=mask, **{CACHE: made.past_key_values}, max_new_tokens=2)


def test_what_a_prompt_does_not_fit_into_is_refused(injected):
    model, inputs = injected("prompt", "llama").model, text()
    with pytest.raises(DesignError, match="a cache of fixed size"):
        model(**inputs, **{CACHE: StaticCache(config=model.config, max_cache_len=20)})
    with pytest.raises(DesignError, match="before padding alone"):
        model(**inputs | {"attention_mask": torch.tensor([[1] * S, [0] * S, [1] * S])})
    with pytest.raises(DesignError, match="a mask of queries and keys"):
        model(input_ids=inputs["input_ids"], attention_mask=torch.ones(3, 1, S, S, dtype=torch.bool))
