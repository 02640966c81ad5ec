"""transformers' Trainer with rules of the paper: what decays, how the best step is found, what is logged."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.training.best import BestStep
from unidelta.training.divergence import DivergenceGuard
from unidelta.training.evaluate import EvalResult
from unidelta.training.loss import denominators, summed_loss
from unidelta.training.precision import Precision
from unidelta.training.processes import gather
from unidelta.training.progress import QuietProgress
from unidelta.training.saving import Continuation, SaveClock
from unidelta.training.share import Share, SharedBatches
from unidelta.training.snapshot import (
    State,
    generators,
    optimiser_state,
    read_best,
    read_state,
    restore_generators,
    restore_optimiser,
    restore_parameters,
    tuned,
    write_snapshot,
)
from unidelta.training.spec import POLYNOMIAL_END, TrainingSpec

OnLog = Callable[[dict[str, float]], None]
"""Called with every entry of the history: `step` and numbers by name."""


class DeltaTrainer(Trainer):
    """A Trainer that scores by `score`, remembers the best step, and reports every step to `on_log`.

    One class serves both kinds of task: transformers' `Seq2SeqTrainer` differs from `Trainer` in its
    evaluation only, which is replaced here. Batches and loss are this project's own: what a step averages over has to
    be the same for any number of processes.

    Args:
        settings: of the run.
        share: this process's part of every step.
        batches: this process's part of the batches of an epoch.
        score: evaluates the model as it is now.
        best: is offered every evaluation.
        guard: stops a diverged run.
        on_log: is told every entry of the history.
        continuation: how the run is saved and where it goes on; None for no checkpoints.
        shows_progress: whether a bar is drawn.
        kwargs: of `Trainer`.
    """

    def __init__(
        self,
        *,
        settings: TrainingSpec,
        share: Share,
        batches: SharedBatches,
        score: Callable[[], EvalResult],
        best: BestStep,
        guard: DivergenceGuard,
        on_log: OnLog,
        continuation: Continuation | None,
        shows_progress: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs, callbacks=[guard])
        self._continuation, self._clock = continuation, None
        if continuation is not None:
            self._clock = SaveClock(
                every_minutes=settings.save_every_minutes, stop=continuation.stop, processes=share.processes
            )
            self.add_callback(self._clock)
        self._begin = time.perf_counter()
        self._settings, self._share, self._batches = settings, share, batches
        self._score, self._best, self._guard, self._on_log = score, best, guard, on_log
        self.evaluation_seconds = 0.0
        self.remove_callback(ProgressCallback)
        self.remove_callback(PrinterCallback)
        if shows_progress:
            self.add_callback(QuietProgress())

    # To the Trainer: losses need no division by the number of passes.
    loss_is_scaled_for_ga = True

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches of this process, padded."""
        return DataLoader(
            cast(Dataset[Any], self.train_dataset),
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, Tensor]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Tensor]], None]:
        """The batches of one optimiser step, each with the denominator of its loss."""
        batches = list(islice(epoch_iterator, num_batches))
        counts_A = torch.stack([(batch["labels"] != IGNORED_LABEL).sum() for batch in batches]).to(device)
        counts_PA = cast(Tensor, self.accelerator.gather(counts_A)).view(-1, len(batches))
        denominators_A = denominators(counts_PA, share=self._share, normalisation=self._settings.loss_normalisation)
        for batch, denominator in zip(batches, denominators_A, strict=True):
            batch["denominator"] = denominator
        return batches, None

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: None = None
    ) -> Any:
        """This pass's part of the step's loss (see `denominators`)."""
        labels, denominator = inputs.pop("labels"), inputs.pop("denominator")
        if "decoder_input_ids" in inputs:
            inputs = {**inputs, "use_cache": False}
        outputs = model(**inputs)
        loss = summed_loss(outputs.logits, labels, smoothing=self._settings.label_smoothing) / denominator
        # Gradients are averaged over the processes, logged losses too; a sum is wanted.
        loss = loss * self._share.processes.n
        return (loss, outputs) if return_outputs else loss

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """None are counted: nobody reads the Trainer's estimate, and it counts all parameters anew at every step."""
        return 0

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """All parameters but those of layer norms and biases (by the last part of their name)."""
        norms = {
            parameter
            for module in model.modules()
            if isinstance(module, nn.LayerNorm)
            for parameter in module.parameters(recurse=False)
        }
        return [
            name
            for name, parameter in model.named_parameters()
            if parameter not in norms and not name.rsplit(".", 1)[-1].endswith("bias")
        ]

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the model on the dev split, log it, and remember it if it is the best so far."""
        result = self._score()
        self.evaluation_seconds += result.seconds
        metrics = {f"eval_{name}": value for name, value in result.metrics.items()}
        # Logged first: the guard sees a loss that is not finite before the step can become the best one.
        self.log({**metrics, "eval_seconds": result.seconds})
        if self._guard.reason is None:
            self._best.offer(cast(nn.Module, self.model), step=self.state.global_step, metrics=result.metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Pass one entry to the callbacks, to the history and to `on_log`."""
        super().log(logs, start_time)
        if "loss" in logs or "eval_loss" in logs:
            self._on_log({"step": self.state.global_step, **logs})

    @property
    def seconds(self) -> float:
        """Wall-clock time of training and evaluation, that of earlier attempts included."""
        return time.perf_counter() - self._begin

    def resume(self, folder: Path) -> State:
        """Take over what a checkpoint says of the past; what training needs follows with `train(str(folder))`."""
        state = read_state(folder)
        self._begin = time.perf_counter() - state.seconds
        self.evaluation_seconds = state.evaluation_seconds
        self._guard.resume(state.guard)
        self._best.resume(step=state.best_step, metrics=state.best_metrics, parameters=read_best(folder))
        return state

    def save(self, *, is_finished: bool) -> None:
        """Keep a checkpoint, written by the first process; of a run that has diverged there is nothing to keep."""
        model, processes = cast(nn.Module, self.model), self._share.processes
        if self._continuation is None or self._guard.reason is not None:
            return
        if not all(parameter.isfinite().all() for parameter in tuned(model).values()):
            return  # the next step will find out
        states = gather(generators(on_gpu=self.args.device.type == "cuda"), processes)
        if processes.is_first:
            state = State(
                steps=self.state.global_step,
                is_finished=is_finished,
                seconds=self.seconds,
                evaluation_seconds=self.evaluation_seconds,
                best_step=self._best.step,
                best_metrics=self._best.metrics,
                guard=self._guard.state(),
                optimiser=optimiser_state(cast(Optimizer, self.optimizer)),
                scheduler=cast(LRScheduler, self.lr_scheduler).state_dict(),
                scaler=self.accelerator.scaler.state_dict() if self.accelerator.scaler is not None else {},
                generators=states,
            )
            trainer_state = copy.copy(self.state)
            trainer_state.log_history = []  # the history has it

            def write(folder: Path) -> None:
                optimiser = cast(Optimizer, self.optimizer)
                write_snapshot(folder, state, parameters=tuned(model), best=self._best.parameters, optimiser=optimiser)
                trainer_state.save_to_json(str(folder / TRAINER_STATE_NAME))

            self._continuation.save(self.state.global_step, write)
        gather(None, processes)  # who ends now would take the first process with it

    # What the Trainer would save and load as pickles, and in part go on without.

    def _save_checkpoint(self, model: nn.Module, trial: object) -> None:
        self.save(is_finished=False)
        if self._continuation is not None and self._clock is not None and self._clock.is_stopping:
            stop = self._continuation.stop
            stop.signal = stop.signal or "SIGTERM"  # another process was asked
            stop.raise_if_asked(f"after step {self.state.global_step}")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        restore_parameters(Path(resume_from_checkpoint), cast(nn.Module, self.model))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            state = read_state(Path(checkpoint))
            restore_optimiser(Path(checkpoint), state, cast(Optimizer, self.optimizer))
            cast(LRScheduler, self.lr_scheduler).load_state_dict(state.scheduler)

    def _load_scaler(self, checkpoint: str | None) -> None:
        if checkpoint is not None and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(read_state(Path(checkpoint)).scaler)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            restore_generators(read_state(Path(checkpoint)).generators, self._share.processes.rank)


