"""Evaluate the face detectors on the test images: ``python -m models.evaluate detector --data DIR``.

Prints a table, or with ``--json`` one object; ``--store`` keeps the report, and the numbers that it is computed from,
in the detector's artifact. A detector that cannot be created is left out, with a message on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from tqdm import tqdm

from core.artifacts.model_card import CARD_FILE, DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir
from core.artifacts.storage import sha256_of, to_json
from core.datasets.faces import FacePhoto, drop_near_duplicates, load_faces
from core.datasets.samples import subsample
from core.detection import DEFAULT_DETECTOR, DETECTORS, FaceArrays, FaceDetector
from core.detection.haar import HaarDetector
from core.errors import ArtifactError, ConfigError, DetectorError
from core.evaluation.detection.conditions import (
    CONDITIONS,
    ORIGINAL,
    ROTATIONS_DEG,
    low_threshold_run,
    rotation_run,
)
from core.evaluation.detection.landmarks import MIN_IOD_PX
from core.evaluation.detection.metrics import detection_report, is_web
from core.evaluation.detection.report import DetectionReport, summary_metrics
from core.evaluation.detection.runner import detect_photos, detect_rotated, measure_latencies
from core.evaluation.detection.store import MEASURED_KEY, Runs, save_results
from core.evaluation.detection.tables import condition_table, latency_table, nme_table, recall_table
from core.settings import LIVE_DETECTOR, DetectorSettings
from models.cli import add_data, positive_int, report_left_out, run
from models.exporting.model_card import read_card, write_card

Factory = Callable[[DetectorSettings], FaceDetector]

CANDIDATES: dict[str, Factory] = {
    **DETECTORS,
    "haar_default": partial(HaarDetector, cascade="haarcascade_frontalface_default.xml"),
}
"""The detectors of the app, and another cascade for comparison."""
TITLES = {"facet": "Facet", "haar": "Haar alt2", "haar_default": "Haar default", "yunet": "YuNet"}


def select_detectors(names: Sequence[str], candidates: Mapping[str, Factory] = CANDIDATES) -> dict[str, Factory]:
    """Select the named detectors that can be created here; messages about the others go to stderr.

    Raises ``ConfigError`` for an unknown name, or if no detector can be created.
    """
    unknown = [name for name in names if name not in candidates]
    if unknown:
        raise ConfigError(f"unknown detector {unknown[0]!r}: choose from {', '.join(candidates)}")
    selected = {}
    for name in names:
        try:
            candidates[name](DetectorSettings())
        except (ArtifactError, DetectorError) as error:
            print(f"left out {name}: {error}", file=sys.stderr)
        else:
            selected[name] = candidates[name]
    if not selected:
        raise ConfigError("no detector can be created: see the messages above")
    return selected


def run_detector(name: str, factory: Factory, photos: Sequence[FacePhoto]) -> dict[str, tuple[FaceArrays, ...]]:
    """Make every run of one detector, see ``core.evaluation.detection.conditions``."""

    def progress(run: str) -> Iterable[FacePhoto]:
        return tqdm(photos, desc=f"{name}, {run}", unit="image", mininterval=1.0, leave=False)

    runs = {}
    for condition in CONDITIONS:
        run, side_px = condition.name, condition.longer_side_px
        runs[run] = detect_photos(factory(condition.settings), progress(run), side_px)
        if condition.curve:
            run = low_threshold_run(run)
            runs[run] = _drop_landmarks(
                detect_photos(factory(condition.low_threshold_settings), progress(run), side_px)
            )
    for degrees in ROTATIONS_DEG:
        run = rotation_run(degrees)
        runs[run] = _drop_landmarks(detect_rotated(factory(ORIGINAL.settings), progress(run), degrees))
    return runs


def _drop_landmarks(found: Sequence[FaceArrays]) -> tuple[FaceArrays, ...]:
    """Forget landmarks that no metric needs, which keeps the stored file small."""
    return tuple(replace(faces, landmarks=np.full_like(faces.landmarks, np.nan)) for faces in found)


def evaluate_detectors(
    factories: Mapping[str, Factory], photos: Sequence[FacePhoto]
) -> tuple[DetectionReport, dict[str, Runs]]:
    """Time and run the detectors; returns the report and the runs that it was computed from."""
    timed = [photo for photo in photos if is_web(photo.id)] or photos
    latencies = {
        name: (
            *measure_latencies(factory(DetectorSettings()), timed, live=False),
            *measure_latencies(factory(LIVE_DETECTOR), timed, live=True),
        )
        for name, factory in factories.items()
    }
    runs: dict[str, Runs] = {name: run_detector(name, factory, photos) for name, factory in factories.items()}
    titles = {name: TITLES.get(name, name) for name in factories}
    return detection_report([photo.annotations for photo in photos], runs, titles, latencies), runs


def format_report(report: DetectionReport) -> str:
    """Format everything that was measured as text."""
    detectors = report.detectors
    parts = (
        ("Default sensitivity", condition_table(detectors)),
        ("Recall by size", recall_table(detectors, "iod", lambda d: d.conditions[ORIGINAL.name].by_size)),
        ("Recall by rotation", recall_table(detectors, "rotation", lambda d: d.by_rotation)),
        ("Landmarks", nme_table(detectors, ORIGINAL.name)),
        ("Median milliseconds per frame, one thread", latency_table(detectors)),
    )
    faces = next(iter(detectors.values())).conditions[ORIGINAL.name].recall.n
    heading = (
        f"{report.images} test images ({report.web_images} from the web), {faces} annotated faces with an inter-ocular "
        f"distance of at least {MIN_IOD_PX:g} px"
    )
    tables = [f"{title}\n{part.to_string(index=False, float_format='%.4f')}" for title, part in parts if len(part)]
    return "\n\n".join([heading, *tables])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate detector", description="Evaluate the face detectors on the test images."
    )
    add_data(parser, "faces/")
    parser.add_argument("--detectors", help=f"comma-separated names; default: {','.join(CANDIDATES)}")
    parser.add_argument("--limit", type=positive_int, help="evaluate only so many images, for a quick look")
    parser.add_argument(
        "--store", action="store_true", help="write detection.json, detections.npz and the metrics on the card"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _evaluate, arguments)


def _evaluate(options: argparse.Namespace) -> None:
    if options.store and options.limit is not None:
        raise ConfigError("--store needs all images: leave out --limit")
    factories = select_detectors(options.detectors.split(",") if options.detectors else list(CANDIDATES))
    data = load_faces(options.data)
    report_left_out(data)
    splits = data.splits
    photos = drop_near_duplicates(splits["test"], splits["train"])
    print(f"left out {len(splits['test']) - len(photos)} near-duplicates of training images", file=sys.stderr)
    if options.limit is not None:
        # A sample, since the first images are all of one kind.
        photos = tuple(photos[row] for row in subsample(photos, options.limit))
    report, runs = evaluate_detectors(factories, photos)
    if options.store:
        _store(report, photos, runs)
    print(json.dumps(to_json(report), indent=2, allow_nan=False) if options.json else format_report(report))


def _store(report: DetectionReport, photos: Sequence[FacePhoto], runs: Mapping[str, Runs]) -> None:
    folder = artifacts_dir() / DETECTOR_ARTIFACT
    save_results(folder, report, [photo.annotations for photo in photos], runs)
    if DEFAULT_DETECTOR in report.detectors and (folder / CARD_FILE).is_file():
        metrics = summary_metrics(report.detectors[DEFAULT_DETECTOR].conditions[ORIGINAL.name])
        measured = {"metrics": {"test": metrics}, MEASURED_KEY: sha256_of(folder / SERVED_FILE)}
        write_card(folder, read_card(folder) | measured)


if __name__ == "__main__":
    sys.exit(main())
