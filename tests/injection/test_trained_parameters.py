"""Exactly the parameters of the design train: by name, by gradient, by number."""

import pytest
import torch
import transformers
from transformers import AutoConfig

from unidelta.design.family import FAMILIES as KNOWN
from unidelta.design.spec import BitFit, FullFineTuning, LinearProbe
from unidelta.errors import Problems
from unidelta.injection.inject import inject

ALL = (
    "prefix prefix_direct prefix_additive prefix_gated_norm prefix_additive_norm multihead multihead_direct "
    "adapter_attn adapter_ffn pfeiffer pfeiffer_paper parallel_attn parallel_attn_paper parallel_ffn "
    "parallel_ffn_paper parallel_ffn_norm_out scaled_ffn learned_scale_ffn lora_attn lora_ffn lora_sequential "
    "houlsby parallel_both mam prefix_lora"
).split()
SEQ2SEQ = ("bart", "mbart")
FAMILIES = ("bart", "mbart", "roberta", "bert")
BIASED = ("down.weight", "down.bias", "up.weight", "up.bias")
NORM = ("weight", "bias")


def attention_hosts(family: str, roberta_module: str) -> list[tuple[str, str]]:
    """(module, kind) of every attention of the tiny models: 2 encoder and 3 decoder layers, or 2 layers."""
    if family in SEQ2SEQ:
        hosts = [(f"model.encoder.layers.{i}.self_attn", "encoder_self") for i in range(2)]
        for i in range(3):
            hosts.append((f"model.decoder.layers.{i}.self_attn", "decoder_self"))
            hosts.append((f"model.decoder.layers.{i}.encoder_attn", "decoder_cross"))
        return hosts
    return [(f"{family}.encoder.layer.{i}.attention.{roberta_module}", "encoder_self") for i in range(2)]


def ffn_hosts(family: str) -> list[str]:
    if family in SEQ2SEQ:
        return [f"model.encoder.layers.{i}" for i in range(2)] + [f"model.decoder.layers.{i}" for i in range(3)]
    return [f"{family}.encoder.layer.{i}.output" for i in range(2)]


def lora_hosts(family: str, slot: str) -> list[str]:
    if family in SEQ2SEQ:
        if slot == "attn":
            return [f"{host}.{name}" for host, _ in attention_hosts(family, "") for name in ("q_proj", "v_proj")]
        return [f"{host}.{name}" for host in ffn_hosts(family) for name in ("fc1", "fc2")]
    layers = [f"{family}.encoder.layer.{i}" for i in range(2)]
    names = (
        ("attention.self.query", "attention.self.value") if slot == "attn" else ("intermediate.dense", "output.dense")
    )
    return [f"{layer}.{name}" for layer in layers for name in names]


def mlp_names(family: str) -> set[str]:
    stacks = (
        {"encoder_self": "model.encoder", "decoder_self": "model.decoder", "decoder_cross": "model.decoder"}
        if family in SEQ2SEQ
        else {"encoder_self": f"{family}.encoder"}
    )
    leaves = ("embedding", "hidden.weight", "hidden.bias", "output.weight", "output.bias")
    return {f"{stack}.deltas.prefix_mlp_{kind}.{leaf}" for kind, stack in stacks.items() for leaf in leaves}


