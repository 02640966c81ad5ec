"""One arithmetic for teacher forcing, cached decoding and `generate`, under both attention implementations."""

import pytest
import torch
from transformers import DynamicCache, EncoderDecoderCache, StaticCache

from unidelta.hosts.cache import CACHE

NAMES = (
    "prefix prefix_additive prefix_gated_norm prefix_additive_norm multihead parallel_attn mam prompt "
    "lora_attn pfeiffer"
).split()
# every design on BART; on mBART, whose code differs in its layers only, the ones that touch those
CASES = [(name, "bart") for name in NAMES]
CASES += [(name, "mbart") for name in ("prefix", "prefix_gated_norm", "multihead", "parallel_attn", "prompt")]
# T5's biases of relative positions are numbered by what the cache holds
CASES += [(name, "t5") for name in ("prefix", "prefix_gated_norm", "prompt", "mam")]
T = 6

pytestmark = pytest.mark.usefixtures("no_float32")


def sources(batch: dict) -> dict:
    return {key: batch[key] for key in ("input_ids", "attention_mask")}


def decoder_ids() -> torch.Tensor:
    ids = torch.randint(3, 41, (5, T), generator=torch.Generator().manual_seed(9))
    ids[:, 0] = 2
    return ids


def step_by_step(model, inputs: dict, ids: torch.Tensor, cache: EncoderDecoderCache) -> torch.Tensor:
    """Logits of every position, from a model that sees one target token at a time."""
    encoded = model.get_encoder()(**inputs)
    steps = [
        model(
            encoder_outputs=encoded,
            attention_mask=inputs["attention_mask"],
            decoder_input_ids=ids[:, t : t + 1],
            **{CACHE: cache},
            use_cache=True,
        ).logits
        for t in range(ids.shape[1])
    ]
    return torch.cat(steps, dim=1)


def dynamic(model) -> EncoderDecoderCache:
    return EncoderDecoderCache(DynamicCache(config=model.config), DynamicCache(config=model.config))


@pytest.mark.parametrize(("name", "family"), CASES)
@torch.no_grad()
def test_teacher_forcing_cached_steps_and_both_attentions_agree(injected, batch, name, family):
    for is_padded in (False, True):
        inputs = sources(batch(family, padded=is_padded))
        logits = {}
        for attention in ("sdpa", "eager"):
            model = injected(name, family, attention=attention).model.double()
            logits[attention] = model(**inputs, decoder_input_ids=decoder_ids()).logits
            stepped = step_by_step(model, inputs, decoder_ids(), dynamic(model))
            torch.testing.assert_close(stepped, logits[attention], rtol=0, atol=1e-12)
        torch.testing.assert_close(logits["sdpa"], logits["eager"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "family"), CASES)
@torch.no_grad()
def test_generate_scores_are_the_teacher_forced_logits(injected, batch, name, family):
    model = injected(name, family).model
    inputs = sources(batch(family, padded=True))
    found = model.generate(
        **inputs, max_new_tokens=6, min_new_tokens=6, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    forced = model(**inputs, decoder_input_ids=found.sequences[:, :-1]).logits
    torch.testing.assert_close(torch.stack(found.logits, dim=1), forced, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *(("prefix", "bart"), ("prefix_gated_norm", "bart"), ("multihead", "bart"), ("prompt", "bart")),
        *(("mam", "mbart"), ("prompt", "t5"), ("mam", "t5")),
    ],
)
@torch.no_grad()
def test_generation_is_the_same_with_any_cache_and_any_number_of_beams(injected, batch, name, family):
    model = injected(name, family).model
    inputs = sources(batch(family, padded=True))
    for beams in (1, 3):
        settings = {"num_beams": beams, "max_new_tokens": 7, "do_sample": False, "early_stopping": False}
        cached = model.generate(**inputs, **settings)
        assert cached.equal(model.generate(**inputs, **settings, use_cache=False)), "no cache"
        static = model.generate(**inputs, **settings, cache_implementation="static", disable_compile=True)
        assert cached.equal(static), "static cache"


@pytest.mark.parametrize("family", ["bart", "mbart"])
@pytest.mark.parametrize("name", ["prefix_gated_norm", "multihead", "mam"])
@torch.no_grad()
def test_a_static_cache_is_filled_one_token_at_a_time(injected, batch, name, family):
    model = injected(name, family).model.double()
    inputs = sources(batch(family))
    cache = EncoderDecoderCache(
        StaticCache(config=model.config, max_cache_len=12), StaticCache(config=model.config, max_cache_len=7)
    )
    forced = model(**inputs, decoder_input_ids=decoder_ids()).logits
    torch.testing.assert_close(step_by_step(model, inputs, decoder_ids(), cache), forced, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", ["bart", "mbart"])
@pytest.mark.parametrize(
    "name",
    [
        "prefix",
        "prefix_gated_norm",
        "mam",
        *("prefix_additive", "multihead", "lora_attn"),
    ],
)
@torch.no_grad()
def test_a_static_cache_is_filled_with_several_tokens_at_once(injected, batch, name, family):
    model = injected(name, family).model.double()
    inputs = sources(batch(family))
    forced = model(**inputs, decoder_input_ids=decoder_ids()).logits
    cache = EncoderDecoderCache(
        StaticCache(config=model.config, max_cache_len=12), StaticCache(config=model.config, max_cache_len=7)
    )
    encoded = model.get_encoder()(**inputs)
    mask = inputs["attention_mask"]
    parts = [
        model(
            encoder_outputs=encoded,
            attention_mask=mask,
            decoder_input_ids=ids,
            **{CACHE: cache},
            use_cache=True,
        ).logits
        for ids in (decoder_ids()[:, :4], decoder_ids()[:, 4:])
    ]
    torch.testing.assert_close(torch.cat(parts, dim=1), forced, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", ["bart", "mbart"])
@pytest.mark.parametrize("name", ["prefix", "prefix_gated_norm", "multihead", "prompt"])
@torch.no_grad()
def test_a_decoder_mask_of_ones_is_no_mask_and_padding_on_the_right_hides_only_itself(injected, batch, name, family):
    inputs = sources(batch(family))
    ids, ones = decoder_ids(), torch.ones(5, T, dtype=torch.long)
    for attention in ("sdpa", "eager"):
        model = injected(name, family, attention=attention).model.double()
        plain = model(**inputs, decoder_input_ids=ids).logits
        masked = model(**inputs, decoder_input_ids=ids, decoder_attention_mask=ones).logits
        torch.testing.assert_close(masked, plain, rtol=0, atol=1e-12)
        right = ones.clone()
        right[2, 4:] = 0
        short = model(**inputs, decoder_input_ids=ids, decoder_attention_mask=right).logits
        torch.testing.assert_close(short[2, :4], plain[2, :4], rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", ["roberta", "bert", "modernbert"])
@pytest.mark.parametrize(
    "name", ["prefix", "prefix_gated_norm", "prefix_additive_norm", "multihead", "parallel_attn", "mam"]
)
@torch.no_grad()
def test_encoders_agree_under_both_attentions_and_ignore_padding(injected, batch, name, family):
    logits = {}
    for attention in ("sdpa", "eager"):
        model = injected(name, family, attention=attention).model.double()
        inputs = sources(batch(family, padded=True))
        logits[attention] = model(**inputs).logits
        alone = model(input_ids=inputs["input_ids"][1:2, :4]).logits
        torch.testing.assert_close(logits[attention][1:2], alone, rtol=0, atol=1e-12)
    torch.testing.assert_close(logits["sdpa"], logits["eager"], rtol=0, atol=1e-12)
