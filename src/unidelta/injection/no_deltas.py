"""A folder without saved deltas: what it is, and what to load or type in its place."""

from pathlib import Path

from unidelta.errors import RecordError, SavedDeltasError
from unidelta.records.record import RunRecord
from unidelta.records.run_files import RunFiles

DESIGN = "design.json"


def no_deltas(folder: Path, asked: str, error: OSError) -> SavedDeltasError:
    """The refusal of a folder without saved deltas, by what is there.

    Args:
        folder: as it was typed.
        asked: in words.
        error: of reading its files.
    """
    why, instead = _said(folder) or (f"{error.strerror}: {error.filename}", _near(folder))
    return SavedDeltasError(asked, why, instead)


def _said(folder: Path) -> tuple[str, str] | None:
    """Why there are no deltas and what to do, of a whole model and of a run's own folders; else None."""
    if (folder / DESIGN).is_file():
        return None
    if (folder / "config.json").is_file() and any(folder.glob("model*.safetensors")):
        return "it is a whole model, not deltas beside a backbone", f'from_pretrained("{folder}") loads it as it is'
    files = _run_of(folder.absolute())
    if files.deltas.is_dir() and files.deltas != folder.absolute():
        return "it holds the checkpoints of a run", f"what the run saved: {files.deltas}"
    record = _record(files)
    if record is None and not (files.checkpoints.is_dir() or files.lock.is_file() or files.history.is_file()):
        return None
    if record is None or record.status == "interrupted":
        return f"run {files.run_id} is not finished", "the command that began it resumes it; then the run's folder"
    if record.status == "complete":
        return (
            f"run {files.run_id} kept no deltas",
            "the run again with force=true save_deltas=true (save_model=true for method=full)",
        )
    return f"run {files.run_id} did not complete: {record.status}", f"a complete run; {files.record} says why it is not"


def _run_of(folder: Path) -> RunFiles:
    """The files of the run whose folder, folder of checkpoints or single checkpoint it would be."""
    own = folder.parent if folder.parent.suffix == ".checkpoints" else folder
    return RunFiles(folder=own.parent, run_id=own.name.removesuffix(".checkpoints"))


def _record(files: RunFiles) -> RunRecord | None:
    try:
        return files.read()
    except RecordError:
        return None


def _near(folder: Path) -> str:
    if (folder / "adapter_config.json").is_file():
        library = "peft" if list(folder.glob("adapter_model.*")) else "adapters"
        return f"python -m unidelta import {folder} --from {library} --backbone CHECKPOINT --output DIR, then DIR"
    if folder.suffix == ".json" and (folder.with_suffix("") / DESIGN).is_file():
        return f"the folder beside the record: {folder.with_suffix('')}"
    below = sorted(path.parent for path in folder.glob(f"*/{DESIGN}"))
    return f"{below[0]}, one of {len(below)} below it" if below else "a folder of deltas.save, or of a run"