def expected(name: str, family: str) -> set[str]:
    """The names that a design trains, from the shapes of the equations and the released conventions."""
    heads = [f"{host}.deltas.heads.form" for host, _ in attention_hosts(family, "self")]
    direct = {f"{host}.prefix.{leaf}" for host in heads for leaf in ("key", "value")}
    query_norm = {f"{host}.query_norm.{leaf}" for host in heads for leaf in NORM}
    attention = {
        "sublayer": [f"{host}.deltas.sublayer" for host, _ in attention_hosts(family, "output")],
        "concat": [f"{host}.deltas.concat" for host, _ in attention_hosts(family, "self")],
    }
    ffn = {kind: [f"{host}.deltas.{kind}" for host in ffn_hosts(family)] for kind in ("sublayer", "residual")}
    ffn["layer"] = [f"{host.removesuffix('.output')}.deltas.layer" for host in ffn_hosts(family)]

    def adapters(hosts: list[str], leaves: tuple[str, ...] = BIASED, norm: str = "") -> set[str]:
        names = {f"{host}.form.{leaf}" for host in hosts for leaf in leaves}
        return names | {f"{host}.{norm}.{leaf}" for host in hosts for leaf in NORM if norm}

    def lora(slot: str) -> set[str]:
        return {f"{host}.deltas.linear.form.{leaf}" for host in lora_hosts(family, slot) for leaf in ("down", "up")}

    no_bias = ("down.weight", "up.weight")
    scales = {f"{host}.deltas.linear.compose.learned_scale" for host in lora_hosts(family, "attn")}
    sets = {
        "prefix": mlp_names(family),
        "prefix_direct": direct,
        "prefix_additive": direct,
        "prefix_gated_norm": mlp_names(family) | query_norm,
        "prefix_additive_norm": direct | query_norm,
        # BART's multi-head adapter has a layer norm of its own, mBART's and RoBERTa's read the query as it is
        "multihead": mlp_names(family) | (query_norm if family == "bart" else set()),
        "multihead_direct": direct | (query_norm if family == "bart" else set()),
        "adapter_attn": adapters(attention["sublayer"], norm="form.norm"),
        "adapter_ffn": adapters(ffn["sublayer"]),
        "pfeiffer": adapters(ffn["layer" if family == "mbart" else "residual"]),
        "pfeiffer_paper": adapters(ffn["layer"], no_bias),
        "parallel_attn": adapters(attention["concat"], norm="form.norm"),
        "parallel_attn_paper": adapters(attention["sublayer"], no_bias),
        "parallel_ffn": adapters(ffn["sublayer"]),
        "parallel_ffn_paper": adapters(ffn["sublayer"], no_bias),
        "parallel_ffn_norm_out": adapters(ffn["sublayer"], norm="compose.norm"),
        "scaled_ffn": adapters(ffn["sublayer"]),
        "learned_scale_ffn": adapters(ffn["sublayer"]) | {f"{host}.compose.learned_scale" for host in ffn["sublayer"]},
        "lora_attn": lora("attn"),
        "lora_ffn": lora("ffn"),
        "lora_sequential": lora("attn") | scales,
    }
    sets["houlsby"] = sets["adapter_attn"] | sets["adapter_ffn"]
    sets["parallel_both"] = sets["parallel_attn"] | sets["parallel_ffn"]
    sets["mam"] = sets["prefix"] | sets["scaled_ffn"]
    sets["prefix_lora"] = sets["prefix"] | sets["lora_ffn"]
    return sets[name]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ALL)
def test_exactly_the_named_parameters_train_and_each_gets_a_gradient(injected, batch, name, family):
    injection = injected(name, family)
    assert len(injection.trained) == len(set(injection.trained))
    assert set(injection.trained) == expected(name, family)
    injection.model(**batch(family)).loss.backward()
    parameters = dict(injection.model.named_parameters())
    assert {key for key, p in parameters.items() if p.requires_grad} == set(injection.trained)
    assert {key for key, p in parameters.items() if p.grad is not None} == set(injection.trained)
    assert [key for key in injection.trained if not parameters[key].grad.abs().sum() > 0] == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "name", "prefix prefix_gated_norm adapter_attn pfeiffer parallel_attn prefix_lora houlsby bitfit full".split()
)
def test_base_weights_keep_their_names_order_and_values(tiny, injected, name, family):
    stock = tiny(family).state_dict()
    state = injected(name, family, stirred=False).model.state_dict()
    assert [key for key in state if key in stock] == list(stock)
    for key, tensor in stock.items():
        assert state[key].equal(tensor), key
    added = state.keys() - stock.keys()
    assert all(".deltas." in key or ".prefix_mlp_" in key for key in added)
    if name in ("bitfit", "full"):
        assert not added


