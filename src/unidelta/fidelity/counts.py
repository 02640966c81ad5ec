"""The authors' parameter counts compared with ours, row by row, and the paper's percentages."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unidelta.design.count import Counts, count
from unidelta.design.published import stated_architecture
from unidelta.extensions.paths import PACKAGE
from unidelta.fidelity.options import design_of

TABLE = PACKAGE / "fidelity" / "param_counts.csv"

RULE = """The paper prints matrices only (no biases, layer norms, prefix MLP or classification head), divided by the
backbone's parameters - BART-large's for en-ro too -, with one decimal: cut off from 1 % on, rounded below. Where a
printed value differs from this rule, no count of these sizes gives it; docs/fidelity.md says which they are."""

# options that a row of the table leaves to the defaults in petl/options.py
_DEFAULTS = {
    "attn_mode": "none",
    "attn_option": "concat",
    "attn_composition": "add",
    "ffn_mode": "none",
    "ffn_option": "none",
    "ffn_adapter_layernorm_option": "none",
    "ffn_adapter_init_option": "bert",
    "ffn_adapter_scalar": "1",
    "mid_dim": 800,
    "prefix_dropout": 0.0,
    "lora_alpha": 32.0,
    "lora_dropout": 0.0,
    "lora_init": "lora",
}
_BACKBONES = {  # of the table: the file in conf/backbone/, and the number of labels
    "bart-large": ("bart", 0),
    "mbart-large-cc25": ("mbart", 0),
    "roberta-base-mnli": ("roberta", 3),
    "roberta-base-sst2": ("roberta", 2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the authors' counts, and ours."""

    backbone: str
    name: str
    theirs: tuple[int, int, int]  # trained and used, stored, matrices
    ours: Counts
    printed: str

    @property
    def equal(self) -> bool:
        """True if the trained, the stored and the matrix counts agree."""
        return self.theirs == (self.ours.trained, self.ours.stored, self.ours.matrices)


def rows() -> Iterator[Row]:
    """Every row of the table, in its order.

    Raises:
        Problems: if a row's options cannot be built here.
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            yield _row(line)


def _row(line: Mapping[str, str]) -> Row:
    backbone, n_labels = _BACKBONES[line["model"]]
    options = {**_DEFAULTS, **dict(pair.split("=") for pair in line["options"].split(";") if pair)}
    options |= {key: int(options[key]) for key in ("attn_bn", "ffn_bn") if key in options}
    options["lora_alpha"] = float(options["lora_alpha"])
    architecture = stated_architecture(backbone, n_labels=n_labels)
    counts = count(design_of(options, architecture), architecture)
    if counts.backbone != int(line["base_params"]):
        raise AssertionError(f"{line['model']} has {line['base_params']} parameters, not {counts.backbone}.")
    return Row(
        backbone=line["model"],
        name=line["row"],
        theirs=(
            # copies and layer norms that the authors create and never use are not created here
            int(line["official_requires_grad"]) - int(line["of_which_unused"]),
            int(line["effective_after_reparam"]),
            int(line["matrices_only"]),
        ),
        ours=counts,
        printed=line["paper_printed"],
    )
