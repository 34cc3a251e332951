"""Time networks and store their speed beside their cards: ``python -m models latency [NETWORK...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tqdm import tqdm

from core.evaluation.latency import IMAGES, RUNS, measure_networks
from models.cli import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 if a network could not be timed or its time not be stored, 2 if nothing was done."""
    parser = argparse.ArgumentParser(
        prog="python -m models latency",
        description=f"Median time per face: {IMAGES} made-up crops, {RUNS} runs each, one thread.",
    )
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="names of artifacts (default: all with a model)")
    return run(parser, _measure, arguments)


def _measure(options: argparse.Namespace) -> int:
    with tqdm(total=100, unit="%", file=sys.stderr, leave=False) as bar:

        def progress(share: float, name: str) -> None:
            bar.set_description(name)
            bar.update(round(share * 100) - bar.n)

        result = measure_networks(progress, tuple(options.networks))
    for name, speed in result.speeds.items():
        print(f"{name:28} {speed.ms_per_face:.2f} ms")
    for problem in result.problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
