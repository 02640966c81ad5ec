"""The MLP behind a prefix: the layers' slices equal its full output, and its parameters exist once."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from unidelta.deltas.prompt import Prompt
from unidelta.deltas.reparam import DirectPrefix, PrefixMLP, ReparametrisedPrefix
from unidelta.fast.prefixes_once import every_layer

LENGTH, WIDTH, MID, LAYERS = 4, 6, 5, 3


def mlp(dropout: float = 0.0) -> PrefixMLP:
    widths = dict.fromkeys(range(LAYERS), (WIDTH, WIDTH))
    return PrefixMLP(LENGTH, WIDTH, MID, widths, dropout=dropout, generator=torch.Generator().manual_seed(0)).double()


def full_output(network: PrefixMLP) -> torch.Tensor:
    """(L, 2·layers, D) by one pass through ordinary linear maps: row 2i is the key of layer i, 2i + 1 its value."""
    plain = nn.Sequential(nn.Linear(WIDTH, MID), nn.Tanh(), nn.Linear(MID, 2 * LAYERS * WIDTH)).double()
    plain[0].load_state_dict(network.hidden.state_dict())
    plain[2].load_state_dict(network.output.state_dict())
    return plain(network.embedding).reshape(LENGTH, 2 * LAYERS, WIDTH)


@pytest.mark.parametrize("layer", range(LAYERS))
def test_a_layer_has_its_two_rows_of_the_full_output(layer):
    network = mlp()
    key, value = network(layer)
    expected = full_output(network)
    torch.testing.assert_close(key, expected[:, 2 * layer], rtol=0, atol=1e-14)
    torch.testing.assert_close(value, expected[:, 2 * layer + 1], rtol=0, atol=1e-14)


def test_all_layers_together_give_the_gradient_of_one_pass():
    network, other = mlp(), mlp()
    sum((key * (i + 1) + value * (i + 5)).sum() for i in range(LAYERS) for key, value in [network(i)]).backward()
    weights = torch.tensor([[i + 1, i + 5] for i in range(LAYERS)], dtype=torch.float64).reshape(-1)
    hidden = torch.tanh(other.hidden(other.embedding))
    rows = (hidden @ other.output.weight.T + other.output.bias).reshape(LENGTH, 2 * LAYERS, WIDTH)
    (rows * weights[None, :, None]).sum().backward()
    for ours, theirs in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)


def test_one_pass_for_all_layers_gives_the_same_vectors_and_gradients():
    network, other = mlp(), mlp()
    made = every_layer(network)
    assert list(made) == list(range(LAYERS))
    for layer in range(LAYERS):
        for ours, theirs in zip(made[layer], other(layer), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)
    sum(vectors.square().sum() for pair in made.values() for vectors in pair).backward()
    sum(vectors.square().sum() for i in range(LAYERS) for vectors in other(i)).backward()
    for ours, theirs in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)


def test_layers_of_other_widths_and_numbers_have_their_own_rows():
    widths = {0: (4, 4), 2: (2, 6), 5: (3, 3)}
    network = PrefixMLP(LENGTH, WIDTH, MID, widths, dropout=0.0, generator=torch.Generator().manual_seed(0)).double()
    hidden = torch.tanh(network.hidden(network.embedding))
    rows = hidden @ network.output.weight.T + network.output.bias
    for layer, (key, value) in {0: (rows[:, :4], rows[:, 4:8]), 5: (rows[:, 16:19], rows[:, 19:])}.items():
        for made in (network(layer), every_layer(network)[layer]):
            torch.testing.assert_close(made[0], key, rtol=0, atol=1e-14)
            torch.testing.assert_close(made[1], value, rtol=0, atol=1e-14)
    assert [vectors.shape[1] for vectors in network(2)] == [2, 6]


def test_a_view_has_no_parameters_and_follows_the_network():
    network = mlp()
    view = ReparametrisedPrefix(network, 1)
    assert list(view.parameters()) == []
    assert view.state_dict() == {}
    before = view()[0].clone()
    network.output.bias.data += 1.0
    torch.testing.assert_close(view()[0], before + 1.0, rtol=0, atol=1e-14)


def test_a_copied_pair_stays_a_pair():
    holder = nn.Module()
    holder.network = mlp()
    holder.view = ReparametrisedPrefix(holder.network, 2)
    copy = deepcopy(holder)
    copy.network.output.bias.data += 1.0
    torch.testing.assert_close(copy.view()[1], holder.view()[1] + 1.0, rtol=0, atol=1e-14)


def test_dropout_is_on_the_output_in_training_only():
    network = mlp(dropout=0.5)
    assert network.eval()(0)[0].equal(mlp()(0)[0])
    torch.manual_seed(0)
    key = network.train()(0)[0]
    is_dropped = key == 0
    assert 0 < is_dropped.sum() < key.numel()
    torch.testing.assert_close(key[~is_dropped], 2 * mlp()(0)[0][~is_dropped], rtol=0, atol=1e-14)


def test_free_vectors_are_given_as_they_are():
    prefix = DirectPrefix.drawn(LENGTH, (WIDTH, WIDTH), generator=torch.Generator())
    key, value = prefix()
    assert key is prefix.key and value is prefix.value
    assert key.shape == value.shape == (LENGTH, WIDTH)


def test_a_prompt_stands_in_front_of_embeddings_and_mask():
    prompt = Prompt(LENGTH, WIDTH, generator=torch.Generator())
    embeddings, mask = torch.randn(2, 3, WIDTH), torch.tensor([[1, 1, 0], [1, 0, 0]])
    longer = prompt.prepend(embeddings)
    assert longer[:, LENGTH:].equal(embeddings)
    assert all(row[:LENGTH].equal(prompt.vectors) for row in longer)
    assert prompt.prepend_mask(mask).tolist() == [[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 0]]
    assert prompt.prepend_mask(mask).dtype == mask.dtype
    assert prompt.prepend_mask(None) is None
    assert prompt.length == LENGTH
    assert prompt.prepend(embeddings.bfloat16()).dtype == torch.bfloat16
    assert prompt.prepend(torch.randn(0, 3, WIDTH)).shape == (0, LENGTH + 3, WIDTH)
