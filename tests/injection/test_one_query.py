"""Attention of one query against torch's fused one."""

import pytest
import torch
from torch.nn import functional as F

from unidelta.fast.attention import fast_attention
from unidelta.fast.one_query import one_query
from unidelta.hosts.attention import AttentionHost


@pytest.fixture
def attention(injected) -> AttentionHost:
    module = injected("parallel_attn_paper", "bart").model.get_encoder().layers[0].self_attn
    assert isinstance(module, AttentionHost)
    return module


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-6), (torch.float64, 1e-14), (torch.bfloat16, 1e-2)])
@pytest.mark.parametrize("masked", ["nothing", "bool", "float"])
def test_is_the_fused_attention(attention, dtype, atol, masked):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, n, 4, dtype=dtype, generator=generator) for n in (1, 7, 7))
    attended = torch.rand(2, 1, 1, 7, generator=generator) < 0.6
    attended[..., 0] = True
    as_float = torch.zeros(2, 1, 1, 7, dtype=dtype).masked_fill(~attended, torch.finfo(dtype).min)
    mask = {"nothing": None, "bool": attended, "float": as_float}[masked]
    found, _ = fast_attention(attention, query, key, value, mask, base=one_query, scaling=0.3)
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=0.3)
    torch.testing.assert_close(found, expected.transpose(1, 2), rtol=0, atol=atol)


@pytest.mark.parametrize("masked", ["bool", "float"])
def test_a_query_that_may_see_nothing_has_a_number(attention, masked):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(1, 3, n, 4, generator=generator) for n in (1, 5, 5))
    nothing = torch.zeros(1, 1, 1, 5, dtype=torch.bool)
    mask = nothing if masked == "bool" else torch.full((1, 1, 1, 5), torch.finfo(torch.float32).min)
    found, _ = fast_attention(attention, query, key, value, mask, base=one_query, scaling=0.3)
    assert found.isfinite().all()
