"""Parameter-efficient transfer learning as one equation, `h ← compose(h, form(x or h))` (He et al., ICLR 2022)."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__version__ = "0.1.0"


def load(folder: str | Path, backbone: "PreTrainedModel") -> "PreTrainedModel":
    """Put what a run tuned into its backbone, ready for inference.

    Args:
        folder: `<results_dir>/<scale>/<task>/<run_id>`, which a complete run leaves (`save_deltas=true`).
        backbone: the stock model the run began with, in float32; changed in place.

    Returns:
        `backbone`, with the deltas in it, in eval mode, nothing of it trainable.

    Raises:
        CheckpointError: there are no deltas in the folder, or the backbone is of other sizes or has other weights.
        DamagedCheckpoint: the files are not what the run wrote.
    """
    from unidelta.artefact import load as put_into  # late: torch takes seconds to import

    return put_into(Path(folder), backbone)
