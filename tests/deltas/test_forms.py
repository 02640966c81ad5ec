"""The functional forms on vectors: the bottleneck of adapters, the low-rank map of LoRA, the diagonal of IA³."""

import pytest
import torch
from torch import nn

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.diagonal import Diagonal
from unidelta.deltas.low_rank import LowRank
from unidelta.design.axes import Init


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bottleneck(**changes) -> Bottleneck:
    settings = {"init": Init.BERT, "bias": True, "dropout": 0.0, "norm": None, "generator": seeded()}
    return Bottleneck((6, 4, 6), **{**settings, **changes}).double()


def low_rank(**changes) -> LowRank:
    settings = {"init": Init.BERT, "dropout": 0.0, "generator": seeded()}
    return LowRank(6, 5, 3, **{**settings, **changes}).double()


def random_z(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=seeded(1))


@pytest.mark.parametrize("has_bias", [False, True])
def test_a_bottleneck_is_two_maps_around_a_relu(has_bias):
    form, z = bottleneck(bias=has_bias), random_z(2, 3, 6)
    for parameter in form.parameters():
        parameter.data = torch.randn(parameter.shape, dtype=torch.float64, generator=seeded(2))
    expected = torch.zeros(2, 3, 6, dtype=torch.float64)
    for i in range(4):  # one unit of the bottleneck at a time
        unit = z @ form.down.weight[i] + (form.down.bias[i] if has_bias else 0)
        expected = expected + unit.clamp(min=0)[..., None] * form.up.weight[:, i]
    expected = expected + (form.up.bias if has_bias else 0)
    torch.testing.assert_close(form(z), expected, rtol=0, atol=1e-12)
    assert {name for name, _ in form.named_parameters()} == (
        {"down.weight", "down.bias", "up.weight", "up.bias"} if has_bias else {"down.weight", "up.weight"}
    )


def test_a_bottleneck_reads_through_its_layer_norm():
    form, z = bottleneck(norm=nn.LayerNorm(6)), 5 + 3 * random_z(2, 6)
    form.norm.weight.data, form.norm.bias.data = random_z(6), random_z(6) + 1
    standard = (z - z.mean(-1, keepdim=True)) / (z.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    plain = bottleneck()
    plain.load_state_dict({key: value for key, value in form.state_dict().items() if "norm" not in key})
    expected = plain(standard * form.norm.weight + form.norm.bias)
    torch.testing.assert_close(form(z), expected, rtol=0, atol=1e-12)


def test_a_low_rank_form_is_one_matrix_of_that_rank():
    form = low_rank()
    matrix = form(torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(matrix, (form.up @ form.down).T, rtol=0, atol=1e-15)
    assert torch.linalg.matrix_rank(matrix) == 3
    z = random_z(4, 6)
    torch.testing.assert_close(form(z), z @ matrix, rtol=0, atol=1e-14)


def test_bottleneck_dropout_acts_on_the_activations_and_in_training_only():
    form, z = bottleneck(dropout=0.5, bias=False), random_z(200, 6)
    assert form.eval()(z).equal(bottleneck(bias=False)(z))
    torch.manual_seed(0)
    dropped = form.train()(z)
    # each of the four activations is zeroed or doubled: 2⁴ possible outputs per row
    hidden = (z @ form.down.weight.T).clamp(min=0)
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 2.0], dtype=torch.float64)] * 4)
    possible = (hidden[:, None] * masks) @ form.up.weight.T
    assert ((dropped[:, None] - possible).abs().amax(-1).amin(-1) < 1e-12).all()
    assert not dropped.equal(form.eval()(z))


def test_low_rank_dropout_acts_on_what_is_read():
    form = low_rank(dropout=0.5)
    z = torch.ones(300, 6, dtype=torch.float64)
    assert form.eval()(z).equal(low_rank()(z))
    torch.manual_seed(0)
    dropped = form.train()(z)
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 2.0], dtype=torch.float64)] * 6)
    possible = masks @ form.down.T @ form.up.T
    assert ((dropped[:, None] - possible).abs().amax(-1).amin(-1) < 1e-12).all()
    assert len(torch.unique(dropped.round(decimals=10), dim=0)) > 20


def test_a_diagonal_multiplies_every_feature_and_begins_with_no_change():
    form, z = Diagonal(6, init=Init.ONES, bias=True, generator=seeded()).double(), random_z(2, 3, 6)
    assert (z + form(z)).equal(z)
    form.factors.data = random_z(6)
    expected = torch.stack([z[..., i] * form.factors[i] for i in range(6)], dim=-1)
    torch.testing.assert_close(z + form(z), expected, rtol=0, atol=1e-14)
    torch.testing.assert_close(z @ torch.diag(form.matrix()), form(z), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "form", [bottleneck(), low_rank(), Diagonal(6, init=Init.ONES, bias=True, generator=seeded()).double()]
)
def test_a_form_that_is_called_linear_is_its_matrix(form):
    if not form.is_linear:
        with pytest.raises(NotImplementedError):
            form.matrix()
        return
    z, matrix = random_z(4, 6), form.matrix()
    torch.testing.assert_close(form(z), z * matrix if matrix.dim() == 1 else z @ matrix.T, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(0, 6), (2, 0, 6), (6,), (2, 3, 4, 6)])
def test_forms_take_any_leading_shape_and_none(shape):
    assert bottleneck()(random_z(*shape)).shape == shape
    assert low_rank()(random_z(*shape)).shape == (*shape[:-1], 5)
    assert Diagonal(6, init=Init.ONES, bias=True, generator=seeded()).double()(random_z(*shape)).shape == shape
