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
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._parameters: dict[str, Tensor] = {}
        self.step: int | None = None
        self.metrics: dict[str, float] = {}

    def offer(self, model: nn.Module, *, step: int, metrics: dict[str, float]) -> None:
        """Keep `model` if it is strictly better than the best so far."""
        key = self._selection.metric
        if self.step is not None and not self._selection.prefers(metrics[key], self.metrics[key]):
            return
        self.step, self.metrics = step, metrics
        self._parameters = {name: parameter.detach().to("cpu", copy=True) for name, parameter in tuned(model).items()}

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters of the best step, empty before the first evaluation."""
        return self._parameters

    def resume(self, *, step: int | None, metrics: dict[str, float], parameters: dict[str, Tensor]) -> None:
        """Restore the best step of a resumed run."""
        self.step, self.metrics, self._parameters = step, metrics, parameters

    def restore(self, model: nn.Module) -> None:
        """Give `model` the parameters of the best step; does nothing before the first evaluation."""
        parameters = dict(model.named_parameters())
        for name, best in self._parameters.items():
            parameters[name].data.copy_(best)
