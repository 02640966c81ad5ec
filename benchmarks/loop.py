"""What the training loop adds to the arithmetic of its steps: its time compared with a bare torch loop's.

`python benchmarks/loop.py` trains the model of speed.py by `unidelta.training.loop.train` and by the ten lines of
`bare`, on the same batches, in turns, one thread; the bare loop gets its batches ready-made. `--out FILE` writes the
record that docs/performance.md shows.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from ours import METHODS, injected
from speed import keep, machine
from table import render
from torch import nn
from torch.nn import functional as F
from workload import FIRST_WORD, PAD, SIZES, Size, versions

from unidelta.config.compose import compose
from unidelta.run.prepare import prepare
from unidelta.tasks.collate import collate_seq2seq
from unidelta.tasks.encode import Encoded
from unidelta.training.batches import Batches
from unidelta.training.evaluate import Evaluator
from unidelta.training.loop import train
from unidelta.training.processes import ALONE
from unidelta.training.share import share
from unidelta.training.spec import TrainingSpec

SHOWN = ("full", "LoRA q,v", "MAM")
WORDS = ("task=wmt_en_ro", "training.max_tokens=null", "training.accumulation=1", "training.label_smoothing=0.1")


def examples(size: Size, n: int) -> Encoded:
    """Random sources filled to 75–100 %, and targets."""
    generator = np.random.default_rng(100)
    features = [
        {
            "input_ids": generator.integers(FIRST_WORD, size.vocabulary, length, dtype=np.int32),
            "labels": generator.integers(FIRST_WORD, size.vocabulary, size.target, dtype=np.int32),
        }
        for length in generator.integers(size.source * 3 // 4, size.source + 1, n)
    ]
    return Encoded(
        features=features, n_truncated_sources=0, n_truncated_targets=0, n_empty_sources=0, n_empty_targets=0
    )


def bare(model: nn.Module, batches: Sequence[dict[str, torch.Tensor]], spec: TrainingSpec) -> list[float]:
    """CPU seconds of each step of a loop that does nothing else."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=spec.learning_rate, fused=True)
    seconds = []
    for batch in batches:
        begin = time.process_time()
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        logits = model(**inputs, use_cache=False).logits
        F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), label_smoothing=0.1).backward()
        nn.utils.clip_grad_norm_(trained, spec.max_grad_norm)
        optimiser.step()
        optimiser.zero_grad()
        seconds.append(time.process_time() - begin)
    return seconds


def measure(names: Sequence[str], *, size: str, rounds: int, steps: int) -> dict[str, Any]:
    """The record: medians of CPU milliseconds per step by method, and the ratio of the two loops."""
    run = prepare(compose(WORDS))
    spec = replace(
        run.training,
        max_steps=steps,
        epochs=None,
        batch_size=SIZES[size].batch,
        eval_every=None,
        evaluate_each_epoch=False,
        device="cpu",
        progress=False,
    )
    encoded = examples(SIZES[size], steps * spec.batch_size)
    tokenizer: Any = SimpleNamespace(pad_token_id=PAD)
    models = {name: injected(METHODS[name], SIZES[size])[0].model for name in names}
    found: dict[str, dict[str, list[float]]] = {name: {"loop": [], "bare": []} for name in names}
    loads: list[float] = []
    for i in range(-1, rounds):
        for name, model in models.items():
            moments = []
            train(
                Evaluator(model=model, tokenizer=tokenizer, task=run.task, spec=spec),
                encoded,
                replace(encoded, features=encoded.features[:1]),
                seed=i + 1,
                on_log=lambda entry, speed, moments=moments: moments.append(time.process_time()),
            )
            shift = model.prepare_decoder_input_ids_from_labels
            collate = partial(collate_seq2seq, pad_token_id=PAD, pad_to_multiple_of=1, decoder_inputs=shift)
            drawn = Batches(encoded, spec, share(spec, ALONE), collate=collate, seed=i + 1)
            batches = [batch for _, (batch,) in drawn.steps(0, steps)]
            plain = bare(model.train(), batches, spec)
            if i >= 0:
                found[name]["loop"] += [1000 * (b - a) for a, b in pairwise(moments[:-1])]
                found[name]["bare"] += [1000 * second for second in plain[1:]]
        loads.append(os.getloadavg()[0])
        print(f"round {i + 1} of {rounds}", file=sys.stderr, flush=True)
    medians = {name: {loop: statistics.median(times) for loop, times in both.items()} for name, both in found.items()}
    return {
        "size": size,
        "rounds": rounds,
        "steps": steps,
        "milliseconds": {name: {loop: round(ms, 2) for loop, ms in both.items()} for name, both in medians.items()},
        "ratio": {name: round(both["loop"] / both["bare"], 3) for name, both in medians.items()},
        "machine": machine(loads),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0."""
    parser = argparse.ArgumentParser(prog="python benchmarks/loop.py", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="d256", help="of the model; default: d256")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--steps", type=int, default=20, help="of each loop in a round; default: 20")
    parser.add_argument("--out", type=Path, help="write the record to this file")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    record = measure(SHOWN, size=arguments.size, rounds=arguments.rounds, steps=arguments.steps)
    keep(record, arguments.out)
    print(render("loop", record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
