"""Analyze many files one after the other. Results go to sinks at once, so memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.drawing.annotator import annotate
from core.errors import ConfigError, DetectorError, ImageError
from core.io import images
from core.io.export import Outcome
from core.io.records import printable_name
from core.io.search import FoundFile, unique_paths
from core.labels import pluralize
from core.settings import Attributes
from core.types import Analysis
from core.video.session import FrameAnalyzer


class Sink(Protocol):
    """Where results go, in the order of the files."""

    def add(self, file: str, outcome: Outcome) -> None: ...


@dataclass
class Totals:
    """Counts of a run so far. ``failed`` files could not be analyzed, ``earlier`` ones were done by runs before."""

    files: int = 0
    faces: int = 0
    without_face: int = 0
    failed: int = 0
    earlier: int = 0

    def add(self, outcome: Outcome) -> None:
        self.files += 1
        if isinstance(outcome, Analysis):
            self.faces += len(outcome.faces)
            self.without_face += not outcome.faces
        else:
            self.failed += 1

    def merge(self, others: Totals) -> None:
        """Add the counts of another part of the run."""
        for name, count in vars(others).items():
            setattr(self, name, getattr(self, name) + count)

    def __str__(self) -> str:
        parts = [
            f"{pluralize(self.files, 'file')}: {pluralize(self.faces, 'face')}, {self.without_face} without a face"
        ]
        if self.failed:
            parts.append(f"{self.failed} could not be analyzed")
        if self.earlier:
            parts.append(f"{self.earlier} were done before")
        return ", ".join(parts)


def analyze_files(
    files: Iterable[FoundFile],
    analyzer: FrameAnalyzer,
    attributes: Attributes,
    sinks: Sequence[Sink],
    annotated: Mapping[str, Path] | None = None,
) -> Iterator[Outcome]:
    """Analyze ``files`` and yield each outcome after it went to every sink.

    ``annotated``: path -> where its annotated copy is written, before its result. Raises ``OSError`` if something
    cannot be written.
    """
    for file in files:
        outcome: Outcome
        try:
            picture = images.read_file(file.path)
            outcome = analyzer.analyze(picture.frame, attributes).resized(picture.resolution_wh)
        except (ImageError, DetectorError) as error:
            outcome = error
        else:
            if annotated is not None:
                _write_annotated(annotated[file.path], picture.frame, outcome)
        for sink in sinks:
            sink.add(file.path, outcome)
        yield outcome


def annotated_paths(paths: Iterable[PurePath]) -> Iterator[PurePath]:
    """Yield the path of each image's annotated copy, a JPEG file; all are different."""
    return unique_paths(
        path if path.suffix.lower() in (".jpg", ".jpeg") else path.with_name(f"{path.name}.jpg") for path in paths
    )


def plan_annotated(files: Sequence[FoundFile], folder: Path) -> dict[str, Path]:
    """Return path -> path of its annotated copy in ``folder``, in subfolders as below the folder that was searched.
    Raises ``ConfigError`` if an analyzed file would be overwritten."""
    targets = annotated_paths(file.relative for file in files)
    plan = {file.path: folder / target for file, target in zip(files, targets, strict=True)}
    originals = {Path(file.path).resolve() for file in files}
    for target in plan.values():
        if target.resolve() in originals:
            raise ConfigError(f"the annotated copies would overwrite {target}. Choose another folder for them.")
    return plan


def skip_done(files: Sequence[FoundFile], done: Collection[str]) -> list[FoundFile]:
    """Return the files without a record; ``done``: their ``printable_name``."""
    return [file for file in files if printable_name(file.path) not in done]


def _write_annotated(target: Path, frame: NDArray[np.uint8], analysis: Analysis) -> None:
    numbers = [None] if len(analysis.faces) == 1 else list(range(1, len(analysis.faces) + 1))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(images.encode_jpeg(annotate(frame, analysis, numbers=numbers, legend=True)))
