"""Checkpoints of the authors' code, from the golden files: their weights, their names, their logits."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel

import unidelta
from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.family import FAMILIES
from unidelta.errors import UserError

GOLDEN = Path(__file__).parents[1] / "golden"
FAST = ("bart.mam", "roberta.prefix_lora_ffn", "roberta.houlsby", "mbart.spa_ffn_learnable")
RUNS = {path.stem for path in GOLDEN.glob("*.json") if json.loads(path.read_text())["status"] == "ok"}
CASES = sorted(RUNS - {f"{family}.full" for family in ("bart", "mbart", "roberta")})


def checkpoint(case: str, folder: Path) -> tuple[dict[str, Any], dict[str, Tensor], PreTrainedModel]:
    """The facts of a golden file, its tensors, the backbone; the weights are written as the authors' Trainer does."""
    meta, tensors = json.loads((GOLDEN / f"{case}.json").read_text()), load_file(GOLDEN / f"{case}.safetensors")
    state = {name.removeprefix("state/"): t.double() for name, t in tensors.items() if name.startswith("state/")}
    copies = {name: state[source].clone() for name, source in dict(meta["tied_state"]).items()}
    folder.mkdir()
    torch.save({**state, **copies}, folder / "pytorch_model.bin")
    known = set(AutoConfig.for_model(meta["model"]).to_dict()) - {"transformers_version", "dtype", "architectures"}
    config = {key: value for key, value in meta["config"].items() if key in known - {"model_type"}}
    kind = MODEL_CLASSES[FAMILIES[meta["model"]].kind]
    model = kind.from_config(AutoConfig.for_model(meta["model"], **config)).double().eval()
    model.load_state_dict({name.removeprefix("pretrained_model."): t for name, t in state.items()}, strict=False)
    return meta, tensors, model


@pytest.mark.parametrize("case", [pytest.param(c, marks=() if c in FAST else pytest.mark.slow) for c in CASES])
def test_a_checkpoint_gives_the_authors_logits(case, tmp_path):
    meta, tensors, model = checkpoint(case, tmp_path / "theirs")
    unidelta.import_(tmp_path / "theirs", model, source="authors", allow_bin=True, options=meta["official_options"])
    inputs = {name.removeprefix("input/"): tensor for name, tensor in tensors.items() if name.startswith("input/")}
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(**inputs).logits, tensors["out/logits64"], rtol=0, atol=1e-10)


FAULTS = {
    "an option missing": (lambda s, o: o.pop("ffn_bn"), "ffn_bn is not given"),
    "another size": (lambda s, o: o.update(ffn_bn="9"), r"is 8×32, this backbone needs 9×32"),
    "another method": (lambda s, o: o.update(ffn_mode="lora"), "is missing"),
    "another backbone": (
        lambda s, o: s["pretrained_model.model.encoder.layers.0.fc1.weight"].mul_(2),
        "fc1.weight differs from the backbone's",
    ),
    "nothing but the backbone": (lambda s, o: o.update(attn_mode="none", ffn_mode="none"), "there are no deltas"),
}


def test_a_bitfit_of_another_backbone_leaves_the_biases_as_they_were(tmp_path):
    """What the design trains is the backbone's own here, and is there before the backbone is found to be another."""
    meta, _, model = checkpoint("bart.bitfit", tmp_path / "theirs")
    model.get_parameter("model.encoder.layers.0.fc1.weight").data.mul_(2)
    for name, parameter in model.named_parameters():
        parameter.data += name.endswith("bias")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(UserError, match=r"fc1.weight differs from the backbone's"):
        unidelta.import_(tmp_path / "theirs", model, source="authors", allow_bin=True, options=meta["official_options"])
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_checkpoint_that_is_not_what_was_typed_is_refused_by_name(fault, tmp_path):
    change, told = FAULTS[fault]
    meta, _, model = checkpoint("bart.mam", tmp_path / "theirs")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.load(tmp_path / "theirs" / "pytorch_model.bin", weights_only=True)
    (tmp_path / "theirs" / "pytorch_model.bin").unlink()
    options = {name: str(value) for name, value in meta["official_options"].items()}
    change(state, options)
    save_file(state, tmp_path / "theirs" / "model.safetensors")
    with pytest.raises(UserError, match=told):
        unidelta.import_(tmp_path / "theirs", model, source="authors", options=options)
    assert {name: tensor.tolist() for name, tensor in model.state_dict().items()} == {
        name: tensor.tolist() for name, tensor in before.items()
    }
