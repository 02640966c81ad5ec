"""peft and adapters load what this project exports and compute the same, and the reverse (files by make_theirs.py)."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel

import unidelta
from unidelta.errors import ExchangeError

from .cases import logits
from .golden import backbone, golden

CASES = [(library, case) for library in ("peft", "adapters") for case in golden(library).cases]


def exported(model: PreTrainedModel, folder: Path, library: str) -> dict[str, dict[str, Tensor]]:
    unidelta.export(model, folder, to=library)
    return {path.name: load_file(path) for path in folder.glob("*.safetensors")}


@pytest.mark.parametrize(("library", "case"), CASES, ids=lambda value: value)
def test_a_folder_gives_the_librarys_logits_and_is_written_again_bit_for_bit(library, case, tmp_path):
    found, family = golden(library), case.split(".")[1]
    model = backbone(family)
    assert (logits(model, family) - found.logits(case)).abs().max() > 0.05
    unidelta.import_(found.write(case, tmp_path / "theirs"), model, source=library, allow_bin=True)
    torch.testing.assert_close(logits(model.eval(), family), found.logits(case), rtol=0, atol=1e-12)
    again = exported(model, tmp_path / "again", library)
    for file, tensors in found.weights(case).items():
        ours = again[file.replace("pytorch_", "").replace(".bin", ".safetensors")]
        theirs = {name.replace(".own.", ".unidelta."): t for name, t in tensors.items() if ".pool." not in name}
        assert {name: tensor.tolist() for name, tensor in ours.items()} == {n: t.tolist() for n, t in theirs.items()}
    if case.startswith("ours."):
        texts = {key.split("/")[1]: text for key, text in found.files.items() if key.startswith(f"{case}/")}
        assert {path.name: path.read_text() for path in (tmp_path / "again").glob("*.json")} == texts


def test_the_page_counts_the_golden_folders():
    page = " ".join((Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8").split())
    n_ours = sum(case.startswith("ours.") for _, case in CASES)
    assert f"has {len(CASES)} folders for tiny BART, RoBERTa, Llama and T5 models, {n_ours} written here" in page
    assert {case.split(".")[1] for _, case in CASES} == {"bart", "roberta", "llama", "t5"}


def test_the_files_say_what_made_them():
    assert golden("peft").packages["peft"] == "0.21.2"
    assert golden("adapters").packages["adapters"] == "1.3.0"


def test_a_pickle_is_read_on_demand_only(tmp_path):
    folder = golden("adapters").write("theirs.roberta.learned", tmp_path / "theirs")
    with pytest.raises(ExchangeError, match="a pickle, which can run code"):
        unidelta.import_(folder, backbone("roberta"), source="adapters")
