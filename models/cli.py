"""What the command lines of this package share: arguments, their checks, and the exit status of an error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from core.artifacts.model_card import artifacts_dir, list_artifacts
from core.datasets.samples import Rejected, describe_rejected
from core.datasets.splits import SplitDataset
from core.errors import ArtifactMissingError, FacetError
from core.evaluation.metrics import classes_without_samples, describe_classes

DATA_SETS = "fer2013/ or fer2013.csv, and UTKFace/"


def run(
    parser: argparse.ArgumentParser,
    command: Callable[[argparse.Namespace], int | None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse ``arguments`` (default: the process's own), call ``command`` and return its exit status, 0 for ``None``.

    A ``FacetError`` is printed as one line; the exit status is then 2, as it is for wrong arguments.
    """
    options = parser.parse_args(arguments)
    try:
        return command(options) or 0
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


class ReadData(Protocol):
    """What a reader of a data set returns, of whatever kind."""

    @property
    def rejected(self) -> tuple[Rejected, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


def report_left_out(data: ReadData) -> None:
    """Print on stderr which files a reader left out and why, and its notes."""
    report_rejected(data.rejected)
    for note in data.notes:
        print(f"warning: {note}", file=sys.stderr)


def report_rejected(rejected: Sequence[Rejected]) -> None:
    """Print on stderr which files or rows were left out and why, if any were."""
    if rejected:
        print(f"warning: {describe_rejected(rejected)}", file=sys.stderr)


def report_splits(data: SplitDataset, task: str) -> None:
    """Print on stderr what was left out of ``data``, the splits without images, and the classes of ``task`` without."""
    report_left_out(data)
    if data.dropped:
        print(f"warning: left out: {data.dropped:,} training near-duplicates of test images", file=sys.stderr)
    for split, samples in data.splits.items():
        missing = classes_without_samples(task, samples.labels)
        if not len(samples):
            print(f"warning: no images in the split {split}", file=sys.stderr)
        elif missing:
            print(f"warning: no images in the split {split} of {describe_classes(missing)}", file=sys.stderr)


def add_data(parser: argparse.ArgumentParser, contents: str = DATA_SETS, required: bool = True) -> None:
    """Add ``--data``: a folder that holds ``contents``."""
    parser.add_argument("--data", type=Path, required=required, metavar="DIR", help=f"folder with {contents}")


def add_artifact(parser: argparse.ArgumentParser) -> None:
    """Add the positional ``artifact``; ``artifact_folder`` finds its folder."""
    parser.add_argument("artifact", help="name of a folder in models/artifacts")


def artifact_folder(name: str) -> Path:
    """Find the folder of an installed artifact. Raises ``ArtifactMissingError``, which names the installed ones."""
    folder = artifacts_dir() / name
    if not folder.is_dir():
        installed = ", ".join(artifact.name for artifact in list_artifacts()) or "none"
        raise ArtifactMissingError(f"no artifact {name!r} in {folder.parent}: installed are {installed}")
    return folder


def positive_int(text: str) -> int:
    """Parse an integer of at least 1. Raises ``argparse.ArgumentTypeError``."""
    return _int_of_at_least(1, text)


def non_negative_int(text: str) -> int:
    """Parse an integer of at least 0. Raises ``argparse.ArgumentTypeError``."""
    return _int_of_at_least(0, text)


def _int_of_at_least(minimum: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an integer, got {text!r}") from None
    if number < minimum:
        raise argparse.ArgumentTypeError(f"must be at least {minimum}, got {number}")
    return number
