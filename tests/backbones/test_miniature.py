"""The shipped backbones: intact, small, of the stock classes, and they know the world."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

from unidelta.backbones.loading import Loading
from unidelta.backbones.miniature import load_miniature
from unidelta.backbones.shipped import BACKBONES, checked_weights, world_of
from unidelta.errors import BackboneError, DataError, UserError
from unidelta.mini.miniature import MINIATURES
from unidelta.mini.pretraining.curves import draw_curves
from unidelta.mini.pretraining.objective import objective_of
from unidelta.mini.pretraining.warm_start import begin_with_bart
from unidelta.mini.settings import settings
from unidelta.run.prepare import prepare

from ..composed import composed

HEADS = {"llama": hf.LlamaForSequenceClassification, "roberta": hf.RobertaForSequenceClassification}
CLASSES = {
    "bart": hf.BartForConditionalGeneration,
    "llama": hf.LlamaForCausalLM,
    "mbart": hf.MBartForConditionalGeneration,
    "roberta": hf.RobertaForSequenceClassification,
}


@pytest.mark.parametrize("family", MINIATURES)
def test_a_backbone_is_small_whole_and_of_the_real_class(family: str):
    weights = checked_weights(BACKBONES / family)
    assert weights.stat().st_size <= 4_000_000
    assert {tensor.dtype for tensor in load_file(weights).values()} == {torch.float16}
    model, _ = load_miniature(BACKBONES / family, family, Loading(seed=0))
    assert type(model) is CLASSES[family]
    if family in HEADS:
        classifier, _ = load_miniature(BACKBONES / family, family, Loading(seed=0, n_labels=3))
        assert type(classifier) is HEADS[family] and classifier.config.num_labels == 3
        shared = dict(classifier.named_parameters()).keys() & (own := dict(model.named_parameters())).keys()
        assert shared >= {name for name in own if "layer" in name}
        assert all(
            torch.equal(own[name], classifier.get_parameter(name)) for name in shared if "classifier" not in name
        )
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (BACKBONES / family / "README.md").read_text(encoding="utf-8").startswith(f"# mini-{family}\n")


@pytest.mark.parametrize("family", MINIATURES)
def test_the_settings_known_without_torch_are_those_of_the_weights(family: str):
    stated = json.loads((BACKBONES / family / "config.json").read_text(encoding="utf-8"))
    expected = settings(family)
    assert {key: stated[key] for key in expected} == expected
    assert world_of(BACKBONES / family) == 0


@pytest.mark.parametrize("family", ["bart", "mbart"])
def test_a_backbone_knows_the_world(family: str):
    model, _ = load_miniature(BACKBONES / family, family, Loading(seed=0))
    objective = objective_of(family, seed=0)
    found = objective.probe(model)
    assert found.keys() == objective.questions().keys()
    assert min(found.values()) > 0.9
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.05)
    assert max(objective.probe(model).values()) < 0.3  # a random model does not


def test_roberta_knows_the_world_what_is_praise_and_how_to_compare():
    # Tasks give it a head of their own; the probes ask the one it was pretrained with.
    model = hf.RobertaForMaskedLM.from_pretrained(BACKBONES / "roberta", dtype=torch.float32)
    found = objective_of("roberta", seed=0).probe(model)
    assert min(found[name] for name in ("people", "cities", "things", "deeds", "qualities", "polarity")) > 0.9
    assert min(found["judgements"], found["claims"]) > 0.9


def test_llama_knows_the_world():
    model, _ = load_miniature(BACKBONES / "llama", "llama", Loading(seed=0))
    found = objective_of("llama", seed=0).probe(model)
    assert found.keys() == {*objective_of("llama", seed=0).questions(), "polarity", "judgements", "claims"}
    facts = ("people", "cities", "things", "deeds", "qualities", "verbs of translations")
    assert min(found[name] for name in facts) > 0.9
    assert min(found["judgements"], found["claims"]) > 0.55  # of two, and of three; the others know more


def test_llama_reads_lines_and_ends_no_text():
    _, words = load_miniature(BACKBONES / "llama", "llama", Loading(seed=0))
    assert words.decode(words("the city\nun\n")["input_ids"]) == "<s> the city </s> un </s>"
    assert words.decode(words("the city")["input_ids"]) == "<s> the city"


def test_a_checkpoint_folder_loads_in_transformers_alone(tmp_path: Path):
    ours, words = load_miniature(BACKBONES / "bart", "bart", Loading(seed=0))
    theirs = hf.AutoModelForSeq2SeqLM.from_pretrained(BACKBONES / "bart", dtype=torch.float32).eval()
    batch = words(["the city was new ."], return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(ours(**batch).logits, theirs(**batch).logits, rtol=0, atol=0)


def test_special_tokens_and_pairs_are_laid_out_as_in_the_real_checkpoints():
    _, words = load_miniature(BACKBONES / "roberta", "roberta", Loading(seed=0, n_labels=2))
    assert words.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, 4]
    assert words.decode(words("the city", "a firm")["input_ids"]) == "<s> the city </s> </s> a firm </s>"


def test_mbart_text_ends_in_its_language_and_labels_shift_to_start_with_it():
    model, words = load_miniature(BACKBONES / "mbart", "mbart", Loading(seed=0))
    ids = words("the", text_target="un")
    assert words.decode(ids["input_ids"]) == "the </s> en_XX"
    assert words.decode(ids["labels"]) == "un </s> ro_RO"
    assert words.decode(words("the")["input_ids"]) == "the </s> en_XX"  # back in input mode
    shifted = model.prepare_decoder_input_ids_from_labels(torch.tensor([ids["labels"]]))
    assert words.decode(shifted[0]) == "ro_RO un </s>"
    assert shifted[0, 0] == model.config.decoder_start_token_id


def test_drawing_a_head_leaves_the_global_generator_alone_and_follows_the_seed():
    before = torch.get_rng_state()
    heads = [
        load_miniature(BACKBONES / "roberta", "roberta", Loading(seed=seed, n_labels=3))[0].classifier.out_proj.weight
        for seed in (1, 1, 2)
    ]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BACKBONES / "bart", tmp_path / "bart"))


def test_altered_and_missing_weights_are_refused(own: Path):
    weights = own / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(BackboneError, match="the file was altered"):
        load_miniature(own, "bart", Loading(seed=0))
    weights.unlink()
    with pytest.raises(BackboneError, match="there is no such file"):
        load_miniature(own, "bart", Loading(seed=0))
    (own / "provenance.json").write_text("{")
    with pytest.raises(BackboneError, match=r"provenance\.json is missing or cannot be read"):
        checked_weights(own)


def test_another_family_has_no_miniature():
    with pytest.raises(DataError, match="bart, llama, mbart, roberta"):
        settings("bert")
    for words in ("task=sst2 backbone=bert", "task=xsum backbone=gpt2", "task=xsum backbone=pegasus"):
        with pytest.raises(UserError, match="a miniature of the family") as refusal:
            prepare(composed(words.split()))
        assert "Problem 2" not in str(refusal.value) and "scale=paper" in refusal.value.instead


def test_rows_of_a_world_the_backbone_may_have_seen_are_refused(own: Path):
    with pytest.raises(UserError, match="pretrained on world 0") as caught:
        prepare(composed(["mini.seed=3"]))
    assert "pretrain bart --world 3" in str(caught.value)
    about = json.loads((own / "provenance.json").read_text())
    (own / "provenance.json").write_text(json.dumps({**about, "world_seed": 3}))
    assert prepare(composed(["mini.seed=3", f"backbone.checkpoint={own}"])).task.world == 3
    with pytest.raises(UserError, match="pretrained on world 3"):
        prepare(composed([f"backbone.checkpoint={own}"]))
    with pytest.raises(UserError, match="reads no rows of the miniature"):
        prepare(composed(["mini.seed=3", "scale=paper"]))


def test_the_picture_in_the_docs_is_drawn_from_the_curves_beside_the_weights(tmp_path: Path) -> None:
    draw_curves(tmp_path / "curves.svg")
    there = Path(__file__).parents[2] / "docs" / "images" / "mini-pretraining.svg"
    assert there.read_bytes() == (tmp_path / "curves.svg").read_bytes()


def test_a_roberta_begins_with_barts_encoder():
    """With as many layers it is the same function; of another world, or wider, it keeps its own weights."""
    bart, words = load_miniature(BACKBONES / "bart", "bart", Loading(seed=0))
    values = {**settings("roberta"), "num_hidden_layers": bart.config.encoder_layers, "layer_norm_eps": 1e-5}
    values.pop("model_type")
    roberta = hf.RobertaForMaskedLM(hf.RobertaConfig(**values)).eval()
    with torch.no_grad():
        roberta.roberta.embeddings.token_type_embeddings.weight.zero_()  # BART has none
    before = {name: tensor.clone() for name, tensor in roberta.state_dict().items()}
    begin_with_bart(roberta, world_seed=3)
    assert all(torch.equal(tensor, before[name]) for name, tensor in roberta.state_dict().items())
    begin_with_bart(roberta, world_seed=0)
    batch = words(["the city was new .", "they said it was a city"], return_tensors="pt", padding=True)
    with torch.no_grad():
        theirs = bart.get_encoder()(**batch).last_hidden_state
        ours = roberta.roberta(**batch).last_hidden_state
    kept = batch["attention_mask"].bool()
    torch.testing.assert_close(ours[kept], theirs[kept], rtol=1e-4, atol=1e-4)
