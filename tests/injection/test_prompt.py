"""Prompt tuning: l vectors in the encoder only, without positions, attended to by every position of both stacks."""

import math

import pytest
import torch
from torch.nn import functional as F

FAMILIES = ("bart", "mbart", "marian", "pegasus")


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_tokens_keep_their_positions_and_the_prompt_has_none(injected, batch, family):
    model = injected("prompt", family).model.double()
    encoder, ids = model.get_encoder(), batch(family)["input_ids"]
    states = encoder(input_ids=ids, output_hidden_states=True).hidden_states
    assert states[0].shape == (5, 4 + 7, 12)
    scale = math.sqrt(12) if model.config.scale_embedding else 1.0
    tokens = encoder.embed_tokens.weight[ids] * scale
    first = 2 if family in ("bart", "mbart") else 0  # the learned tables start at 2
    positions = encoder.embed_positions.weight[first : first + 7]
    prompt = encoder.deltas.prompt.vectors.expand(5, -1, -1)
    expected = torch.cat([prompt, tokens + positions], dim=1)
    if family in ("bart", "mbart"):
        norm = encoder.layernorm_embedding
        expected = F.layer_norm(expected, (12,), norm.weight, norm.bias, norm.eps)
    torch.testing.assert_close(states[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_input_ids_and_input_embeddings_are_the_same(injected, batch, family):
    model = injected("prompt", family).model.double()
    inputs = batch(family, padded=True)
    ids = inputs.pop("input_ids")
    by_ids = model(input_ids=ids, **inputs).logits
    scale = math.sqrt(12) if family in ("marian", "pegasus") and model.config.scale_embedding else 1.0
    by_embeddings = model(inputs_embeds=model.get_encoder().embed_tokens(ids) * scale, **inputs).logits
    assert by_ids.equal(by_embeddings)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_without_a_mask_and_with_a_mask_of_ones_are_the_same(injected, batch, family):
    model = injected("prompt", family).model.double()
    inputs = batch(family)
    masked = model(**inputs).logits
    del inputs["attention_mask"]
    torch.testing.assert_close(model(**inputs).logits, masked, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_padded_source_gives_the_logits_of_the_unpadded_one(injected, batch, family):
    model = injected("prompt", family).model.double()
    inputs = batch(family, padded=True)
    target = inputs.pop("labels")
    padded = model(**inputs, decoder_input_ids=target).logits[1]
    alone = model(input_ids=inputs["input_ids"][1:2, :4], decoder_input_ids=target[1:2]).logits[0]
    torch.testing.assert_close(padded, alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_every_prompt_vector_moves_the_logits_and_the_decoder_has_no_prompt(injected, batch, family):
    model = injected("prompt", family).model.double()
    inputs = batch(family, padded=True)
    plain = model(**inputs).logits
    assert plain.shape[1] == 6
    vectors = model.get_encoder().deltas.prompt.vectors
    for i in range(4):
        before = vectors[i].clone()
        vectors[i, 0] += 1.0
        assert (model(**inputs).logits - plain).abs().amax(dim=(1, 2)).min() > 1e-6
        vectors[i] = before
    assert not [name for name, _ in model.get_decoder().named_parameters() if "prompt" in name]


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_source_as_long_as_the_position_table_still_fits(injected, batch, family):
    model = injected("prompt", family).model
    ids = torch.randint(3, 41, (2, 40), generator=torch.Generator().manual_seed(0))
    target = batch(family)["labels"][:2]
    assert torch.isfinite(model(input_ids=ids, labels=target).logits).all()
    generated = model.generate(input_ids=ids, max_new_tokens=5, num_beams=2, early_stopping=False)
    assert generated.shape[0] == 2
