"""The training bar: the trainer's own, with the last numbers on it instead of a line for every step."""

from collections.abc import Mapping

from transformers import ProgressCallback, TrainerControl, TrainerState, TrainingArguments


class QuietProgress(ProgressCallback):
    """`ProgressCallback` that shows loss and scores at the end of the bar."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Show the numbers of one log entry."""
        if self.training_bar is not None and logs:
            numbers = {name: f"{value:.4g}" for name, value in logs.items() if name not in ("epoch", "grad_norm")}
            self.training_bar.set_postfix(numbers, refresh=False)
