"""The forms on attention heads, and the identity of Eq. 7–10 between prepended keys and a gate.

Shapes: B batch, H heads, T queries, E head width, L prefix length, S sequence length.
"""

import math

import pytest
import torch

from unidelta.deltas.compose import Gate
from unidelta.deltas.head_adapter import HeadAdapter
from unidelta.deltas.heads import HeadModule, per_query_head
from unidelta.deltas.prefix import Prefix
from unidelta.deltas.reparam import DirectPrefix

B, H, T, E, L, S = 2, 3, 4, 5, 6, 7


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def form(kind: type[HeadModule], *, scaling: float = 0.5, dropout: float = 0.0) -> HeadModule:
    prefix = DirectPrefix.drawn(L, (H * E, H * E), generator=torch.Generator().manual_seed(0)).double()
    prefix.key.data, prefix.value.data = random(L, H * E, seed=2), random(L, H * E, seed=3)
    return kind(prefix, H, H, scaling=scaling, dropout=dropout, query_norm=None)


def test_vectors_are_split_over_heads_by_columns():
    built = form(Prefix)
    key, value = built.keys_values()
    assert key.shape == value.shape == (H, L, E)
    for head in range(H):
        assert key[head].equal(built.prefix.key[:, head * E : (head + 1) * E])
        assert value[head].equal(built.prefix.value[:, head * E : (head + 1) * E])


@pytest.mark.parametrize("kind", [Prefix, HeadAdapter])
@pytest.mark.parametrize("scaling", [0.5, 1.0])
def test_each_query_weighs_the_value_vectors(kind, scaling):
    built, query = form(kind, scaling=scaling), random(B, H, T, E)
    found = built(query)
    for b, h, t in [(0, 0, 0), (1, 2, 3), (0, 1, 2)]:
        key = built.prefix.key.detach()[:, h * E : (h + 1) * E]
        value = built.prefix.value.detach()[:, h * E : (h + 1) * E]
        logits = [scaling * sum(query[b, h, t, e] * key[i, e] for e in range(E)) for i in range(L)]
        if kind is Prefix:
            total = sum(math.exp(logit) for logit in logits)
            weights = [math.exp(logit) / total for logit in logits]
        else:
            weights = [max(float(logit), 0.0) for logit in logits]
        expected = sum(weights[i] * value[i] for i in range(L))
        torch.testing.assert_close(found[b, h, t].detach(), expected, rtol=0, atol=1e-12)


def test_a_multi_head_adapter_of_the_query_is_an_adapter_of_the_input():
    """W_down = W_q P_kᵀ and W_up = P_v (§4.1): one ReLU bottleneck of width L per head."""
    built, x, w_q = form(HeadAdapter, scaling=1.0), random(B, T, 8), random(8, H * E, seed=5)
    query = (x @ w_q).reshape(B, T, H, E).transpose(1, 2)
    for head in range(H):
        columns = slice(head * E, (head + 1) * E)
        down = w_q[:, columns] @ built.prefix.key[:, columns].T
        expected = (x @ down).clamp(min=0) @ built.prefix.value[:, columns]
        torch.testing.assert_close(built(query)[:, head], expected, rtol=0, atol=1e-12)


def test_keys_and_values_in_front_are_a_gate_between_two_attentions():
    """softmax(q[P_k; K]ᵀ)[P_v; V] = (1−λ)·softmax(qKᵀ)V + λ·softmax(qP_kᵀ)P_v with λ from the normalisers."""
    built, query, key, value = form(Prefix), random(B, H, T, E), random(B, H, S, E, seed=6), random(B, H, S, E, seed=7)
    p_key, p_value = (p.expand(B, -1, -1, -1) for p in built.keys_values())
    logits = 0.5 * query @ torch.cat([p_key, key], dim=2).transpose(-1, -2)
    in_front = logits.softmax(-1) @ torch.cat([p_value, value], dim=2)
    p_mass, mass = logits[..., :L].exp().sum(-1, keepdim=True), logits[..., L:].exp().sum(-1, keepdim=True)
    gate = p_mass / (p_mass + mass)
    h = (0.5 * query @ key.transpose(-1, -2)).softmax(-1) @ value
    assert gate.min() > 0 and gate.max() < 1
    torch.testing.assert_close(Gate()(h, built(query), query, gate), in_front, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [Prefix, HeadAdapter])
def test_dropout_is_on_the_weights_of_the_vectors_in_training_only(kind):
    built, query = form(kind, dropout=0.5), random(B, H, T, E)
    assert built.eval()(query).equal(form(kind)(query))
    torch.manual_seed(0)
    assert not built.train()(query).equal(form(kind)(query))
    samples = torch.stack([built(query) for _ in range(3000)])
    gap = (samples.mean(0) - form(kind)(query)).abs()
    assert (gap < 5 * samples.std(0) / len(samples) ** 0.5).all()


@pytest.mark.parametrize("kind", [Prefix, HeadAdapter])
def test_no_queries_give_no_change(kind):
    assert form(kind)(random(B, H, 0, E)).shape == (B, H, 0, E)
    assert form(kind)(random(0, H, T, E)).shape == (0, H, T, E)


@pytest.mark.parametrize("kind", [Prefix, HeadAdapter])
def test_queries_of_a_group_share_its_vectors(kind):
    """With G = 1 and G = 3 heads of keys and values for H = 3 queries' heads: the latter with its vectors thrice."""
    key, value, query = random(L, E, seed=2), random(L, E, seed=3), random(B, H, T, E)
    grouped, plain = (
        kind(DirectPrefix(key.repeat(1, n), value.repeat(1, n)), H, n, scaling=0.5, dropout=0.0, query_norm=None)
        for n in (1, H)
    )
    assert grouped.keys_values()[0].shape == (1, L, E)
    torch.testing.assert_close(grouped(query), plain(query), rtol=0, atol=1e-15)
    groups = random(2, L, E)
    assert per_query_head(groups, 6).equal(groups[[0, 0, 0, 1, 1, 1]])


def test_the_base_form_has_no_weights_of_its_own():
    with pytest.raises(NotImplementedError):
        form(HeadModule)(random(B, H, T, E))
