"""Pretraining: a plain loop, in float32, on one thread, from a seed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import torch
import transformers as hf
from torch import nn
from transformers import PreTrainedModel

from unidelta.mini.pretraining.objective import Objective
from unidelta.mini.pretraining.recipe import Recipe, Stage
from unidelta.mini.pretraining.texts import Text
from unidelta.mini.pretraining.warm_start import begin_with_bart
from unidelta.mini.settings import settings

_N_SORTED_TOGETHER = 8  # batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The state of pretraining at a step.

    Args:
        step: updates so far.
        loss: mean since the last point, nats per token.
        probes: shares of right answers, 0 to 1.
        seconds: of CPU time.
    """

    step: int
    loss: float
    probes: dict[str, float]
    seconds: float


def pretrain(
    objective: Objective,
    recipe: Recipe,
    *,
    seed: int,
    scale_up: bool,
    probe_every: int,
    on_point: Callable[[Point], None],
) -> PreTrainedModel:
    """Pretrain a model from scratch.

    Args:
        objective: the training objective and its world.
        recipe: text and schedule.
        seed: of weights and text.
        scale_up: whether to use the larger sizes.
        probe_every: steps between two points of the curve.
        on_point: called with every point of the curve.
    """
    values = settings(objective.family, scale_up=scale_up, seed=objective.world_seed)
    config = hf.AutoConfig.for_model(values.pop("model_type"), **values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = objective.model_class(config)
    if objective.begins_with_bart:
        begin_with_bart(model, world_seed=objective.world_seed)
    begin, done = time.process_time(), 0
    for number, stage in enumerate(recipe):
        for step, loss in _train(model, objective, stage, number, seed=seed, every=probe_every):
            probes, seconds = objective.probe(model), time.process_time() - begin
            on_point(Point(step=done + step, loss=loss, probes=probes, seconds=seconds))
        done += stage.steps
    return model.eval()


def _train(
    model: PreTrainedModel, objective: Objective, stage: Stage, number: int, *, seed: int, every: int
) -> Iterator[tuple[int, float]]:
    """Train in one stage of a recipe; step and mean loss since the last time, every so many steps and at the end.

    Args:
        model: changed in place; a later stage first rounds its weights to fp16, as if it started from a saved model.
        objective: the training objective and its world.
        stage: text and schedule.
        number: of the stage, from 0.
        seed: of the text.
        every: steps between two yields.
    """
    if number > 0:
        model.half().float()
    rng = Random(f"unidelta/pretraining/{objective.family}/{seed}{f'/{number}' if number else ''}")
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = hf.get_linear_schedule_with_warmup(optimiser, stage.warmup_steps, stage.steps)
    texts = _batches_of_similar_length(stage, objective.world_seed, rng)
    losses: list[float] = []
    for step in range(1, stage.steps + 1):
        loss = model(**objective.batch(next(texts), rng)).loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % every == 0 or step == stage.steps:
            yield step, sum(losses) / len(losses)
            losses.clear()


def _batches_of_similar_length(stage: Stage, world_seed: int, rng: Random) -> Iterator[list[Text]]:
    """Endless batches of documents of similar length, which saves padding."""
    while True:
        texts = [stage.text(world_seed, rng) for _ in range(_N_SORTED_TOGETHER * stage.batch_size)]
        texts.sort(key=lambda text: sum(len(segment) for segment in text.target))
        batches = [texts[start : start + stage.batch_size] for start in range(0, len(texts), stage.batch_size)]
        rng.shuffle(batches)
        yield from batches