def training_arguments(
    spec: TrainingSpec, *, share: Share, precision: Precision, device: str, seed: int, output_dir: str
) -> TrainingArguments:
    """`TrainingArguments` of a run: the spec's settings, and what Trainer would choose for us."""
    warmup: float = spec.warmup_steps or spec.warmup_ratio
    if spec.max_steps is not None:
        steps = spec.warmup_steps or math.ceil(spec.warmup_ratio * spec.max_steps)
        warmup = min(steps, spec.max_steps - 1)  # a decay over no step at all divides by zero
    arguments = TrainingArguments(
        output_dir=output_dir,
        max_steps=spec.max_steps if spec.max_steps is not None else -1,
        num_train_epochs=spec.epochs if spec.epochs is not None else 1.0,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=spec.schedule if spec.schedule != "constant" else "constant_with_warmup",
        lr_scheduler_kwargs={"lr_end": POLYNOMIAL_END, "power": 1.0} if spec.schedule == "polynomial" else {},
        warmup_steps=warmup,
        per_device_train_batch_size=spec.batch_size,
        gradient_accumulation_steps=share.accumulation,
        weight_decay=spec.weight_decay,
        adam_beta1=spec.adam_beta1,
        adam_beta2=spec.adam_beta2,
        adam_epsilon=spec.adam_epsilon,
        max_grad_norm=spec.max_grad_norm,
        label_smoothing_factor=spec.label_smoothing,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=device == "cpu",
        seed=seed,
        eval_strategy="epoch" if spec.evaluate_each_epoch else "steps" if spec.eval_every else "no",
        eval_steps=spec.eval_every,
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=1,
        # With the filter on, a NaN loss is logged as the mean of the losses before it.
        logging_nan_inf_filter=False,
        report_to="none",
        log_level="warning",
        disable_tqdm=not spec.progress,
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        # Every tuned parameter is used in every pass; looking for others costs time, and the authors did not either.
        ddp_find_unused_parameters=False,
    )
    # Several GPUs in one process would be used by DataParallel, which splits batches and changes the losses.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
