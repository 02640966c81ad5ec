"""The name of the device that a run uses, for its record and its checkpoints."""

from unidelta.training.spec import TrainingSpec


def device_name(training: TrainingSpec) -> str:
    """`cpu`, or the GPU's own name, such as `NVIDIA H200`; what was asked for, where that does not exist."""
    import torch  # late: a run that is found complete needs none of it

    if training.device == "cpu" or not torch.cuda.is_available():
        return "cpu" if training.device == "auto" else training.device
    return torch.cuda.get_device_name()
