"""Low-rank updates fitted to other deltas: the error is that of the singular values left out, and what is reported."""

import numpy as np
import pytest
import torch

import unidelta
from unidelta.errors import ExchangeError
from unidelta.exchange.approximate import row_error

from .cases import PEFT, design_of, ia3, logits, lora, moved, part, stock

CASES = {
    "oft": PEFT["bart"]["oft"],
    "dora": PEFT["bart"]["dora"],
    "learned": (lora("attn", "query", composition="learned_scale", scale=1.0),),
    "inner": (lora("ffn", "inner", insertion="sequential"),),
}


@pytest.mark.parametrize("name", CASES)
def test_the_error_is_that_of_the_singular_values_left_out(name, tmp_path):
    deltas, plain = moved(stock("bart"), design_of("bart", CASES[name])), stock("bart")
    expected = logits(deltas.model, "bart")
    fit = unidelta.export(deltas.model, tmp_path / "rank1", to="peft", rank=1)
    assert logits(deltas.model, "bart").equal(expected)
    other = stock("bart")
    fitted = unidelta.import_(tmp_path / "rank1", other, source="peft")
    deltas.merge(), fitted.merge()
    kept = whole = 0.0
    for key, weight in plain.named_parameters():
        change = (deltas.model.get_parameter(key) - weight).detach().numpy()
        if not key.endswith("weight") or not np.abs(change).max():
            continue
        values = np.linalg.svd(change, compute_uv=False)
        left = (deltas.model.get_parameter(key) - other.get_parameter(key)).detach().numpy()
        np.testing.assert_allclose(np.linalg.norm(left), np.linalg.norm(values[1:]), atol=1e-12)
        kept, whole = kept + values[0] ** 2, whole + (values**2).sum()
    assert whole and fit.kept == pytest.approx(kept / whole) and fit.rank == 1


def test_at_full_rank_nothing_is_lost_and_rows_say_so(tmp_path):
    deltas = moved(stock("llama"), design_of("llama", (ia3("attn", "key"), ia3("ffn", "inner"))))
    fit = unidelta.export(deltas.model, tmp_path / "lora", to="peft", rank=8)
    assert (fit.n_biases, fit.n_maps) == (0, 4) and "keeps 100.00 %" in str(fit)
    other = stock("llama")
    unidelta.import_(tmp_path / "lora", other, source="peft")
    torch.testing.assert_close(logits(other.eval(), "llama"), logits(deltas.model, "llama"), rtol=0, atol=1e-6)

    def tokens(text: str, **_: object) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.tensor([[3 + ord(letter) % 20 for letter in text]])}

    same = row_error(deltas.model, other, tokens, ["some text", "more"])
    assert same.n_tokens == 13 and same.same == 1 and same.largest < 1e-6
    without = row_error(deltas.model, stock("llama"), tokens, ["some text", "more"])
    assert without.largest > 0.1 and without.same < 1


def test_biases_that_change_are_counted():
    deltas = moved(stock("bart"), design_of("bart", (ia3("attn", "key"),)))
    from unidelta.exchange.approximate import approximated

    _, fit = approximated(deltas, 8, asked="")
    assert fit.n_biases == 3 * 8 and "24 biases change too" in str(fit)


def test_what_is_no_change_of_weights_has_no_low_rank_update(tmp_path):
    deltas = moved(stock("bart"), design_of("bart", (lora("attn", "query"), part("ffn", "bottleneck"))))
    with pytest.raises(ExchangeError, match="is not a change of weights"):
        unidelta.export(deltas.model, tmp_path / "out", to="peft", rank=2)
    assert [*tmp_path.iterdir()] == []
