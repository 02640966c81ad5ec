"""A target token affects its own and every later position, and no earlier one.

A prefix in front of the keys shifts a causal mask that is aligned to the top left; then each position loses
the last l target tokens, itself included. So the second half is as important as the first.
"""

import pytest
import torch

NAMES = (
    "prefix prefix_direct prefix_additive prefix_gated_norm prefix_additive_norm multihead adapter_attn "
    "parallel_attn parallel_attn_paper mam prompt lora_attn pfeiffer"
).split()
T = 8  # longer than the six prefix vectors


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", ["bart", "mbart"])
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_target_token_moves_every_logit_from_its_position_on_and_none_before(
    injected, batch, name, family, attention
):
    model = injected(name, family, attention=attention).model.double()
    inputs = {key: batch(family)[key][:1] for key in ("input_ids", "attention_mask")}
    encoded = model.get_encoder()(**inputs)
    ids = torch.randint(3, 40, (1, T), generator=torch.Generator().manual_seed(4)).repeat(T + 1, 1)
    for t in range(T):
        ids[t, t] += 1  # row t differs from the last row at position t
    hidden = encoded.last_hidden_state.expand(T + 1, -1, -1)
    logits = model(
        encoder_outputs=(hidden,), attention_mask=inputs["attention_mask"].expand(T + 1, -1), decoder_input_ids=ids
    ).logits
    moved = (logits[:T] - logits[T]).abs().amax(-1)  # (changed token, position)
    position = torch.arange(T)
    is_later = position[None, :] >= position[:, None]
    assert moved[~is_later].max() < 1e-12
    assert moved[is_later].min() > 1e-7


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", ["bart", "mbart"])
@pytest.mark.parametrize("name", ["prefix", "prefix_gated_norm", "multihead", "mam", "prompt"])
@torch.no_grad()
def test_every_target_position_sees_every_source_token_and_no_padding(injected, batch, name, family, attention):
    model = injected(name, family, attention=attention).model.double()
    ids = torch.randint(3, 40, (1, 7), generator=torch.Generator().manual_seed(6)).repeat(8, 1)
    for s in range(7):
        ids[s, s] += 1
    mask = torch.ones(8, 7, dtype=torch.long)
    mask[:, 5:] = 0
    target = torch.randint(3, 40, (1, T), generator=torch.Generator().manual_seed(7)).expand(8, -1)
    logits = model(input_ids=ids, attention_mask=mask, decoder_input_ids=target).logits
    moved = (logits[:7] - logits[7]).abs().amax(-1)
    assert moved[:5].min() > 1e-7
    assert moved[5:].max() < 1e-12
