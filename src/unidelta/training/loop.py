"""The training loop: batches, loss, backward, clip, step, schedule, log, evaluate, save.

A forward passes of this process in an optimiser step, P processes.
"""

import math
import time
from contextlib import nullcontext

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.nn.utils import clip_grad_norm_

from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.tasks.encode import Encoded
from unidelta.training.batches import Batches
from unidelta.training.best import BestStep
from unidelta.training.check import check_training
from unidelta.training.divergence import DivergenceGuard
from unidelta.training.evaluate import Evaluator
from unidelta.training.loss import count_tokens, denominators, logits_of, summed_loss
from unidelta.training.optimiser import adamw, learning_rates
from unidelta.training.pending import Pending
from unidelta.training.precision import resolve_device, resolve_precision
from unidelta.training.processes import gather_tensors
from unidelta.training.progress import ProgressBar
from unidelta.training.recomputing import recompute_activations
from unidelta.training.result import HistoryEntry, OnLog, TrainResult
from unidelta.training.saving import Continuation, Saver
from unidelta.training.share import share
from unidelta.training.snapshot import tuned
from unidelta.training.state import TrainState


def train(
    evaluator: Evaluator,
    encoded_train: Encoded,
    encoded_eval: Encoded,
    *,
    seed: int,
    on_log: OnLog,
    continuation: Continuation | None = None,
) -> TrainResult:
    """Train the parameters of a model that require gradients; the model ends with the parameters of its best step.

    Equal arguments give equal losses, bit for bit on a CPU with the same number of threads, and so does a resumed run.
    Several connected processes share its steps; without dropout their losses equal those of one, up to rounding.

    Args:
        evaluator: the model, moved to the run's device and changed in place, with its task and settings.
        encoded_train, encoded_eval: the training split; the dev split, evaluated as the settings say and at the end.
        seed: of data order and dropout, through the global generators of Python, NumPy and PyTorch.
        on_log: called with every history entry and its speed (`OnLog`).
        continuation: how the run is saved and where it resumes; None for no checkpoints.

    Raises:
        Interrupted: the run was asked to stop, and a checkpoint was saved.
        Problems: settings that do not work on this machine (`check_training`).
        ConfigError: an example has more tokens than a batch may have, or the processes cannot share a step.
        ValueError: no parameter requires gradients.
    """
    model, task, spec, processes = evaluator.model, evaluator.task, evaluator.spec, evaluator.processes
    check_training(spec)
    if not (trained := list(tuned(model).values())):
        raise ValueError("No parameter requires gradients: there is nothing to train.")
    set_seed(seed + processes.rank)  # no two passes of a step drop the same activations
    precision, device = resolve_precision(spec), torch.device(resolve_device(spec))
    recompute_activations(model, is_on=spec.gradient_checkpointing)
    part = share(spec, processes)
    collate = evaluator.collator(pad_to_multiple_of=1 if precision == "fp32" else 8)
    batches = Batches(encoded_train, spec, part, collate=collate, seed=seed, is_joined=task.is_one_sequence)
    n_steps = spec.max_steps or math.ceil((spec.epochs or 1) * batches.steps_per_epoch)
    accelerator = Accelerator(device_placement=False)
    wrapped = accelerator.prepare_model(model.to(device))  # pyright: ignore[reportArgumentType]
    optimiser = adamw(model, spec)
    schedule = learning_rates(optimiser, spec, n_steps=n_steps)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
    guard = DivergenceGuard(tolerates_overflow=precision == "fp16")
    best = BestStep(task.selection)
    state = TrainState(model=model, optimiser=optimiser, schedule=schedule, scaler=scaler, best=best, guard=guard)
    saver = Saver(state, continuation, every_minutes=spec.save_every_minutes, processes=processes)
    saver.resume()
    if state.on_gpu:
        torch.cuda.reset_peak_memory_stats()
    pending = Pending(accelerator, every=spec.log_every or (10 if state.on_gpu else 1))
    bar = ProgressBar(n_steps, step=state.step, is_shown=spec.progress and processes.is_first)
    history: list[HistoryEntry] = list(continuation.before) if continuation is not None else []

    def log(entry: dict[str, float], speed: dict[str, float]) -> None:
        if guard.reason is None:
            history.append(entry)
            guard.look(entry)
            bar.show(entry)
            on_log(entry, speed)

    wrapped.train()
    begin = time.perf_counter()
    for epoch, batches_A in batches.steps(state.step, n_steps):
        n_labels_A = torch.stack([(batch["labels"] != IGNORED_LABEL).sum() for batch in batches_A]).to(device)
        n_labels_PA = gather_tensors(n_labels_A, accelerator)
        denominators_A = denominators(n_labels_PA, share=part, normalisation=spec.loss_normalisation)
        loss, n_tokens = torch.zeros((), device=device), 0
        for i, batch in enumerate(batches_A):
            n_tokens += count_tokens(batch)
            inputs = {name: tensor.to(device) for name, tensor in batch.items()}
            labels = inputs.pop("labels")
            with nullcontext() if i + 1 == len(batches_A) else accelerator.no_sync(wrapped):
                with evaluator.autocast():
                    logits = logits_of(wrapped, inputs)
                pass_loss = summed_loss(logits, labels, smoothing=spec.label_smoothing) / denominators_A[i]
                pass_loss *= processes.n  # gradients are averaged over processes, and a sum is needed
                scaler.scale(pass_loss).backward()
            loss += pass_loss.detach()
        scaler.unscale_(optimiser)
        grad_norm = clip_grad_norm_(trained, spec.max_grad_norm)
        learning_rate, scale = schedule.get_last_lr()[0], scaler.get_scale()
        scaler.step(optimiser)
        scaler.update()
        if scaler.get_scale() >= scale:  # smaller if gradients overflowed and the step was skipped
            schedule.step()
        optimiser.zero_grad()
        state.step += 1
        entry = {"step": state.step, "learning_rate": learning_rate, "epoch": epoch}
        pending.add(entry, torch.stack([loss, grad_norm, *loss.new_tensor([n_tokens, *saver.wishes])]))
        is_end = state.step == n_steps
        is_evaluated = is_end or spec.evaluates_after(step=state.step, epoch=epoch)
        if not is_evaluated and not pending.is_due:
            continue
        seconds = (time.perf_counter() - begin) / pending.n
        for entry, n_tokens in pending.take():
            log(entry, state.count_tokens(n_tokens, seconds=seconds))
        if guard.reason is None and is_evaluated:
            found = evaluator.evaluate(encoded_eval.features, loss_only=task.selection.metric == "loss")
            state.evaluation_seconds += found.seconds
            scores = {f"eval_{name}": value for name, value in found.metrics.items()}
            log({"step": state.step, **scores, "eval_seconds": found.seconds, "epoch": epoch}, {})
            if guard.reason is None:
                best.offer(model, step=state.step, metrics=found.metrics)
        if guard.reason is not None:
            break
        if not is_end and (pending.is_late or pending.is_asked_to_stop):
            saver.save()
            if pending.is_asked_to_stop:
                saver.stop()
        begin = time.perf_counter()
    bar.close()
    saver.finish()
    best.restore(model)
    return state.result(history, batches)
