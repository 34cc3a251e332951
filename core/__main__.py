"""Command line: ``python -m core analyze IMAGE ... [--json]`` and ``python -m core benchmark [--json]``."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from typing import Any

from core import environment, labels
from core.analyzer import FaceAnalyzer
from core.attributes.catalog import network_choice
from core.benchmark import run_benchmark
from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.detection.registry import default_detector_name
from core.errors import FacetError, ImageError
from core.io import export
from core.io.images import read_file
from core.settings import DEFAULT_NETWORKS, Attributes, DetectorSettings, NetworkChoice
from core.types import Analysis, Face


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status: 1 if an image could not be read, 2 if nothing could be done."""
    options = _parser().parse_args(arguments)
    try:
        return _analyze(options) if options.command == "analyze" else _benchmark(options)
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core", description="Find faces and predict emotion, age and perceived gender."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    analyze = commands.add_parser("analyze", help="analyze images and print their faces")
    analyze.add_argument("images", nargs="+", metavar="IMAGE")
    analyze.add_argument("--json", action="store_true", help="print one JSON list")
    analyze.add_argument(
        "--sensitivity", type=float, default=0.5, help="0 (few false positives) to 1 (few missed faces), default 0.5"
    )
    for name in ("emotion", "gender"):
        analyze.add_argument(
            f"--min-{name}",
            type=float,
            metavar="P",
            help=f"confidence threshold of {name}, 0 to 1 (default: on the model card)",
        )
    benchmark = commands.add_parser("benchmark", help="time every stage on one thread")
    for command in (analyze, benchmark):
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


def _analyze(options: argparse.Namespace) -> int:
    networks = _networks(options)
    detector_name = options.detector or default_detector_name()
    analyzer = FaceAnalyzer.default(DetectorSettings(sensitivity=options.sensitivity), detector_name, networks)
    attributes = Attributes(min_emotion_confidence=options.min_emotion, min_gender_confidence=options.min_gender)
    analyzer.warm_up()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may hold any bytes, and terminals may not support every character.
        sys.stdout.reconfigure(errors="backslashreplace")
    results: list[dict[str, Any]] = []
    for file in options.images:
        try:
            picture = read_file(file)
            analysis = analyzer.analyze(picture.frame, attributes).resized(picture.resolution_wh)
        except ImageError as error:
            results.append(export.error_object(file, error))
            text = f"{file}: error: {error}"
        else:
            results.append(export.to_json_object(file, analysis) | {"networks": networks.for_attributes(attributes)})
            text = _format(file, analysis)
        if not options.json:
            print(text)
    if options.json:
        print(json.dumps(results, indent=2))
    return 1 if any("error" in result for result in results) else 0


def _format(file: str, analysis: Analysis) -> str:
    rotation = f", rotated by {labels.format_rotation(analysis.rotation)}" if analysis.rotation else ""
    heading = f"{file}: {labels.pluralize(len(analysis.faces), 'face')}{rotation}"
    return "\n".join([heading, *map(_format_face, analysis.faces)])


def _format_face(face: Face) -> str:
    parts = []
    if face.emotion is not None:
        parts.append(("emotion " if face.emotion.uncertain else "") + labels.format_estimate(face.emotion))
    if face.age is not None:
        parts.append(f"age {labels.format_age(face.age)}")
    if face.gender is not None:
        parts.append(f"perceived gender {labels.format_estimate(face.gender)}")
    return f"  box {', '.join(f'{value:.0f}' for value in face.box.xyxy)}: {', '.join(parts)}"


def _benchmark(options: argparse.Namespace) -> int:
    networks = _networks(options)
    detector_name = options.detector or default_detector_name()
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