@pytest.mark.parametrize("family", SEQ2SEQ)
def test_a_prompt_trains_its_vectors_alone(injected, batch, family):
    injection = injected("prompt", family)
    assert injection.trained == ("model.encoder.deltas.prompt.vectors",)
    injection.model(**batch(family)).loss.backward()
    grads = {key for key, p in injection.model.named_parameters() if p.grad is not None}
    assert grads == set(injection.trained)


@pytest.mark.parametrize("family", FAMILIES)
def test_bitfit_trains_every_bias_and_nothing_else(tiny, injected, batch, family):
    biases = {key for key, _ in tiny(family).named_parameters() if key.rsplit(".", 1)[1] == "bias"}
    injection = injected("bitfit", family, stirred=False)
    assert set(injection.trained) == biases
    injection.model(**batch(family)).loss.backward()
    assert {key for key, p in injection.model.named_parameters() if p.grad is not None} == biases


@pytest.mark.parametrize("family", FAMILIES)
def test_full_fine_tuning_trains_every_parameter(tiny, injected, family):
    injection = injected("full", family, stirred=False)
    assert set(injection.trained) == {key for key, _ in tiny(family).named_parameters()}


@pytest.mark.parametrize(("family", "head"), [("roberta", 4), ("bert", 2)])
def test_a_trained_head_is_the_classifier_and_only_where_there_is_one(tiny, family, head):
    model = tiny(family)
    trained = inject(model, BitFit(trains_head=True), generator=torch.Generator()).trained
    weights = {key for key in trained if not key.endswith("bias")}
    assert weights == {
        key for key in dict(model.named_parameters()) if key.startswith("classifier") and "weight" in key
    }
    assert sum(key.startswith("classifier") for key in trained) == head
    seq2seq = inject(tiny("bart"), BitFit(trains_head=True), generator=torch.Generator())
    assert all(key.endswith("bias") for key in seq2seq.trained)


OTHER_CLASSES = (
    "Qwen2ForTokenClassification Qwen2ForQuestionAnswering GPT2ForQuestionAnswering BertForMultipleChoice "
    "XLMRobertaForCausalLM ElectraForTokenClassification ModernBertForMaskedLM MBartForQuestionAnswering BertModel"
).split()


def counted_and_there(model, design) -> tuple[int, int, int, int]:
    """What the counts say of a design and of a model, each followed by the elements that there are."""
    n_backbone = sum(parameter.numel() for parameter in model.parameters())
    deltas = inject(model, design, generator=torch.Generator())
    n_trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return deltas.counts().trained, n_trained, deltas.counts().backbone, n_backbone


def made(name: str, **settings):
    family = getattr(transformers, name).config_class.model_type
    config = AutoConfig.for_model(family, **{**KNOWN[family].tiny, "num_labels": 5, **settings})
    return getattr(transformers, name)(config)


@pytest.mark.parametrize("name", OTHER_CLASSES)
@pytest.mark.parametrize("design", [BitFit(), BitFit(trains_head=True), LinearProbe(), FullFineTuning()])
def test_counts_are_those_of_a_class_with_another_head_or_none(name, design):
    trained, n_trained, backbone, n_backbone = counted_and_there(made(name), design)
    assert (trained, backbone) == (n_trained, n_backbone)


def test_counts_are_those_of_a_head_that_is_no_linear_map():
    model = made("BertForSequenceClassification")
    model.classifier = torch.nn.Sequential(torch.nn.LayerNorm(12), torch.nn.Linear(12, 5))
    trained, n_trained, backbone, n_backbone = counted_and_there(model, LinearProbe())
    assert (trained, backbone) == (n_trained, n_backbone) == (2 * 12 + 13 * 5, n_backbone)


@pytest.mark.parametrize("name", ["MistralForTokenClassification", "LlamaForQuestionAnswering"])
def test_biases_of_a_head_alone_are_not_enough_for_bitfit(name):
    with pytest.raises(Problems, match="its maps and norms have no biases, so nothing would train"):
        inject(made(name), BitFit(), generator=torch.Generator())
