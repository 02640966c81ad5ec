"""LoReFT at some tokens of the source, against stock modules with hooks that edit the same tokens by the formula."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlamaForSequenceClassification, PreTrainedModel

import unidelta
from unidelta.design.family import FAMILIES
from unidelta.design.spec import Deltas
from unidelta.errors import DesignError, Problems
from unidelta.hosts.cache import CACHE
from unidelta.injection.injection import Injection
from unidelta.training.recomputing import recompute_activations

from .conftest import EVERY_FAMILY

CLOSE = {"rtol": 0, "atol": 1e-12}
DECODERS = ("llama", "gpt2", "gemma3_text", "qwen3")
CHOICES = {"first:2": (2, 0), "last:3": (0, 3), "first:1+last:2": (1, 2), "first:9+last:1": (9, 1)}
LENGTHS = (7, 4, 1, 6, 2)  # of the sources of a batch


def put(tiny, family: str, tokens: str = "first:1+last:2", **axes) -> Injection:
    axes = {"budget": 3, "seed": 0, **axes}
    deltas = unidelta.inject(tiny(family).double(), "loreft", tokens=tokens, **axes)
    generator = torch.Generator().manual_seed(3)
    for _, parameter in deltas.trained_parameters():
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return deltas


def padded(batch, family: str, *, on_left: bool) -> dict[str, Tensor]:
    inputs = {key: value.clone() for key, value in batch(family).items()}
    for row, length in enumerate(LENGTHS):
        text = inputs["input_ids"][row, :length].clone()
        own = slice(7 - length, 7) if on_left else slice(0, length)
        for key, filler in (("input_ids", 1), ("attention_mask", 0)):
            inputs[key][row] = filler
        inputs["input_ids"][row, own], inputs["attention_mask"][row, own] = text, 1
    if FAMILIES[family].kind == "decoder":
        inputs["labels"] = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    return inputs


def edited(mask: Tensor, choice: tuple[int, int]) -> Tensor:
    """Which tokens are edited, counted one row after another."""
    found = torch.zeros_like(mask, dtype=torch.bool)
    for row, real in enumerate(mask):
        places = real.nonzero().flatten().tolist()
        for place in {*places[: choice[0]], *places[max(0, len(places) - choice[1]) :]}:
            found[row, place] = True
    return found


def layers_of(model: PreTrainedModel, family: str) -> list[nn.Module]:
    stack = model.get_encoder() if FAMILIES[family].kind == "encoder-decoder" else model.base_model
    stack = getattr(stack, "encoder", stack)
    return list(next(getattr(stack, name) for name in ("layers", "layer", "block", "h") if hasattr(stack, name)))


def by_hand(tiny, family: str, deltas: Injection, mask: Tensor) -> PreTrainedModel:
    """The stock model, whose layers are edited at `mask` `(B, T)` in the columns that they are called with."""
    model = tiny(family).double()
    model.load_state_dict({key: t for key, t in deltas.model.state_dict().items() if ".deltas." not in key})
    forms = [module for module in deltas.model.modules() if type(module).__name__ == "TiedOrthogonal"]
    assert len(forms) == len(layers_of(model, family))

    def hook(form: nn.Module):
        q, r = torch.linalg.qr(form.basis.detach().T)
        rows = (q * r.diagonal().sign()).T

        def change(module: nn.Module, args: tuple, output):
            h = output[0] if isinstance(output, tuple) else output
            new = h + (h @ form.source.weight.T + form.source.bias - h @ rows.T) @ rows
            h = torch.where(mask[:, : h.shape[1], None], new, h)
            return (h, *output[1:]) if isinstance(output, tuple) else h

        return change

    for layer, form in zip(layers_of(model, family), forms, strict=True):
        layer.register_forward_hook(hook(form))
    return model


@pytest.mark.parametrize("on_left", [False, True])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_the_tokens_chosen_are_edited_wherever_padding_is(tiny, batch, family, on_left):
    """Half of the choices with each side, the other half in the next family."""
    inputs, is_decoder = padded(batch, family, on_left=on_left), FAMILIES[family].kind == "decoder"
    mask = inputs["attention_mask"].clone()
    if is_decoder and not on_left:
        mask[0, 5:] = mask[3, 3:] = 0  # the target
    source = {"source_mask": mask} if is_decoder else {}
    half = ([*FAMILIES].index(family) + on_left) % 2
    for tokens, choice in [*CHOICES.items()][half::2]:
        deltas = put(tiny, family, tokens)
        ours, stock = deltas.model(**inputs, **source), tiny(family).double()(**inputs)
        expected = by_hand(tiny, family, deltas, edited(mask, choice))(**inputs)
        real = inputs["attention_mask"].bool() if is_decoder else ...
        torch.testing.assert_close(ours.logits[real], expected.logits[real], **CLOSE)
        torch.testing.assert_close(ours.loss, expected.loss, **CLOSE)
        assert (ours.logits - stock.logits).abs().max() > 0.01
        ours.loss.backward()
        assert all(parameter.grad is not None for _, parameter in deltas.trained_parameters())


@pytest.mark.parametrize("family", DECODERS)
def test_a_cached_generation_edits_the_prompt_alone_as_teacher_forcing_does(tiny, batch, family):
    deltas, inputs = put(tiny, family), padded(batch, family, on_left=True)
    inputs.pop("labels")
    kept = {"output_logits": True, "return_dict_in_generate": True}
    found = deltas.model.generate(**inputs, max_new_tokens=5, min_new_tokens=5, do_sample=False, **kept)
    text = {
        "input_ids": found.sequences[:, :-1],
        "attention_mask": nn.functional.pad(inputs["attention_mask"], (0, 4), value=1),
    }
    positions = (text["attention_mask"].cumsum(1) - 1).clamp(min=0)
    prompt = inputs["attention_mask"]
    forced = deltas.model(**text, position_ids=positions, source_mask=prompt).logits
    assert (torch.stack(found.logits, dim=1) - forced[:, -5:]).abs().max() < 1e-5  # `generate` returns float32
    is_edited = nn.functional.pad(edited(prompt, (1, 2)), (0, 4))
    expected = by_hand(tiny, family, deltas, is_edited)(**text, position_ids=positions).logits
    torch.testing.assert_close(forced[:, -5:], expected[:, -5:], **CLOSE)
    cache, parts = DynamicCache(config=deltas.model.config), []  # in pieces that end within the prompt and behind it
    for begin, end in ((0, 3), (3, 9), (9, 11)):
        piece = {"input_ids": text["input_ids"][:, begin:end], "position_ids": positions[:, begin:end]}
        mask = text["attention_mask"][:, :end]
        parts.append(deltas.model(**piece, attention_mask=mask, **{CACHE: cache}, source_mask=prompt).logits)
    torch.testing.assert_close(torch.cat(parts, 1)[:, -5:], expected[:, -5:], **CLOSE)


@pytest.mark.parametrize("family", ["bart", "t5"])
def test_a_decoder_behind_an_encoder_is_never_edited(tiny, batch, family):
    deltas, inputs = put(tiny, family), padded(batch, family, on_left=False)
    assert all("encoder" in name and "decoder" not in name for name in deltas.trained)
    assert deltas.n_trained == deltas.counts().trained
    inputs.pop("labels")
    kept = {"output_logits": True, "return_dict_in_generate": True}
    found = deltas.model.generate(**inputs, max_new_tokens=4, min_new_tokens=4, do_sample=False, num_beams=1, **kept)
    forced = deltas.model(**inputs, decoder_input_ids=found.sequences[:, :-1]).logits
    raw = torch.stack(found.logits, dim=1)
    assert (raw - forced[:, -raw.shape[1] :]).abs().max() < 1e-5


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_text_that_does_not_say_where_its_prompt_ends_is_refused(tiny, batch, family):
    model, inputs = put(tiny, family).model, batch(family)
    with pytest.raises(DesignError, match="source_mask"):
        model(**inputs)
    cache = DynamicCache(config=model.config)
    model(inputs["input_ids"], **{CACHE: cache})
    with pytest.raises(DesignError, match="source_mask"):
        model(inputs["input_ids"][:, :2], **{CACHE: cache})
    with pytest.raises(DesignError, match="source_mask"):
        model.generate(inputs["input_ids"], max_new_tokens=2, use_cache=False)


def test_a_mask_is_found_where_it_is_given_by_position(tiny, batch):
    inputs = padded(batch, "roberta", on_left=False)
    model = put(tiny, "roberta", "last:2").model.roberta
    named = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
    assert model(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state.equal(named)


@pytest.mark.parametrize("family", ["roberta", "bart", "llama", "modernbert"])
def test_copies_checkpoints_and_files_edit_the_same_tokens(tiny, batch, family, tmp_path):
    deltas, inputs = put(tiny, family), padded(batch, family, on_left=False)
    inputs |= {"source_mask": inputs["attention_mask"]} if family == "llama" else {}
    output = deltas.model(**inputs)
    output.loss.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in deltas.trained_parameters()}
    assert deepcopy(deltas.model)(**inputs).logits.equal(output.logits)
    deltas.save(tmp_path)
    assert unidelta.load(tmp_path, tiny(family).double())(**inputs).logits.equal(output.logits)
    deltas.model.zero_grad()
    recompute_activations(deltas.model.train(), is_on=True)
    deltas.model.enable_input_require_grads()
    loss = deltas.model(**inputs).loss
    deltas.model(**{**inputs, "attention_mask": torch.ones_like(inputs["attention_mask"])})  # before the first is done
    loss.backward()
    for name, parameter in deltas.trained_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], rtol=0, atol=1e-10)


def test_all_tokens_are_the_design_that_always_was(tiny):
    """And two spellings of one choice are one design."""
    designs = {
        tokens: unidelta.design(tiny("llama"), "loreft", tokens=tokens)
        for tokens in ("all", "last:4+first:2", "first:2+last:4")
    }
    assert designs["last:4+first:2"] == designs["first:2+last:4"] != designs["all"]
    assert designs["all"] == unidelta.design(tiny("llama"), "loreft")


@pytest.mark.parametrize(
    "tokens", ["some", "first:0", "first:2+first:3", "last:2first:1", "first:2last:1", "+last:1", ""]
)
def test_a_choice_that_cannot_be_read_is_refused(tiny, tokens):
    with pytest.raises(Problems, match="tokens are all"):
        put(tiny, "bart", tokens)


@pytest.mark.parametrize("method", ["adapter", "adapter_pfeiffer", "lora", "prefix", "mam", "dora", "unipelt", "full"])
def test_every_other_method_refuses_tokens(tiny, method):
    with pytest.raises(Problems, match="tokens"):
        unidelta.inject(tiny("bart"), method, tokens="first:4")


def test_inside_of_a_layer_tokens_are_refused(tiny):
    design = unidelta.design(tiny("bart"), "loreft", tokens="first:4", budget=3)
    inside = replace(design.parts[0], representation="sublayer")
    with pytest.raises(Problems, match="the output of whole layers"):
        unidelta.inject(tiny("bart"), Deltas(parts=(inside,)))
    with pytest.raises(Problems, match="no stack of this backbone is that deep"):  # the decoder's third is no encoder's
        put(tiny, "bart", layers="2")


@pytest.mark.parametrize("on_left", [False, True])
def test_a_decoder_that_classifies_reads_nothing_but_a_source(tiny, batch, on_left):
    inputs, config = padded(batch, "llama", on_left=on_left), tiny("llama").config
    labels = torch.tensor([1, 0, 1, 1, 0])
    model = LlamaForSequenceClassification(config).double().eval()
    stock = deepcopy(model)
    unidelta.inject(model, "loreft", tokens="last:1", budget=3, layers="last:1")
    output = model(**{**inputs, "labels": labels})
    last = edited(inputs["attention_mask"], (0, 1))
    form = next(module for module in model.modules() if type(module).__name__ == "TiedOrthogonal")
    stock.score.load_state_dict(model.score.state_dict())
    stock.model.layers[-1].register_forward_hook(lambda _, args, h: torch.where(last[..., None], h + form(h), h))
    torch.testing.assert_close(output.logits, stock(**{**inputs, "labels": labels}).logits, **CLOSE)
