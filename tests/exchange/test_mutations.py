"""Folders that were changed after they were written: each is refused, or still says the same."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import unidelta
from unidelta.errors import UserError

from .cases import ADAPTERS, PEFT, design_of, logits, moved, stock
from .golden import backbone, golden

EXPORTS = [
    ("peft", "bart", "lora_everywhere"),
    ("peft", "roberta", "ia3"),
    ("peft", "llama", "prefix"),
    ("adapters", "bart", "houlsby"),
    ("adapters", "roberta", "mam"),
    ("adapters", "bart", "lora"),
]


def tensors_changed(change: Callable[[dict, str, random.Random], object]) -> Callable[[Path, random.Random], None]:
    """A change of the tensors of a safetensors file, whose metadata stay."""

    def mutate(folder: Path, rng: random.Random) -> None:
        path = rng.choice(sorted(folder.glob("*.safetensors")))
        with safe_open(path, "pt") as file:
            metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        change(tensors, rng.choice(sorted(tensors)), rng)
        save_file(tensors, path, metadata)

    return mutate


def transpose(tensors: dict, name: str, rng: random.Random) -> None:
    name = rng.choice([name for name, tensor in tensors.items() if tensor.dim() == 2])
    tensors[name] = tensors[name].T.contiguous()


def swap(tensors: dict, name: str, rng: random.Random) -> None:
    other = rng.choice(sorted(tensors))
    tensors[name], tensors[other] = tensors[other], tensors[name]


def nudge(tensors: dict, name: str, rng: random.Random) -> None:
    tensors[name].view(-1)[rng.randrange(tensors[name].numel())] += 2.0**-40


def cut(folder: Path, rng: random.Random) -> None:
    path = rng.choice(sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")]))
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def flip(folder: Path, rng: random.Random) -> None:
    path = rng.choice(sorted(folder.glob("*.safetensors")))
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def change_json(folder: Path, rng: random.Random) -> None:
    path = rng.choice(sorted(folder.glob("*.json")))
    content = json.loads(path.read_text())
    key = rng.choice(sorted(content))
    content[key] = rng.choice([7, "other", None, [], {"a": 1}, not content[key]])
    path.write_text(json.dumps(content))


def lose_json_key(folder: Path, rng: random.Random) -> None:
    path = rng.choice(sorted(folder.glob("*.json")))
    content = json.loads(path.read_text())
    content.pop(rng.choice(sorted(content)))
    path.write_text(json.dumps(content))


MUTATIONS = {
    "cut": cut,
    "flipped bit": flip,
    "renamed": tensors_changed(lambda t, name, rng: t.update({name[:-1] + rng.choice("xyz"): t.pop(name)})),
    "missing": tensors_changed(lambda t, name, _: t.pop(name)),
    "extra": tensors_changed(lambda t, name, _: t.update({f"{name}.more": t[name].clone()})),
    "transposed": tensors_changed(transpose),
    "swapped": tensors_changed(swap),
    "other number": tensors_changed(nudge),
    "other dtype": tensors_changed(lambda t, name, rng: t.update({name: t[name].to(rng.choice(DTYPES))})),
    "all of other dtype": tensors_changed(lambda t, _, rng: convert(t, rng.choice(DTYPES))),
    "other JSON": change_json,
    "JSON without a key": lose_json_key,
}
DTYPES = (torch.float32, torch.bfloat16, torch.int64)


def convert(tensors: dict, dtype: torch.dtype) -> None:
    tensors |= {name: tensor.to(dtype) for name, tensor in tensors.items()}


def test_108_changed_folders_are_refused_or_say_the_same(tmp_path):
    rng, refused = random.Random(3), 0
    for library, family, name in EXPORTS:
        design = design_of(family, (PEFT if library == "peft" else ADAPTERS)[family][name])
        deltas, plain = moved(stock(family), design), stock(family)
        whole = tmp_path / f"{library}_{family}_{name}"
        unidelta.export(deltas.model, whole, to=library)
        expected, untouched = logits(deltas.model, family), {n: t.clone() for n, t in plain.state_dict().items()}
        for i, (kind, mutate) in enumerate([*MUTATIONS.items(), *MUTATIONS.items()][:18]):
            folder = Path(shutil.copytree(whole, tmp_path / f"{whole.name}_{i}"))
            mutate(folder, rng)
            try:
                loaded = unidelta.import_(folder, plain, source=library)
            except UserError:
                refused += 1
                assert all(tensor.equal(untouched[n]) for n, tensor in plain.state_dict().items()), kind
                continue
            torch.testing.assert_close(logits(plain.eval(), family), expected, rtol=0, atol=1e-12, msg=kind)
            loaded.remove()
            plain = stock(family)
    assert refused > 80


FAULTS = {  # of a folder that peft made, which has no mark: what is wrong is told by name
    "missing": (lambda t, c: t.pop("base_model.model.model.encoder.layers.0.self_attn.q_proj.lora_B.weight"), "lora_B"),
    "a module missing": (
        lambda t, c: [t.pop(name) for name in list(t) if "encoder.layers.0.self_attn.q_proj" in name],
        "encoder.layers.0.self_attn.q_proj has no tensors",
    ),
    "extra": (lambda t, c: t.update({"base_model.model.x": torch.ones(2)}), "base_model.model.x has no place"),
    "another rank": (lambda t, c: c.update(r=4), "says r=4"),
    "another size": (
        lambda t, c: t.update({name: tensor[:, :-1] for name, tensor in t.items() if "lora_A" in name}),
        "is 3×7, this backbone needs 3×8",
    ),
    "whole numbers": (lambda t, c: t.update({n: tensor.long() for n, tensor in t.items()}), "in int64"),
    "not finite": (lambda t, c: next(iter(t.values())).fill_(torch.inf), "not finite"),
    "a newer version": (lambda t, c: c.update(peft_version="0.31.0"), "it is of peft 0.31.0"),
    "no version": (lambda t, c: c.update(peft_version="dev"), "it is of peft dev"),
    "another method": (lambda t, c: c.update(peft_type="BOFT"), "peft_type BOFT is not read here"),
    "biases": (lambda t, c: c.update(bias="all"), "bias=all"),
    "an unknown key": (lambda t, c: c.update(layer_replication=[[0, 1]]), "layer_replication"),
    "PiSSA": (lambda t, c: c.update(init_lora_weights="pissa_niter_4"), "has changed the backbone"),
    "other modules": (lambda t, c: c.update(target_modules=["q_proj"]), "v_proj is not in target_modules"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_folder_of_peft_is_told_by_name(fault, tmp_path):
    change, told = FAULTS[fault]
    folder = golden("peft").write("theirs.bart.lora", tmp_path / "theirs")
    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    config = json.loads((folder / "adapter_config.json").read_text())
    change(tensors, config)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))
    model = backbone("bart")
    with pytest.raises(UserError, match=told):
        unidelta.import_(folder, model, source="peft")
    assert not any(".deltas." in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("library", ["peft", "adapters"])
def test_an_export_for_a_backbone_with_other_weights_is_refused(library, tmp_path):
    deltas = moved(stock("roberta"), design_of("roberta", PEFT["roberta"]["lora"]))
    unidelta.export(deltas.model, tmp_path / "out", to=library)
    other = stock("roberta")
    other.get_parameter("classifier.dense.weight").data += 1  # a head is part of what is exchanged
    unidelta.import_(tmp_path / "out", other, source=library)
    other = stock("roberta")
    other.get_parameter("roberta.encoder.layer.1.output.dense.bias").data[3] += 2.0**-30
    with pytest.raises(UserError, match="the backbone has other weights"):
        unidelta.import_(tmp_path / "out", other, source=library)


def test_a_folder_for_another_backbone_is_refused(tmp_path):
    folder = golden("peft").write("theirs.bart.lora", tmp_path / "peft")
    with pytest.raises(UserError, match="q_proj is not a module of this backbone"):
        unidelta.import_(folder, backbone("llama"), source="peft")
    folder = golden("adapters").write("theirs.bart.lora", tmp_path / "adapters")
    with pytest.raises(UserError, match="it is of a bart, the backbone is a roberta"):
        unidelta.import_(folder, backbone("roberta"), source="adapters")
