"""Training, evaluation and measurement: ``python -m models COMMAND ...``; ``--help`` lists the commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "train": ("models.train", "train a network"),
    "export": ("models.export", "turn a finished run into an artifact"),
    "evaluate": ("models.evaluate", "evaluate an artifact, or the face detectors"),
    "pack": ("models.faces.packing", "pack faces for training age and perceived gender"),
    "teach": ("models.faces.teaching", "write a teacher's answers about emotion"),
    "prepare": ("models.prepare", "copy a data set into class folders"),
    "alignment": ("models.measuring.alignment", "fit the face alignment to a detector"),
    "robustness": ("models.measuring.robustness", "evaluate an artifact on corrupted images"),
    "consistency": ("models.measuring.consistency", "measure how often answers about the same face change"),
    "quality": ("models.measuring.quality", "fit the face quality score"),
    "thresholds": ("models.measuring.thresholds", "refit the confidence thresholds of stored cards"),
    "peers": ("models.peers.command", "measure published packages on the test images"),
    "latency": ("models.measuring.latency", "time the networks"),
    "detector-photos": ("models.detection.photos", "label and pack the photographs that the detector learns from"),
    "detector-train": ("models.detection.train", "train the face detector; needs PyTorch"),
    "detector-negatives": ("models.detection.hard_negatives", "find what the detector takes for faces; needs PyTorch"),
    "detector-export": ("models.detection.export", "turn a detector run into an artifact"),
    "results": ("models.results", "write docs/results.md from the model cards"),
}
"""Command -> module with its ``main``, and what it does. Modules are imported on demand: some load TensorFlow."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of ``COMMANDS`` and return its exit status."""
    lines = "\n".join(f"  {name:18} {text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m models",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"commands (each has its own --help):\n{lines}",
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the command")
    options = parser.parse_args(arguments)
    module, _ = COMMANDS[options.command]
    status: int = import_module(module).main(options.arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
