"""torch.compile sees an injected model as one graph without breaks, in evaluation and in training."""

import pytest
import torch

CASES = [("prefix", "bart"), ("prefix_gated_norm", "bart"), ("multihead", "bart"), ("parallel_both", "bart")]
CASES += [("lora_attn", "bart"), ("prompt", "bart"), ("mam", "mbart"), ("mam", "bert"), ("pfeiffer", "roberta")]


def breaks(model, inputs: dict) -> tuple[int, int]:
    """Numbers of graphs and of graph breaks of a forward, traced afresh."""
    torch._dynamo.reset()
    explained = torch._dynamo.explain(model)(**inputs)
    return explained.graph_count, explained.graph_break_count


def test_one_layer_with_a_prefix_and_an_adapter_is_one_graph(injected, batch):
    """The fast one: tracing costs seconds per layer; the slow tests below take whole models."""
    model = injected("mam", "roberta", dropout=0.1).model
    del model.base_model.encoder.layer[1:]
    assert breaks(model.train(), batch("roberta", padded=True)) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "family"), CASES)
def test_a_whole_model_is_one_graph(injected, batch, name, family):
    for is_training in (False, True):
        model = injected(name, family, dropout=0.1).model.train(is_training)
        assert breaks(model, batch(family, padded=True)) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "family"), [("mam", "bart"), ("prefix_gated_norm", "roberta"), ("prompt", "mbart")])
def test_the_compiled_forward_computes_the_same(injected, batch, name, family):
    inputs = batch(family, padded=True)
    model = injected(name, family).model
    torch._dynamo.reset()
    found, expected = torch.compile(model, backend="aot_eager")(**inputs), model(**inputs)
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-5)
    found.loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
