"""Write saved deltas for another library, or merge them into a stock model: `python -m unidelta export`.

The formats are peft (adapter_config.json), adapters (adapter_config.json of its 1.3) and merged (a stock folder of
transformers). What a format cannot say is refused; `--approximate lora --rank R` fits a low-rank update to it where it
is a change of weights, and reports the error on the texts of `--rows FILE`.
"""

import argparse
import sys
from collections.abc import Sequence

from transformers.utils import logging

from unidelta.console.closed_pipe import drop_unread_output
from unidelta.console.program import program
from unidelta.errors import ExitStatus, UserError, status_of
from unidelta.exchange.exporting import FORMATS, export
from unidelta.exchange.named_backbone import load_backbone
from unidelta.extensions.named_paths import path_argument
from unidelta.injection.saved import load, what_is_saved


def main(arguments: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python -m unidelta export`."""
    drop_unread_output()
    parser = argparse.ArgumentParser(prog=program("python -m unidelta export"), description=__doc__)
    parser.add_argument("folder", type=path_argument, metavar="DIR", help="saved deltas")
    parser.add_argument("--to", required=True, choices=FORMATS)
    parser.add_argument("--output", required=True, type=path_argument, metavar="OUT", help="a new folder")
    parser.add_argument("--backbone", metavar="CHECKPOINT", help="what they were trained in; default: the miniature")
    parser.add_argument("--revision", metavar="REVISION", help="of a hub id")
    asked = parser.parse_args(arguments)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        saved = what_is_saved(asked.folder)
        backbone = load_backbone(
            asked.backbone, family=saved.family, labels=saved.labels or (), revision=asked.revision
        )
        injection = load(asked.folder, backbone.model)
        export(injection, asked.output, to=asked.to, new=saved.new, tokenizer=backbone.tokenizer)
    except UserError as error:
        print(error, file=sys.stderr)
        return status_of(error)
    print(f"written to {asked.output}")
    return ExitStatus.DONE
