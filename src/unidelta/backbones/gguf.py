"""A GGUF file, as llama.cpp reads it, as a folder that `backbone.checkpoint=DIR` and transformers read.

Quantised weights become the float32 numbers that they stand for; nothing is quantised afterwards.
"""

import importlib.util
from pathlib import Path

from unidelta.errors import BackboneError, first_line
from unidelta.records.atomic import system_errors_named, whole_folder

_MAGIC = b"GGUF"
_EXTRA = "pip install 'unidelta[gguf]'"


def from_gguf(file: Path, folder: Path) -> str:
    """Convert a file.

    Args:
        file: of one of the supported architectures; quantised or not.
        folder: created, all or nothing; must not exist, or be empty.

    Returns:
        The architecture, as `backbone=` names it.

    Raises:
        BackboneError: there is no such file, or it is not a GGUF file, the folder has something in it, the package
            `gguf` is not installed, or no delta can be put into the architecture.
        RecordError: the disk does not take it.
    """
    asked = f"from-gguf {file} {folder}"
    _check(file, folder, asked)
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer  # late: seconds

    from unidelta.backbones.pretrained import quiet
    from unidelta.backbones.tokenizer import check_vocabulary
    from unidelta.design.config_facts import known_family

    source = {"pretrained_model_name_or_path": file.parent, "gguf_file": file.name}
    try:
        with quiet():
            config = AutoConfig.from_pretrained(**source)
            family = known_family(config.model_type)
            tokenizer = AutoTokenizer.from_pretrained(**source)
            read = AutoModelForCausalLM.from_pretrained(**source, dtype="float32")
        model = AutoModelForCausalLM.from_config(config)  # what was read counts as quantised, which cannot be saved
        model.load_state_dict(read.state_dict())
    except BackboneError:
        raise
    except Exception as error:  # the reader raises whatever it meets
        first = first_line(error)
        raise BackboneError(
            asked, f"transformers' reader: {first}", "a complete GGUF file, of an architecture that the reader knows"
        ) from error
    check_vocabulary(tokenizer, model, asked=asked)
    with system_errors_named(folder), whole_folder(folder) as partial, quiet():
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
    return family.name


def _check(file: Path, folder: Path, asked: str) -> None:
    if not file.is_file():
        raise BackboneError(asked, f"there is no file {file}", "a file that ends in .gguf")
    with file.open("rb") as content:
        if content.read(len(_MAGIC)) != _MAGIC:
            raise BackboneError(
                asked, f"{file.name} is not a GGUF file: it does not begin with GGUF", "a file that llama.cpp wrote"
            )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackboneError(asked, f"{folder} exists and is not empty", "a folder that does not exist yet")
    if importlib.util.find_spec("gguf") is None:
        raise BackboneError(asked, "the package gguf, which reads such files, is not installed", _EXTRA)
