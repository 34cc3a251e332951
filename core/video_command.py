"""The command ``python -m core video FILE``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from core import analyze_command, labels
from core.analyzer import FaceAnalyzer
from core.errors import ConfigError
from core.settings import VIDEO_DETECTOR, NetworkChoice, OverlayStyle, VideoSampling
from core.video.analysis import AnnotatedCopy, analyze_video, describe_early_end, planned_s
from core.video.audience import BINS_S, Person
from core.video.reader import probe_video
from core.video.records import ResultFiles

_TABLES = ("csv", "people", "audience")
_BAR = "{percentage:3.0f}%|{bar}| {n:.1f} of {total:.1f} s, {remaining} left"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="video: MP4, MOV, MKV, WebM, AVI or GIF")
    command.add_argument("--annotated", type=Path, metavar="FILE", help="write an annotated copy (MP4)")
    command.add_argument("--blur", action="store_true", help="pixelate the faces of the annotated copy")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write a table with one row per face and sample")
    command.add_argument("--people", type=Path, metavar="FILE", help="write a table with one row per person")
    command.add_argument("--audience", type=Path, metavar="FILE", help="write a table of aggregates without persons")
    command.add_argument(
        "--bin", type=float, choices=list(BINS_S.values()), default=60.0, help="seconds per row of it, default 60"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--fps", type=float, default=VideoSampling().fps, help="samples per second, default 5")
    command.add_argument("--start", type=float, default=0.0, metavar="S", help="first second, default 0")
    command.add_argument("--end", type=float, metavar="S", help="last second, default: to the end")
    analyze_command.add_thresholds(command)


def run(options: argparse.Namespace, detector_name: str, networks: NetworkChoice) -> int:
    """Analyze a video. Returns the exit status: ``INTERRUPTED`` after Ctrl+C, with everything up to then written.

    Raises ``VideoError``, ``ConfigError``, ``ArtifactError`` or ``DetectorError`` if nothing could be done.
    """
    sampling = VideoSampling(options.fps, options.start, options.end)
    info = probe_video(options.file, str(options.file))
    attributes = analyze_command.attributes_of(options)
    detector = replace(VIDEO_DETECTOR, sensitivity=options.sensitivity)
    analyzer = FaceAnalyzer.default(detector, detector_name, networks)
    analyzer.warm_up()
    done_s, interrupted, has_samples = sampling.start_s, False, False
    with ExitStack() as stack:
        created: list[Path] = []
        # Files without a sample would only stand in the way of the next try.
        stack.push(lambda kind, *_: _remove([] if kind is None or has_samples else created))
        # Files that cannot be written are told before the work starts.
        tables = {
            name: _create(path, stack, created) for name in _TABLES if (path := getattr(options, name)) is not None
        }
        copy = None
        if options.annotated is not None:
            _create(options.annotated, stack, created)
            copy = AnnotatedCopy(options.annotated, OverlayStyle(blur_faces=options.blur))
        results = stack.enter_context(
            ResultFiles(
                info,
                networks.for_attributes(attributes),
                samples=tables.get("csv"),
                people=tables.get("people"),
                audience=tables.get("audience"),
                json=sys.stdout if options.json else None,
                bin_s=options.bin,
            )
        )
        times = stack.enter_context(
            closing(analyze_video(options.file, info, analyzer, results.sinks, attributes, sampling, copy))
        )
        total_s = planned_s(info, sampling)
        bar = stack.enter_context(tqdm(total=total_s, file=sys.stderr, unit=" s", bar_format=_BAR if total_s else None))
        try:
            for time_s in times:
                bar.update(time_s - done_s)
                done_s, has_samples = time_s, True
        except KeyboardInterrupt:
            interrupted = True
        except OSError as error:
            raise ConfigError(f"the results cannot be written: {error}.") from error
    people = results.log.people()
    if not (options.json or tables or copy):
        print("\n".join(map(_format, people)) or "nobody in view")
    count = "1 person" if len(people) == 1 else f"{len(people)} people"
    print(f"{options.file}: {count} in view up to {done_s:.1f} s", file=sys.stderr)
    note = "interrupted, the results so far are complete" if interrupted else describe_early_end(info, sampling, done_s)
    if note:
        print(note, file=sys.stderr)
    return analyze_command.INTERRUPTED if interrupted else 0


def _create(path: Path, stack: ExitStack, created: list[Path]) -> TextIO:
    try:
        stream = stack.enter_context(path.open("x", encoding="utf-8", newline="", buffering=1))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}. Choose another file.") from error
    created.append(path)
    return stream


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _format(person: Person) -> str:
    mix = person.mix
    parts = [f"{person.first_s:.1f} to {person.last_s:.1f} s", f"{mix.seconds:.1f} s in view"]
    if person.age_years is not None:
        parts.append(f"age {labels.round_age(person.age_years)}")
    if person.gender is not None:
        parts.append(f"perceived gender {labels.format_estimate(person.gender)}")
    if mix.shares:
        parts.append(mix.format_top(2))
    return f"person {person.track_id}: {', '.join(parts)}"
