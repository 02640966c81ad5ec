"""The name of the device that a run uses, for its record and its checkpoints."""

from unidelta.training.spec import TrainingSpec


def device_name(training: TrainingSpec) -> str:
    """`cpu`, or the GPU's name, such as `NVIDIA H200`; the requested device if it does not exist."""
    import torch  # late: a run that is already complete does not need it

    if training.device == "cpu" or not torch.cuda.is_available():
        return "cpu" if training.device == "auto" else training.device
    return torch.cuda.get_device_name()
