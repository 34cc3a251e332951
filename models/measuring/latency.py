"""Time every network for what comes with the repository: ``python -m models latency [NETWORK...]``.

The evaluation page's button measures in the same way, but keeps its times to this machine.
"""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from core.artifacts.model_card import artifacts_dir
from core.evaluation.latency import HERE_FILE, IMAGES, RUNS, SPEED_FILE, SpeedRun, measure_networks
from core.evaluation.plots.latency import milliseconds
from models.cli import run


def measured(names: tuple[str, ...]) -> SpeedRun:
    """With a progress bar on stderr. Raises ``ConfigError`` for a network that cannot be timed."""
    with tqdm(total=100, unit="%", file=sys.stderr, leave=False) as bar:

        def progress(share: float, name: str) -> None:
            bar.set_description(name)
            bar.update(round(share * 100) - bar.n)

        run = measure_networks(progress, names, file_name=SPEED_FILE)
    for name in run.speeds:
        # Older, and it would stand before the new one.
        (artifacts_dir() / name / HERE_FILE).unlink(missing_ok=True)
    return run


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 if a network could not be timed or its time not be stored, 2 if nothing was done."""
    parser = argparse.ArgumentParser(
        prog="python -m models latency",
        description=f"Median time of one face: {IMAGES} made-up pictures, {RUNS} runs each, one thread.",
    )
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="names of artifacts (default: all with a model)")
    return run(parser, _time, arguments)


def _time(options: argparse.Namespace) -> int:
    speeds = measured(tuple(options.networks))
    for name, speed in speeds.speeds.items():
        print(f"{name:28} {milliseconds(speed.ms_per_face)}")
    for problem in speeds.problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if speeds.problems else 0


if __name__ == "__main__":
    sys.exit(main())
