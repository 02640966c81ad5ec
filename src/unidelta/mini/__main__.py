"""`python -m unidelta.mini`: print examples, pretrain backbones from scratch, draw their curves."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from unidelta.console.command import as_command
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.extensions.named_paths import path_argument
from unidelta.mini.corpus import SPLITS, rows
from unidelta.mini.miniature import MINIATURES
from unidelta.mini.world import SHIPPED_SEED


@as_command
def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the words after `python -m unidelta.mini`; None for the command line's.

    Returns:
        The exit status: 0, or 2 for an invalid request.
    """
    arguments = _parser().parse_args(argv)
    {"sample": _sample, "pretrain": _pretrain, "curves": _curves}[arguments.command](arguments)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=program("python -m unidelta.mini"), description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="print the first rows of a split")
    sample.add_argument("task", choices=SPLITS)
    sample.add_argument("--split", default="train")
    sample.add_argument("-n", type=_positive, default=3)
    sample.add_argument("--world", type=int, default=SHIPPED_SEED, help="seed of the world")
    pretrain = commands.add_parser("pretrain", help="train a backbone from scratch")
    pretrain.add_argument("family", choices=MINIATURES)
    pretrain.add_argument("--out", type=path_argument, help="folder; default: mini-FAMILY here")
    pretrain.add_argument("--seed", type=int, default=0, help="of weights and text")
    pretrain.add_argument("--world", type=int, default=SHIPPED_SEED, help="seed of the world")
    pretrain.add_argument("--steps", type=_positive, help="default: the recipe's")
    pretrain.add_argument("--scale-up", action="store_true", help="twice as wide, one layer deeper")
    curves = commands.add_parser("curves", help="draw loss and probes of the shipped backbones")
    curves.add_argument("--out", type=path_argument, required=True, help="an .svg file")
    return parser


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _sample(arguments: argparse.Namespace) -> None:
    for row in rows(arguments.task, arguments.split, seed=arguments.world)[: arguments.n]:
        print(json.dumps(row, ensure_ascii=False))


def _pretrain(arguments: argparse.Namespace) -> None:
    import torch  # late: `sample` does not need it

    from unidelta.mini.pretraining.objective import objective_of
    from unidelta.mini.pretraining.recipe import shortened
    from unidelta.mini.pretraining.save import save
    from unidelta.mini.pretraining.train import Point, pretrain

    torch.set_num_threads(1)  # fastest for models this small, and the order of sums is then always the same
    objective = objective_of(arguments.family, seed=arguments.world)
    recipe = objective.recipe if arguments.steps is None else shortened(objective.recipe, arguments.steps)
    folder = arguments.out or Path(f"mini-{arguments.family}")
    curve: list[Point] = []

    def tell(point: Point) -> None:
        curve.append(point)
        probes = "  ".join(f"{name} {value:.2f}" for name, value in point.probes.items())
        print(f"step {point.step:5}  loss {point.loss:.3f}  {probes}  {point.seconds:.0f} s", flush=True)

    model = pretrain(
        objective,
        recipe,
        seed=arguments.seed,
        scale_up=arguments.scale_up,
        probe_every=max(1, sum(stage.steps for stage in recipe) // 20),
        on_point=tell,
    )
    save(model, folder, objective=objective, recipe=recipe, seed=arguments.seed, curve=curve)
    print(f"written to {folder}; use it with backbone.checkpoint={folder}")


def _curves(arguments: argparse.Namespace) -> None:
    from unidelta.mini.pretraining.curves import draw_curves  # late: matplotlib

    draw_curves(arguments.out)


if __name__ == "__main__":
    sys.exit(main())
