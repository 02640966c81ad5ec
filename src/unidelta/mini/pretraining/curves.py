"""The figure of pretraining: loss and probes of the shipped backbones, from their provenance files."""

import json
import math
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from unidelta.backbones.shipped import BACKBONES
from unidelta.mini.miniature import MINIATURES

_COLOURS = tuple("#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #999999".split())
"""Okabe & Ito's, which colour-blind readers can tell apart, and grey."""


def draw_curves(path: Path) -> None:
    """Write an SVG; equal curves give equal bytes."""
    with mpl.rc_context({"svg.hashsalt": "unidelta", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(3 * len(MINIATURES), 4.2), layout="constrained")
        axes = figure.subplots(2, len(MINIATURES), sharex="col")
        for column, family in enumerate(MINIATURES):
            curve = json.loads((BACKBONES / family / "provenance.json").read_text(encoding="utf-8"))["curve"]
            steps = [point["step"] for point in curve]
            axes[0, column].plot(steps, [point["loss"] for point in curve], color="black")
            axes[0, column].set_title(f"mini-{family}")
            for colour, name in zip(_COLOURS, curve[-1]["probes"], strict=False):
                values = [point["probes"].get(name, math.nan) for point in curve]
                axes[1, column].plot(steps, values, color=colour, label=name)
            axes[1, column].set_ylim(-0.05, 1.05)
            axes[1, column].set_xlabel("step")
            axes[1, column].legend(fontsize=7, loc="center right")
        axes[0, 0].set_ylabel("loss (nats per token)")
        axes[1, 0].set_ylabel("facts known")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
