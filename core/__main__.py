"""Command line: ``python -m core analyze PATH ...``, ``batch PATH ...``, ``video FILE`` and ``benchmark``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from core import analyze_command, batch_command, environment, video_command
from core.attributes.catalog import network_choice
from core.benchmark import run_benchmark
from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.detection.registry import default_detector_name
from core.errors import FacetError
from core.settings import DEFAULT_NETWORKS, NetworkChoice


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status: 1 if an image could not be read, 2 if nothing could be done, 130 after
    Ctrl+C."""
    options = _parser().parse_args(arguments)
    commands = {
        "analyze": analyze_command.run,
        "batch": batch_command.run,
        "video": video_command.run,
        "benchmark": _benchmark,
    }
    try:
        return commands[options.command](options, options.detector or default_detector_name(), _networks(options))
    except KeyboardInterrupt:
        return analyze_command.INTERRUPTED
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core", description="Find faces and predict emotion, age and perceived gender."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    analyze = commands.add_parser("analyze", help="find the faces of images, and print them or write them to files")
    analyze_command.add_arguments(analyze)
    batch = commands.add_parser("batch", help="do it with many images on Ray, and write Parquet files")
    batch_command.add_arguments(batch)
    video = commands.add_parser("video", help="find the people of a video, and print them or write them to files")
    video_command.add_arguments(video)
    benchmark = commands.add_parser("benchmark", help="time every stage on one thread")
    for command in (analyze, batch, video, benchmark):
        _add_choices(command)
    benchmark.add_argument("--json", action="store_true", help="print one JSON object")
    benchmark.add_argument("--repeats", type=int, default=50, help="timed runs per stage (default 50)")
    return parser


def _add_choices(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--detector",
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: {environment.DETECTOR}, else {DEFAULT_DETECTOR})",
    )
    for attribute, default in DEFAULT_NETWORKS.by_attribute.items():
        command.add_argument(
            f"--{attribute}-network",
            metavar="NAME",
            help=f"name of a folder in models/artifacts (default: {environment.NETWORKS[attribute]}, else {default})",
        )


def _networks(options: argparse.Namespace) -> NetworkChoice:
    return network_choice({name: getattr(options, f"{name}_network") for name in DEFAULT_NETWORKS.by_attribute})


def _benchmark(options: argparse.Namespace, detector_name: str, networks: NetworkChoice) -> int:
    timings = run_benchmark(options.repeats, detector_name, choice=networks)
    if options.json:
        print(json.dumps(timings, indent=2))
        return 0
    print(f"{'stage':36} {'median ms':>10} {'p95 ms':>10}")
    for stage, figures in timings["stages"].items():
        print(f"{stage:36} {figures['median_ms']:10.2f} {figures['p95_ms']:10.2f}")
    for whole, shares in timings["shares"].items():
        print(f"{whole}: " + ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items()))
    for search, ratio in timings["times_as_fast_as_haar"].items():
        print(f"{search}: {ratio:.1f} times as fast as Haar with the same settings")
    networks_text = ", ".join(f"{attribute} by {name}" for attribute, name in timings["networks"].items())
    print(
        f"detector {timings['detector']}, {networks_text}, {timings['repeats']} runs each on one thread, "
        f"frame {timings['frame']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
