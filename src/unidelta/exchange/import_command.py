"""Read deltas of another library, and save them here: `python -m unidelta import DIR --from FORMAT --backbone …`.

The formats are peft, adapters, and authors: a checkpoint of the paper's released code. That does not say what was
tuned, so the options that it was trained with follow: `attn_mode=prefix attn_option=concat attn_bn=30 mid_dim=800 …`.
"""

import sys
from collections.abc import Sequence

from transformers.utils import logging

from unidelta.backbones.loading import LoadedBackbone
from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import BackboneError, ExchangeError, ExitStatus
from unidelta.exchange.folder import check_free
from unidelta.exchange.importing import SOURCES, import_from
from unidelta.exchange.named_backbone import load_backbone
from unidelta.extensions.named_paths import path_argument
from unidelta.injection.saved import name_labels, save
from unidelta.records.atomic import another_folder


@as_command
def main(arguments: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python -m unidelta import`."""
    parser = Parser(prog=program("python -m unidelta import"), description=__doc__)
    parser.add_argument("folder", type=path_argument, metavar="DIR", help="what the other library saved")
    parser.add_argument("--from", required=True, choices=SOURCES, dest="source")
    parser.add_argument("--output", required=True, type=path_argument, metavar="OUT", help="a new folder")
    parser.add_argument("--backbone", required=True, metavar="CHECKPOINT", help="what they were trained in")
    parser.add_argument("--revision", metavar="REVISION", help="of a hub id")
    parser.add_argument("--labels", default="", metavar="A,B,…", help="names of the classes, in the head's order")
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="the authors' options, with --from authors")
    parser.add_argument("--allow-bin", action="store_true", help="read tensors, and nothing else, from a pickle")
    asked = parser.parse_intermixed_args(arguments)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    labels = [label.strip() for label in asked.labels.split(",") if label.strip()]
    words = f"import {asked.folder} from {asked.source}"
    options = _options(asked.options, words)
    check_free(asked.output, asked=words)
    backbone = load_backbone(asked.backbone, labels=labels, revision=asked.revision)
    if labels:
        name_labels(backbone.model, labels)
    injection, beside = import_from(
        asked.folder, backbone.model, source=asked.source, allow_bin=asked.allow_bin, options=options
    )
    _check_new(backbone, beside, words)
    with another_folder("--output DIR"):
        save(injection, asked.output, new=beside)
    print(f"written to {asked.output}")
    return ExitStatus.DONE


def _options(typed: Sequence[str], asked: str) -> dict[str, str]:
    wrong = [word for word in typed if "=" not in word]
    if wrong:
        raise ExchangeError(asked, f"`{wrong[0]}` is not OPTION=VALUE", "OPTION=VALUE, such as attn_mode=prefix")
    return dict(word.split("=", 1) for word in typed)


def _check_new(backbone: LoadedBackbone, beside: Sequence[str], asked: str) -> None:
    """Refuse a model of which a part is in neither checkpoint, and would be random."""
    lacking = sorted(set(backbone.new) - set(beside))
    if lacking:
        module = lacking[0].rpartition(".")[0]
        why = f"neither it nor the backbone has {module}, which would be random"
        raise BackboneError(asked, why, "a folder saved with its head, or a backbone that has one")


if __name__ == "__main__":
    sys.exit(main())
