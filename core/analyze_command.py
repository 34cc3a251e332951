"""The command ``python -m core analyze PATH ...``."""

from __future__ import annotations

import argparse
import io
import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from core import labels
from core.analyzer import FaceAnalyzer
from core.batch import Totals, analyze_files, plan_annotated, skip_done
from core.errors import ConfigError, FacetError
from core.io import export
from core.io.export import Outcome
from core.io.records import CsvRecords, JsonRecords, RecordFile, align_records
from core.io.search import find_images
from core.settings import Attributes, DetectorSettings, NetworkChoice
from core.types import Analysis, Face

INTERRUPTED = 130
"""Exit status after Ctrl+C, as of a shell."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="*", metavar="PATH", help="image, folder, or pattern such as 'photos/*.jpg'")
    command.add_argument("--recursive", action="store_true", help="search the folders inside folders too")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write a table with one row per face")
    command.add_argument(
        "--json",
        nargs="?",
        const="",
        metavar="FILE",
        help="write one JSON list, to a FILE whose name ends in .json; without FILE, print it",
    )
    command.add_argument("--annotate", type=Path, metavar="DIR", help="write annotated copies (JPEG) to this folder")
    command.add_argument("--resume", action="store_true", help="go on with the --csv and --json of an interrupted run")
    add_thresholds(command)


def add_thresholds(command: argparse.ArgumentParser) -> None:
    """Add the options of detection and confidence."""
    command.add_argument(
        "--sensitivity", type=float, default=0.5, help="0 (few false positives) to 1 (few missed faces), default 0.5"
    )
    for name in ("emotion", "gender"):
        command.add_argument(
            f"--min-{name}",
            type=float,
            metavar="P",
            help=f"confidence threshold of {name}, 0 to 1 (default: on the model card)",
        )


def run(options: argparse.Namespace, detector_name: str, networks: NetworkChoice) -> int:
    """Analyze all files. Returns the exit status: 1 if a file could not be analyzed, ``INTERRUPTED`` after Ctrl+C.

    Raises ``ConfigError``, ``ArtifactError`` or ``DetectorError`` if nothing could be done.
    """
    json_path, print_json = _split_json(options)
    attributes = attributes_of(options)
    names = networks.for_attributes(attributes)
    search = find_images(options.paths, options.recursive, options.annotate)
    for note in search.notes:
        print(note, file=sys.stderr)
    if not search.files:
        raise ConfigError("no image to analyze. Name images, folders or patterns.")
    annotated = None if options.annotate is None else plan_annotated(search.files, options.annotate)
    analyzer = FaceAnalyzer.default(DetectorSettings(sensitivity=options.sensitivity), detector_name, networks)
    analyzer.warm_up()
    records = _open_records(options, json_path, names)
    done = align_records(records)
    files = skip_done(search.files, done)
    totals = Totals(failed=sum(done.values()), earlier=len(done))
    is_quiet = bool(records) or annotated is not None
    printer = _JsonPrinter(names) if print_json else _TextPrinter(errors_only=is_quiet)
    interrupted = False
    try:
        with tqdm(total=len(files), unit="file", file=sys.stderr, disable=not is_quiet) as bar:
            for outcome in analyze_files(files, analyzer, attributes, [*records, printer], annotated):
                totals.add(outcome)
                bar.update()
    except KeyboardInterrupt:
        interrupted = True
    except OSError as error:
        raise ConfigError(f"the results cannot be written: {error}.") from error
    finally:
        for record_file in records:
            record_file.close()
        printer.close()
    if is_quiet or len(files) > 1:
        print(totals, file=sys.stderr)
    if interrupted:
        left = len(files) - totals.files
        advice = "; add --resume to go on" if records else ""
        print(f"interrupted: {labels.pluralize(left, 'file')} left{advice}", file=sys.stderr)
        return INTERRUPTED
    return 1 if totals.failed else 0


def attributes_of(options: argparse.Namespace) -> Attributes:
    return Attributes(min_emotion_confidence=options.min_emotion, min_gender_confidence=options.min_gender)


def _split_json(options: argparse.Namespace) -> tuple[Path | None, bool]:
    """Return the file for JSON, and whether to print it. In ``--json photo.jpg``, the photo is a path to analyze."""
    if options.json and not options.json.lower().endswith(".json"):
        options.paths = [options.json, *options.paths]
        options.json = ""
    return (Path(options.json) if options.json else None), options.json == ""


def _open_records(options: argparse.Namespace, json_path: Path | None, networks: Mapping[str, str]) -> list[RecordFile]:
    if options.resume and not (options.csv or json_path):
        raise ConfigError("--resume needs the --csv or --json FILE of the interrupted run.")
    records: list[RecordFile] = []
    if options.csv:
        records.append(CsvRecords(options.csv, options.resume))
    if json_path:
        records.append(JsonRecords(json_path, options.resume, networks))
    return records


class _TextPrinter:
    """Prints each file with its faces, or with ``errors_only`` the files that could not be analyzed, above the bar."""

    def __init__(self, errors_only: bool) -> None:
        self._errors_only = errors_only
        # File names may hold any bytes, and terminals may not support every character.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    def add(self, file: str, outcome: Outcome) -> None:
        if isinstance(outcome, FacetError):
            tqdm.write(f"{file}: error: {outcome}", file=sys.stderr if self._errors_only else sys.stdout)
        elif not self._errors_only:
            print(_format(file, outcome))

    def close(self) -> None:
        pass


class _JsonPrinter:
    """Prints one JSON list, each result as soon as it is there."""

    def __init__(self, networks: Mapping[str, str]) -> None:
        self._networks = networks
        self._opening = "[\n"

    def add(self, file: str, outcome: Outcome) -> None:
        text = json.dumps(export.file_object(file, outcome, self._networks), indent=2)
        print(self._opening + textwrap.indent(text, "  "), end="")
        self._opening = ",\n"

    def close(self) -> None:
        print("[]" if self._opening == "[\n" else "\n]")


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
