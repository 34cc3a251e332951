"""Measure how often the answer about one face changes: ``python -m models consistency ARTIFACT --data DIR``.

FairFace's test portraits, with a grey margin, are read as they are, and after small changes that nobody would notice:
moved, resized, mirrored. Detector and network read every picture, with one view per face and with several. The report
goes into ``consistency.json`` in the artifact's folder, and the card lists that file.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from tqdm import tqdm

from core.artifacts.model_card import DETECTOR_ARTIFACT, SERVED_FILE, ModelCard, artifacts_dir, load_card
from core.artifacts.storage import sha256_of
from core.attributes.estimator import LiteRTEstimator
from core.datasets.photographs import Photograph, list_photographs
from core.datasets.samples import fingerprint, hash_position
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.errors import ConfigError, DatasetError
from core.evaluation.consistency import (
    AnswerChanges,
    ConsistencyReport,
    consistency_table,
    count_changes,
    save_consistency,
)
from core.evaluation.detection import variants
from core.evaluation.detection.variants import Variant
from core.evaluation.photographs import age_arrays, class_probabilities, largest_face
from core.evaluation.robustness import served_sha256
from core.settings import DetectorSettings, ViewSettings
from core.tasks import FAIRFACE, TASKS
from core.types import Detection, Face
from models.cli import add_artifact, add_data, artifact_folder, positive_int, report_rejected, run
from models.exporting.model_card import read_card, write_card
from models.measuring.photographs import photo_analyzer

PORTRAITS = 300
MARGIN = 0.25
"""Around a portrait, as a share of its side, so that a shift does not cut the face."""
CHANGES: Mapping[str, Callable[[variants.Image], Variant]] = MappingProxyType(
    {
        "as it is": variants.keep,
        "right 4 px": partial(variants.shift, x_px=4, y_px=0),
        "down 4 px": partial(variants.shift, x_px=0, y_px=4),
        "up and left 4 px": partial(variants.shift, x_px=-3, y_px=-3),
        "scale 0.75": partial(variants.zoom, factor=0.75),
        "scale 1.5": partial(variants.zoom, factor=1.5),
        "mirrored": variants.mirror,
    }
)


def select_portraits(photographs: Sequence[Photograph], count: int = PORTRAITS) -> list[Photograph]:
    """Draw ``count`` photographs, always the same ones."""
    return sorted(photographs, key=lambda photograph: hash_position(photograph.id))[:count]


class _LastFrame:
    """Finds the faces of a frame once, whichever number of views is read from it."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._frame: variants.Image | None = None
        self._faces: tuple[Detection, ...] = ()

    def detect(self, frame: variants.Image) -> tuple[Detection, ...]:
        if frame is not self._frame:
            self._frame, self._faces = frame, self._detector.detect(frame)
        return self._faces


def read_changed(
    portraits: Sequence[Photograph],
    estimator: LiteRTEstimator,
    views: Sequence[int],
    progress: Callable[[], object] = lambda: None,
) -> dict[int, dict[str, list[Face]]]:
    """Read every portrait after every one of ``CHANGES`` with each number of ``views``.

    Returns number of views -> change -> faces; portraits where a face is missed are left out.
    """
    detector = _LastFrame(create_detector(DEFAULT_DETECTOR, DetectorSettings()))
    analyzers = {count: photo_analyzer(estimator, count, detector) for count in views}
    faces: dict[int, dict[str, list[Face]]] = {count: {name: [] for name in CHANGES} for count in views}
    for portrait in portraits:
        image = portrait.read()
        if isinstance(image, str):
            raise DatasetError(f"{portrait.id}: {image}")
        padded = variants.pad(image, MARGIN).image
        changed = {name: change(padded).image for name, change in CHANGES.items()}
        found = {
            (count, name): face
            for name, frame in changed.items()
            for count, analyzer in analyzers.items()
            if (face := largest_face(analyzer.analyze(frame))) is not None
        }
        if len(found) == len(changed) * len(analyzers):
            for (count, name), face in found.items():
                faces[count][name].append(face)
        progress()
    return faces


def measure(
    folder: Path, portraits: Sequence[Photograph], views: Sequence[int], *, show_progress: bool = False
) -> ConsistencyReport:
    """Measure the artifact in ``folder`` with each number of ``views``. Raises ``DatasetError`` if no face is found."""
    estimator, start_s = LiteRTEstimator(folder), time.perf_counter()
    card = estimator.card
    output = next((name for name in ("emotion", "gender") if name in card.attributes), None)
    if output is None:
        raise ConfigError(f"consistency is measured for emotion and gender, {card.name} predicts neither")
    with tqdm(total=len(portraits), desc=card.name, disable=not show_progress, file=sys.stderr) as bar:
        faces = read_changed(portraits, estimator, views, bar.update)
    found = len(next(iter(faces[views[0]].values())))
    if found == 0:
        raise DatasetError(f"no face was found in every picture of any of {len(portraits)} portraits")
    return ConsistencyReport(
        artifact=card.name,
        output=output,
        model_sha256=served_sha256(card),
        detector_sha256=sha256_of(artifacts_dir() / DETECTOR_ARTIFACT / SERVED_FILE),
        images=len(portraits),
        found=found,
        fingerprint=fingerprint(portrait.id for portrait in portraits),
        elapsed_s=round(time.perf_counter() - start_s, 1),
        by_views=tuple(_count(count, faces[count], output, card.for_views(count)) for count in views),
    )


def _count(views: int, faces: Mapping[str, Sequence[Face]], output: str, card: ModelCard) -> AnswerChanges:
    probabilities = {name: class_probabilities(found, output) for name, found in faces.items()}
    ages = {name: age_arrays(found).years for name, found in faces.items()} if "age" in card.attributes else None
    return count_changes(views, probabilities, card.min_confidence.get(output, 0.0), ages)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models consistency", description="Measure how often answers about the same face change."
    )
    add_artifact(parser)
    add_data(parser, "FairFace")
    parser.add_argument("--limit", type=positive_int, default=PORTRAITS, help=f"portraits (default: {PORTRAITS})")
    return run(parser, _measure_artifact, arguments)


def _measure_artifact(options: argparse.Namespace) -> None:
    folder = artifact_folder(options.artifact)
    if not TASKS[load_card(folder).task].outputs:
        raise ConfigError(f"{folder.name} is not a network for faces")
    photographs, rejected = list_photographs(FAIRFACE.name, options.data)
    report_rejected(rejected)
    portraits = select_portraits(photographs, options.limit)
    report = measure(folder, portraits, (1, ViewSettings().count), show_progress=True)
    save_consistency(folder, report)
    write_card(folder, read_card(folder))
    print(f"{report.found} of {report.images} portraits, {report.elapsed_s:.0f} s")
    print(consistency_table(report).T.to_string(header=False, float_format="%.4f"))


if __name__ == "__main__":
    sys.exit(main())
