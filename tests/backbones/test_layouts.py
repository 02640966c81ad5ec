"""Checkpoints as people have them, tiny and with random weights: loaded with equal values, or refused by name."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sentencepiece
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.local import Local
from unidelta.design.architecture import Architecture
from unidelta.errors import BackboneError
from unidelta.mini.tokenizer import tokenizer

N_WORDS = len(tokenizer("bart", seed=0))
IDS = {"vocab_size": N_WORDS, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
STACK = {"d_model": 16, "max_position_embeddings": 32, "encoder_layers": 1, "decoder_layers": 1}
STACK |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}
ENCODER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
ENCODER |= {"max_position_embeddings": 40}
LABELS = ("entailment", "neutral", "contradiction")


def random_model(kind: str, **more: object) -> hf.PreTrainedModel:
    """A model of a class of transformers, e.g. `BartModel`."""
    torch.manual_seed(5)
    made = getattr(hf, kind)
    sizes = STACK if "Bart" in kind else ENCODER
    return made(made.config_class(**IDS, **sizes, **more)).eval()


def saved(model: hf.PreTrainedModel, folder: Path, **how: object) -> Path:
    """A folder with a model and a tokenizer of as many words as it has embeddings."""
    model.save_pretrained(folder, **how)
    tokenizer("bart", seed=0).save_pretrained(folder)
    return folder


@pytest.fixture
def load(bart_large: Architecture, roberta_base: Architecture) -> Callable[..., LoadedBackbone]:
    """What a run does with a folder: first it is looked at, then it is loaded."""

    def from_folder(folder: Path, **how: object) -> LoadedBackbone:
        family = json.loads((folder / "config.json").read_text())["model_type"]
        weights = Local(family=family, typed=str(folder))
        is_encoder = family in ("bert", "roberta")
        weights.architecture(roberta_base if is_encoder else bart_large)
        return weights.load(Loading(seed=3, n_labels=3 if is_encoder else 0, **how))

    return from_folder


def same(found: LoadedBackbone, model: hf.PreTrainedModel) -> bool:
    """Whether all pretrained values are those of the model that was saved."""
    prefix = found.model.base_model_prefix
    theirs = getattr(model, prefix, model).state_dict()
    ours = getattr(found.model, prefix).state_dict()
    return all(
        tensor.equal(theirs[name].float()) for name, tensor in ours.items() if f"{prefix}.{name}" not in found.new
    )


@dataclass(frozen=True)
class Layout:
    """A checkpoint that loads: its class, how it is saved, and modules that start new."""

    kind: str
    new: tuple[str, ...] = ()
    shard: str = "5GB"
    dtype: torch.dtype = torch.float32


HEAD = ("classifier.dense", "classifier.out_proj")
LAYOUTS = {
    "one file": Layout("BartForConditionalGeneration"),
    "shards": Layout("BartForConditionalGeneration", shard="20KB"),
    "without the language model's head": Layout("BartModel"),
    "mBART": Layout("MBartForConditionalGeneration"),
    "half precision": Layout("MBartForConditionalGeneration", dtype=torch.float16),
    "brain floats in shards": Layout("RobertaForMaskedLM", new=HEAD, shard="20KB", dtype=torch.bfloat16),
    "RoBERTa without a head": Layout("RobertaModel", new=HEAD),
    "RoBERTa as a masked language model": Layout("RobertaForMaskedLM", new=HEAD),
    "BERT with its pooler": Layout("BertModel", new=("classifier",)),
    "BERT with both pretraining heads": Layout("BertForPreTraining", new=("classifier",)),
    "BERT as a masked language model, without a pooler": Layout(
        "BertForMaskedLM", new=("bert.pooler.dense", "classifier")
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_loaded_with_equal_values(name: str, load, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    model = random_model(layout.kind).to(layout.dtype)
    folder = saved(model, tmp_path, max_shard_size=layout.shard)
    assert (len(list(folder.glob("*.safetensors"))) > 1) == (layout.shard != "5GB")
    found = load(folder)
    assert same(found, model)
    assert {p.dtype for p in found.model.parameters()} == {torch.float32}
    assert {each.rpartition(".")[0] for each in found.new} == set(layout.new)
    assert found.inherited is None
    again = load(folder)
    assert all(p.equal(q) for p, q in zip(found.model.parameters(), again.model.parameters(), strict=True))


def stored(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


COPIES = {
    "BartForConditionalGeneration": (
        "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight",
        "lm_head.weight",
    ),
    "BartModel": ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight"),
    "MBartForConditionalGeneration": ("lm_head.weight",),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_the_embedding_are_one_where_they_are_equal(kind: str, load, tmp_path: Path) -> None:
    folder = saved(random_model(kind), tmp_path)
    shared = next(tensor for name, tensor in stored(folder).items() if name.endswith("shared.weight"))
    written = {**stored(folder), **{name: shared.clone() for name in COPIES[kind]}}
    save_file(written, folder / "model.safetensors", metadata={"format": "pt"})
    model = load(folder).model
    assert model.lm_head.weight is model.get_input_embeddings().weight
    assert model.get_input_embeddings().weight.equal(shared)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in COPIES.items() for name in names])
def test_copies_of_the_embedding_that_differ_are_refused_by_name(kind: str, name: str, load, tmp_path: Path) -> None:
    folder = saved(random_model(kind), tmp_path)
    written = stored(folder)
    other = next(tensor for key, tensor in written.items() if key.endswith("shared.weight")).clone()
    other[7, :3] += 0.25
    save_file({**written, name: other}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackboneError) as refusal:
        load(folder)
    assert name in refusal.value.why and f"in 3 of {other.numel():,}" in refusal.value.why


def test_a_model_that_ties_nothing_is_refused(load, tmp_path: Path) -> None:
    folder = saved(random_model("BartForConditionalGeneration", tie_word_embeddings=False), tmp_path)
    with pytest.raises(BackboneError, match="not tied"):
        load(folder)


def broken(folder: Path, how: str) -> Path:
    """A good folder, made wrong in one way."""
    (folder / "tokenizer.json").touch()
    if how == "pickled weights":
        torch.save(stored(folder), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    if how in ("no tokenizer", "half a tokenizer"):
        for file in folder.glob("tokenizer*"):
            file.unlink()
    if how == "half a tokenizer":
        (folder / "vocab.json").write_text("{}")
    if how in ("a part too few", "no index"):
        model = hf.BartForConditionalGeneration.from_pretrained(folder)
        (folder / "model.safetensors").unlink()
        model.save_pretrained(folder, max_shard_size="20KB")
        sorted(folder.glob("model-*.safetensors"))[-1].unlink()
    if how == "no index":
        (folder / "model.safetensors.index.json").write_text("{")
    if how == "a tensor too few":
        tensors = {name: tensor for name, tensor in stored(folder).items() if "layers.0.fc1.weight" not in name}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    if how == "not finite":
        tensors = {name: tensor / 0 for name, tensor in stored(folder).items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize(
    ("how", "why", "instead"),
    [
        ("pickled weights", "no safetensors file", "model.save_pretrained(DIR) and tokenizer.save_pretrained(DIR)"),
        ("no tokenizer", "it has no tokenizer", "tokenizer.save_pretrained(DIR)"),
        ("half a tokenizer", "vocab.json without merges.txt", "tokenizer.save_pretrained(DIR)"),
        ("a part too few", "index.json names files that are not there: model-0000", "all files of one download"),
        ("no index", "index.json is no index of weights", "all files of one download"),
        ("a tensor too few", "layers.0.fc1.weight", "fit its config.json"),
        ("not finite", "not finite", "an undamaged checkpoint"),
    ],
)
def test_what_is_missing_or_damaged_is_refused_by_name(how, why, instead, load, tmp_path: Path) -> None:
    folder = broken(saved(random_model("BartForConditionalGeneration"), tmp_path), how)
    with pytest.raises(BackboneError) as refusal:
        load(folder)
    assert why in refusal.value.why and instead in refusal.value.instead


@pytest.mark.parametrize(
    ("content", "said"),
    [("{}", "KeyError"), ("[1]", "TypeError"), ('{"added_tokens": [], "model": {}}', "ModelUntagged"), ('"', "JSON")],
)
def test_a_tokenizer_that_is_none_is_refused_as_one(content: str, said: str, load, tmp_path: Path) -> None:
    folder = saved(random_model("RobertaModel"), tmp_path)
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(BackboneError) as refusal:
        load(folder)
    assert refusal.value.why.startswith("its tokenizer cannot be read (") and said in refusal.value.why
    assert refusal.value.instead.endswith("and a tokenizer")


@pytest.mark.parametrize("kind", ["BartForConditionalGeneration", "RobertaModel"])
@pytest.mark.parametrize("n_embeddings", [N_WORDS // 2, 3 * N_WORDS])
def test_a_tokenizer_of_another_model_is_refused_with_both_numbers(kind, n_embeddings, load, tmp_path: Path) -> None:
    model = random_model(kind)
    model.resize_token_embeddings(n_embeddings)
    folder = saved(model, tmp_path)
    with pytest.raises(BackboneError) as refusal:
        load(folder)
    assert f"{N_WORDS:,}" in refusal.value.why and f"{n_embeddings:,}" in refusal.value.why


def test_embeddings_that_are_padded_to_a_round_number_are_a_tokenizers_own(load, tmp_path: Path) -> None:
    model = random_model("BartForConditionalGeneration")
    model.resize_token_embeddings(N_WORDS, pad_to_multiple_of=64)
    assert same(load(saved(model, tmp_path)), model)


def test_an_empty_tokenizer_is_refused_wherever_it_comes_from(load, tmp_path: Path) -> None:
    """What transformers makes of no files, written down as files."""
    model = random_model("BertModel")
    folder = saved(model, tmp_path / "a")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    hf.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    with pytest.raises(BackboneError, match="special tokens and no other"):
        load(folder)


def test_sentencepiece_alone_is_a_tokenizer(load, tmp_path: Path) -> None:
    texts = [f"{a}{b} {b}{c}" for a in "rain" for b in "bridge" for c in "harbour"]
    with (tmp_path / "sentencepiece.bpe.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=file, vocab_size=25, minloglevel=2
        )
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "sentencepiece.bpe.model"))
    words = hf.AutoTokenizer.from_pretrained(mbart_folder(tmp_path, 25))
    model = mbart_folder(tmp_path, len(words))
    found = load(model)
    text = texts[40]
    assert found.tokenizer.tokenize(text) == pieces.encode(text, out_type=str)
    assert found.tokenizer.unk_token_id not in found.tokenizer(text)["input_ids"]


def mbart_folder(folder: Path, n_embeddings: int) -> Path:
    ids = {**IDS, "vocab_size": n_embeddings}
    hf.MBartForConditionalGeneration(hf.MBartConfig(**ids, **STACK)).save_pretrained(folder)
    return folder
