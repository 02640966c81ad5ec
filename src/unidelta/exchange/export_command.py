"""Write saved deltas for another library, or merge them into a stock model: `python -m unidelta export`.

The formats are peft (adapter_config.json), adapters (adapter_config.json of its 1.3) and merged (a stock folder of
transformers). What a format cannot express is refused; `--approximate lora --rank R` fits a low-rank update to it where
it is a change of weights, and reports the error on the texts of `--rows FILE`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from transformers.utils import logging

from unidelta.console.command import as_command
from unidelta.console.once import Once
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import ExchangeError, ExitStatus
from unidelta.exchange.approximate import row_error
from unidelta.exchange.exporting import FORMATS, MERGED, export_fitted, export_to
from unidelta.exchange.named_backbone import load_backbone
from unidelta.extensions.folders import add_folder
from unidelta.extensions.named_paths import path_argument
from unidelta.injection.saved import load, what_is_saved
from unidelta.records.atomic import another_folder


@as_command
def main(arguments: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python -m unidelta export`."""
    parser = Parser(prog=program("python -m unidelta export"), description=__doc__)
    parser.add_argument("folder", type=path_argument, metavar="DIR", help="saved deltas")
    parser.add_argument("--to", required=True, choices=FORMATS)
    parser.add_argument("--output", required=True, type=path_argument, metavar="OUT", help="a new folder")
    parser.add_argument("--backbone", metavar="CHECKPOINT", help="what they were trained in; default: the miniature")
    parser.add_argument("--revision", metavar="REVISION", help="of a hub id")
    parser.add_argument("--approximate", choices=("lora",), help="fit LoRA where the format cannot express the deltas")
    parser.add_argument("--rank", type=int, metavar="R", help="of --approximate")
    parser.add_argument(
        "--config-dir", action=Once, type=path_argument, metavar="DIR", help="a folder with the deltas' own forms"
    )
    parser.add_argument("--rows", type=path_argument, metavar="FILE", help="texts, one a line, to report the error on")
    asked = parser.parse_args(arguments)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    _check(asked)
    texts = [] if asked.rows is None else _texts(asked.rows)
    if asked.config_dir is not None:
        add_folder(asked.config_dir)
    saved = what_is_saved(asked.folder)
    backbone = load_backbone(asked.backbone, family=saved.family, labels=saved.labels or (), revision=asked.revision)
    injection = load(asked.folder, backbone.model)
    if asked.approximate is None:
        with another_folder("--output DIR"):
            export_to(injection, asked.output, to=asked.to, new=saved.new, tokenizer=backbone.tokenizer)
    else:
        with another_folder("--output DIR"):
            fitted, fit = export_fitted(injection, asked.output, asked.rank, to=asked.to, new=saved.new)
        print(fit)
        if asked.rows is not None:
            print(row_error(injection.model, fitted.model.eval(), backbone.tokenizer, texts))
    print(f"written to {asked.output}")
    return ExitStatus.DONE


def _check(asked: argparse.Namespace) -> None:
    """Refuse words that would not be read."""
    if asked.approximate is not None and asked.rank is None:
        why = "an approximation has a rank, and none is given"
        raise ExchangeError(f"export {asked.folder} --approximate lora", why, "--approximate lora --rank 8")
    if asked.approximate is None and asked.rank is not None:
        why = "only an approximation has a rank"
        raise ExchangeError(
            f"export {asked.folder} --rank {asked.rank}", why, f"--approximate lora --rank {asked.rank}"
        )
    if asked.approximate is not None and asked.to == MERGED:
        why = "what can be approximated is a change of weights, and merging that is exact"
        raise ExchangeError(f"export {asked.folder} --to {MERGED}", why, f"--to {MERGED} without --approximate")
    if asked.rows is not None and asked.approximate is None:
        why = "without an approximation there is no error to report"
        raise ExchangeError(f"export {asked.folder} --rows {asked.rows}", why, "--approximate lora --rank R as well")


def _texts(path: Path) -> list[str]:
    try:
        texts = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ExchangeError(f"--rows {path}", f"it cannot be read: {error}", "a file of texts, one a line") from None
    if not texts:
        raise ExchangeError(f"--rows {path}", "it has no text", "a file of texts, one a line")
    return texts


if __name__ == "__main__":
    sys.exit(main())
