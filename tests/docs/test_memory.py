"""The tables of docs/reproducing.md on disk and GPU memory follow from the formulas that it states."""

import re
from functools import cache

import pytest
import torch
import transformers as hf

import unidelta
from unidelta.config.run_spec import RunSpec
from unidelta.design.count import count
from unidelta.extensions.paths import CONF
from unidelta.run.prepare import prepare
from unidelta.training.recomputing import recompute_activations

from ..composed import composed

PAGE = (CONF.parent / "docs" / "reproducing.md").read_text(encoding="utf-8")
METHODS = {"full fine-tuning": "full", "BitFit": "bitfit", "prefix, l = 200": "prefix", "LoRA": "lora", "MAM": "mam"}
TASKS = {"XSum": "xsum", "en-ro": "wmt_en_ro", "MNLI": "mnli"}
GPUS = (16, 24, 40, 80)
ENCODER, DECODER, CROSS, RECOMPUTED = 45, 58, 11, 4  # bytes that a layer keeps for each token and feature
LOGITS = 16  # bytes for each target token and word of the vocabulary


@cache
def spec(method: str, task: str) -> RunSpec:
    return prepare(composed([f"method={method}", f"task={task}", "scale=paper"]))


def gigabytes(run: RunSpec, *, divided: int = 1, recomputes: bool = False) -> float:
    """GPU memory of a run as the page states it; `divided` passes in place of one, each of so many times less."""
    architecture, task, training = run.backbone.architecture, run.task, run.training
    n, trained = architecture.n_parameters, count(run.design, architecture).trained
    maps = sum(linear.n_weights for site in architecture.sites for linear in site.linears.values())
    halved = 0 if trained == n else maps
    config, d = architecture.config, architecture.width
    if training.max_tokens is not None:
        sources = targets = training.max_tokens / divided
    else:
        sources, targets = (
            training.batch_size / divided * each for each in (task.max_source_length, task.max_target_length)
        )
    if architecture.family.is_encoder_decoder:
        encoder, decoder = config["encoder_layers"], config["decoder_layers"]
    else:
        encoder, decoder, targets = config["num_hidden_layers"], 0, 0
    kept = ENCODER * sources * encoder + (DECODER * targets + CROSS * sources) * decoder
    if recomputes:
        one_layer = max(ENCODER * sources, DECODER * targets + CROSS * sources)
        kept = RECOMPUTED * (sources * encoder + targets * decoder) + one_layer
    logits = LOGITS * targets * config["vocab_size"]
    return 1.2 * (6 * n - 4 * halved + 16 * trained + kept * d + logits) / 1e9 + 1


def advice(run: RunSpec, gpu: int) -> str:
    """What to type on a GPU: the first that fits, in the page's order."""
    training = run.training
    for divided, recomputes in ((1, False), (1, True), (2, False), (2, True), (4, True), (8, True)):
        if gigabytes(run, divided=divided, recomputes=recomputes) > gpu:
            continue
        size = "max_tokens" if training.max_tokens is not None else "batch_size"
        whole = training.max_tokens or training.batch_size
        words = ["training.gradient_checkpointing=true"] if recomputes else []
        if divided > 1:
            words = [
                f"training.{size}={whole // divided} training.accumulation={training.accumulation * divided}",
                *words,
            ]
        return f"`{' '.join(words)}`" if words else "nothing"
    return "too small"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    table = re.findall(r"^\|(.+)\|$", PAGE.split(f"### {heading}\n")[1].split("\n### ")[0].split("\n## ")[0], re.M)
    return [[cell.strip() for cell in line.split("|")] for line in table[2:]]


def test_memory() -> None:
    expected = [[name, *(f"{gigabytes(spec(m, task)):.0f}" for task in TASKS.values())] for name, m in METHODS.items()]
    assert rows("GPU memory") == expected


def test_what_to_type_on_which_gpu() -> None:
    expected = [
        [f"{title}, {what}", *(advice(spec(method, task), gpu) for gpu in GPUS)]
        for title, task in TASKS.items()
        for what, method in (("deltas", "mam"), ("full fine-tuning", "full"))
    ]
    assert rows("What do I type on 16, 24, 40 and 80 GB?") == expected


@pytest.mark.parametrize(
    "cell", sorted({cell for row in rows("What do I type on 16, 24, 40 and 80 GB?") for cell in row})
)
def test_what_is_advised_can_be_typed(cell: str) -> None:
    if cell.startswith("`"):
        task = "wmt_en_ro" if "max_tokens" in cell else "xsum"
        prepare(composed([f"task={task}", "scale=paper", *cell.strip("`").split()]))


def test_disk() -> None:
    expected = []
    for name, method in METHODS.items():
        cells = []
        for task in TASKS.values():
            run = spec(method, task)
            counts = count(run.design, run.backbone.architecture)
            kept = 4 * counts.stored / 1e6
            cells.append(f"{kept:,.0f} / {2 * 16 * counts.trained / 1e6:,.0f}")
        expected.append([name, *cells])
    assert rows("Disk") == expected


def test_sizes_of_downloads() -> None:
    found = {row[0]: row[1] for row in rows("Downloads")}
    for task in TASKS.values():
        architecture = spec("lora", task).backbone.architecture
        n = architecture.n_parameters - architecture.n_head_weights - architecture.n_head_biases
        assert found[architecture.name] == f"{4 * n / 1e9:.2f} GB"


WIDTH, SOURCES, TARGETS = 512, 128, 64


def kept_bytes(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> int:
    """What autograd keeps of a forward pass in bf16, weights left out."""
    shapes = {
        shape for p in model.parameters() for shape in (tuple(p.shape), tuple(p.T.shape if p.dim() == 2 else p.shape))
    }
    storages: dict[int, tuple[int, torch.Tensor]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tuple(tensor.shape) not in shapes:
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes(), tensor  # held, so that no other takes its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), torch.autocast("cpu", torch.bfloat16):
        model.train()(**batch)
    return sum(n for n, _ in storages.values())


def bart_bytes(encoder: int, decoder: int, method: str, recomputes: bool) -> float:
    """For each feature, of two examples."""
    sizes = {
        f"{side}_{name}": n
        for side in ("encoder", "decoder")
        for name, n in (("attention_heads", 8), ("ffn_dim", 2048))
    }
    config = hf.BartConfig(vocab_size=99, d_model=WIDTH, encoder_layers=encoder, decoder_layers=decoder, **sizes)
    model = hf.BartForConditionalGeneration(config)
    if method != "full":
        unidelta.inject(model, method)
    if recomputes:
        recompute_activations(model, is_on=True)
    batch = {"input_ids": torch.full((2, SOURCES), 7), "decoder_input_ids": torch.full((2, TARGETS), 7)}
    return kept_bytes(model, {**batch, "attention_mask": torch.ones(2, SOURCES, dtype=torch.long)}) / (2 * WIDTH)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS.values())
def test_the_constants_bound_what_a_layer_keeps(method: str) -> None:
    base = bart_bytes(1, 1, method, False)
    encoder, decoder = bart_bytes(2, 1, method, False) - base, bart_bytes(1, 2, method, False) - base
    assert 0.6 * ENCODER * SOURCES < encoder <= ENCODER * SOURCES
    assert 0.6 * DECODER * TARGETS < decoder <= DECODER * TARGETS + CROSS * SOURCES
    base = bart_bytes(1, 1, method, True)
    assert bart_bytes(2, 1, method, True) - base == pytest.approx(RECOMPUTED * SOURCES, rel=0.05)
    assert bart_bytes(1, 2, method, True) - base == pytest.approx(RECOMPUTED * TARGETS, rel=0.05)
