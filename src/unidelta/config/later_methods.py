"""What docs/design-space.md says of methods from after the paper: their facts, from their files, and crossed cells."""

import shlex
from collections.abc import Callable, Iterator, Mapping

from unidelta.config.compose import compose
from unidelta.config.schema import RunConfig
from unidelta.design.describe import describe, merges, starts_at_zero
from unidelta.design.spec import Design, parts_of
from unidelta.errors import UserError
from unidelta.extensions.paths import CONF

DesignOf = Callable[[RunConfig], tuple[Design, list[UserError]]]

LATER = """Methods that the paper does not have, most of them later, decomposed along the same axes. M is the matrix
of a linear form, W a frozen weight. *Starts at 0* says whether the model is unchanged at the start (HRA: up to
rounding). *Merges* says whether merging into the weights is exact and undone bit for bit (SSF: where the maps have
biases). [later-methods.md](later-methods.md) compares how well they do at two budgets.

Tests compare them with peft 0.21.2 and adapters 1.3.0 from the same weights in float64: logits, gradients and merged
weights agree to 1e-12. These differences are intended:

* UniPELT's gates are computed for each token, because means over all tokens would let a decoder see the future; its
  prefix is added behind its gate.
* LLaMA-Adapter is in all layers unless `layers=last:N` says otherwise (the authors: the topmost).
* Compacter's shared factors are those of one slot, its activation is ReLU, and it starts at exactly 0.
* LoReFT edits every token of its layers unless `tokens=` says which (the authors: the first and the last few of the
  prompt)."""
HEADS = ("method", "source", "trains", "starts at 0", "merges", "elsewhere")
FACTS = ("Source: ", "Trains: ", "Elsewhere: ")
RECOMBINED = """Parts of methods can be recombined. The answer is the design that is built, or why it is refused."""
CROSSED = (
    ("PiSSA's start of DoRA's direction", "method=dora method.attn.init=pissa"),
    ("DoRA's composition of VeRA's maps (DVoRA)", "method=vera composition=magnitude_direction composition.scale=1"),
    ("DoRA's composition of LoHa's maps", "method=loha composition=magnitude_direction composition.scale=1"),
    ("DoRA's composition around an adapter", "method=parallel_adapter composition=magnitude_direction"),
    ("DoRA's composition of a rotation", "method=oft composition=magnitude_direction"),
    ("HiRA's composition of LoKr's maps", "method=lokr composition=modulated composition.scale=1"),
    ("rsLoRA's scale of an adapter", "method=parallel_adapter composition=rank_stabilised composition.scale=16"),
    ("PiSSA's start of an adapter", "method=parallel_adapter method.ffn.init=pissa"),
    ("VeRA's maps in an adapter", "method=parallel_adapter method.ffn.generator=frozen"),
    ("MiSS' map in an adapter", "method=parallel_adapter method.ffn.generator=tiled"),
    ("Compacter's maps in LoRA", "method=lora method.attn.generator=hypercomplex"),
    ("LLaMA-Adapter's gate of an adapter", "method=parallel_adapter composition=zero_gate"),
    (
        "LLaMA-Adapter's vectors in a multi-head adapter",
        "method=multihead_parallel_adapter method.attn.generator=projected method.attn.reparameterisation=direct",
    ),
    ("UniPELT's gate on MAM's adapter", "method=mam composition=input_gate"),
    ("UniPELT's gate on all of MAM", "method=mam composition=input_gate method.attn.composition=input_gate"),
    (
        "a Householder MAM: prefix and reflections",
        "method=mam method.ffn.form=reflections method.ffn.composition=rotated method.ffn.init=identity"
        " method.ffn.targets=[up,down] method.ffn.bottleneck=256",
    ),
    ("LoReFT beside the layer it edits", "method=loreft insertion=parallel"),
    ("LoReFT at both ends of the source", "method=loreft tokens=first:4+last:4"),
    ("an adapter at both ends of the source", "method=adapter tokens=first:4+last:4"),
    ("a single adapter, at the last FFN", "method=adapter layers=last:1"),
)


def comments(group: str, name: str) -> list[str]:
    """The comments at the top of an option's file."""
    lines = (CONF / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    return [line[2:] for line in lines if line.startswith("# ") and "@package" not in line]


def facts(method: str) -> dict[str, str]:
    """What the file of a later method says of its source, its size and its other names."""
    found = (line.partition(": ") for line in comments("method", method) if line.startswith(tuple(FACTS)))
    return {f"{key}: ": value.rstrip(".") for key, _, value in found}


def later_rows(methods: Mapping[str, RunConfig], design_of: DesignOf) -> Iterator[tuple[str, ...]]:
    """The rows of `HEADS`, one for each later method."""
    for name, config in methods.items():
        known, design = facts(name), design_of(config)[0]
        parts = parts_of(design)
        answers = (("yes" if all(map(is_so, parts)) else "no") for is_so in (starts_at_zero, merges))
        yield f"`{name}`", known["Source: "], known["Trains: "], *answers, known["Elsewhere: "]


def crossed_rows(design_of: DesignOf) -> Iterator[tuple[str, str, str]]:
    """What each crossed cell is: its design, or why it cannot be."""
    for what, words in CROSSED:
        design, problems = design_of(compose(["task=xsum", "scale=paper", *shlex.split(words)]))
        refused = f"refused: {'; '.join(dict.fromkeys(problem.why for problem in problems))}"
        yield what, f"`{words}`", refused if problems else describe(design)
