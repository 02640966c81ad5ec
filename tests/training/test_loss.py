"""The loss and what it is averaged over, against formulas written out by hand."""

from dataclasses import replace

import pytest
import torch

from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.training.loss import denominators, summed_loss
from unidelta.training.processes import Processes
from unidelta.training.random_batches import RandomBatches
from unidelta.training.share import share

QUIET = {"dropout": 0.0, "attention_dropout": 0.0}


def nats(model, feature, smoothing: float) -> list[float]:
    """(1 − ε)·(−log p) + ε·mean over the vocabulary of −log p, of every target token of one example."""
    source, labels = (torch.tensor([feature[name].tolist()]) for name in ("input_ids", "labels"))
    log_p = model.eval()(input_ids=source, labels=labels).logits[0].log_softmax(-1)
    nll = -log_p[torch.arange(labels.shape[1]), labels[0]]
    return ((1 - smoothing) * nll - smoothing * log_p.mean(-1)).tolist()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("accumulation", [1, 4])
def test_a_step_is_averaged_as_asked(summaries, smoothing: float, accumulation: int) -> None:
    model = summaries.make_model(**QUIET)
    passes = RandomBatches(n_examples=32, batch_size=2, seed=3).of_epoch(0)[:accumulation]
    values = [[n for i in batch for n in nats(model, summaries.train_split.features[i], smoothing)] for batch in passes]
    means = [sum(pass_values) / len(pass_values) for pass_values in values]
    expected = {
        "tokens": sum(map(sum, values)) / sum(map(len, values)),
        "micro_batches": sum(means) / len(means),
    }
    assert (abs(expected["tokens"] - expected["micro_batches"]) > 1e-3) is (accumulation > 1)
    for normalisation, mean in expected.items():
        asked = {"batch_size": 2, "accumulation": accumulation, "label_smoothing": smoothing, "max_steps": 1}
        result = summaries.run(summaries.make_model(**QUIET), loss_normalisation=normalisation, **asked)
        assert result.history[0]["loss"] == pytest.approx(mean, rel=1e-5)


def test_gradients_are_those_of_the_averaged_loss(summaries) -> None:
    for smoothing in (0.0, 0.1):
        asked = {"batch_size": 2, "accumulation": 4, "label_smoothing": smoothing, "max_steps": 1}
        accumulated = summaries.run(summaries.make_model(**QUIET), **asked)
        whole = summaries.run(summaries.make_model(**QUIET), **{**asked, "batch_size": 8, "accumulation": 1})
        for name in ("loss", "grad_norm"):
            assert accumulated.history[0][name] == pytest.approx(whole.history[0][name], rel=1e-5)


def test_classification_averages_over_examples(sentences) -> None:
    quiet = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    asked = {"max_steps": None, "epochs": 1.0, "loss_normalisation": "tokens"}
    # 32 examples in batches of 3: the last step has 3 + 3 + 2 of them.
    result = sentences.run(sentences.make_model(**quiet), batch_size=3, accumulation=4, learning_rate=1e-6, **asked)
    order = RandomBatches(n_examples=32, batch_size=12, seed=3).of_epoch(0)
    model = sentences.make_model(**quiet).eval()
    for entry, batch in zip(result.history[:3], order, strict=True):
        losses = []
        for i in batch:
            feature = sentences.train_split.features[i]
            logits = model(input_ids=torch.tensor([feature["input_ids"].tolist()])).logits[0]
            losses.append(-logits.log_softmax(-1)[feature["labels"]].item())
        assert entry["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-3)  # it has learned a little


@pytest.mark.parametrize("normalisation", ["tokens", "micro_batches"])
@pytest.mark.parametrize(("accumulation", "n"), [(4, 2), (4, 4), (1, 2), (3, 2)])
def test_the_shares_of_all_processes_add_up(spec, normalisation: str, accumulation: int, n: int) -> None:
    torch.manual_seed(0)
    spec = replace(spec, accumulation=accumulation, batch_size=4)
    # Labels of every pass of one process alone, 0 to 5 of 6 positions ignored.
    passes = [torch.randint(0, 7, (4, 6)) for _ in range(accumulation)]
    for labels in passes:
        for row in labels:
            row[int(torch.randint(1, 7, ())) :] = IGNORED_LABEL
    logits = [torch.randn(4, 6, 7, dtype=torch.float64) for _ in passes]
    alone = share(spec, Processes(rank=0, n=1))

    def part(processes: Processes) -> tuple[list, list]:
        chosen = slice(processes.rank, None, processes.n)
        if share(spec, processes).of == "passes":
            return logits[chosen], passes[chosen]
        return [x[chosen] for x in logits], [y[chosen] for y in passes]

    def step(n: int) -> float:
        total = 0.0
        parts = [part(Processes(rank=rank, n=n)) for rank in range(n)]
        counts = torch.tensor([[int((y != IGNORED_LABEL).sum()) for y in labels] for _, labels in parts])
        for rank, (xs, ys) in enumerate(parts):
            mine = share(spec, Processes(rank=rank, n=n))
            ds = denominators(counts, share=mine, normalisation=normalisation)
            total += sum((summed_loss(x, y, smoothing=0.1) / d).item() for x, y, d in zip(xs, ys, ds, strict=True))
        return total

    assert alone.accumulation == accumulation
    assert step(n) == pytest.approx(step(1), rel=1e-6)


def test_a_filler_adds_nothing_and_is_not_counted(spec) -> None:
    spec = replace(spec, accumulation=2)
    counts = torch.tensor([[5], [0]])
    for rank, expected in ((0, 5), (1, 1)):
        mine = share(spec, Processes(rank=rank, n=2))
        assert denominators(counts, share=mine, normalisation="micro_batches").tolist() == [expected]
        assert denominators(counts, share=mine, normalisation="tokens").tolist() == [5]
    nothing = torch.full((2, 3), IGNORED_LABEL)
    assert summed_loss(torch.randn(2, 3, 7), nothing, smoothing=0.1).item() == 0
