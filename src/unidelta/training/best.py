"""The best step so far: its score and its trained parameters."""

from torch import Tensor, nn

from unidelta.tasks import Selection
from unidelta.training.snapshot import tuned


class BestStep:
    """Keeps the trained parameters of the best evaluation in memory, on the CPU.

    Deltas are a few percent of a model, so a copy costs less than a checkpoint.

    Args:
        selection: how two evaluations compare.

    Attributes:
        step: the best step, None before the first evaluation.
        metrics: its metrics.
        parameters: its trained parameters, by name.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self.step: int | None = None
        self.metrics: dict[str, float] = {}
        self.parameters: dict[str, Tensor] = {}

    def offer(self, model: nn.Module, *, step: int, metrics: dict[str, float]) -> None:
        """Keep `model` if it is strictly better than the best so far."""
        key = self._selection.metric
        if self.step is not None and not self._selection.prefers(metrics[key], self.metrics[key]):
            return
        self.step, self.metrics = step, metrics
        self.parameters = {name: parameter.detach().to("cpu", copy=True) for name, parameter in tuned(model).items()}

    def restore(self, model: nn.Module) -> None:
        """Give `model` the parameters of the best step; does nothing before the first evaluation."""
        parameters = dict(model.named_parameters())
        for name, best in self.parameters.items():
            parameters[name].data.copy_(best)
