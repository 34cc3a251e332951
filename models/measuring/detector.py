"""Evaluate the face detectors on all test sets: ``python -m models.evaluate detector --data DIR [--yunet FILE]``.

Prints tables, or with ``--json`` one object; ``--store`` keeps the report, and the numbers that it is computed from, in
the detector's artifact. With ``--detectors`` it runs some only, and of the others keeps what is stored: an hour becomes
minutes. A detector that cannot be created and a test set that is not there are left out, with a message on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from core.artifacts.model_card import CARD_FILE, DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir, load_card
from core.artifacts.storage import sha256_of, to_json
from core.detection import DEFAULT_DETECTOR, DETECTORS, FaceDetector
from core.detection.haar import HaarDetector, min_neighbors, score_of
from core.detection.yunet import Network, YuNetDetector, min_score, open_network, yunet_file
from core.errors import ArtifactError, ArtifactMissingError, ConfigError, DatasetError, DetectorError
from core.evaluation.detection.conditions import ORIGINAL, RUNS, SET_TITLES
from core.evaluation.detection.metrics import detection_report, drop_unused
from core.evaluation.detection.report import DetectionReport, DetectorReport, GroupRecall, summary_metrics
from core.evaluation.detection.results import SetResults
from core.evaluation.detection.runner import Candidate, Detectors, describe, run_set
from core.evaluation.detection.store import MEASURED_KEY, load_numbers, save_results
from core.evaluation.detection.tables import (
    OPERATING_POINTS,
    condition_table,
    figure_text_table,
    latency_table,
    nme_table,
    recall_table,
)
from core.evaluation.detection.variants import Image
from core.settings import LIVE_DETECTOR, DetectorSettings
from models.cli import add_data, positive_int, run
from models.exporting.model_card import read_card, write_card
from models.measuring.detector_sets import TestSets, three_face_scene

DATA_SETS = "faces/, groups/, fairface/, UTKFace/ and aaf/"
_YUNET_LOW_SCORE = 0.3

Create = Callable[[DetectorSettings], FaceDetector]
CandidateFactory = Callable[[Path | None], Candidate]
"""File of YuNet, ``None`` for the installed one -> candidate."""


def own_candidate(_: Path | None) -> Candidate:
    """Create Facet's own detector. Raises ``ArtifactError``."""
    create = DETECTORS[DEFAULT_DETECTOR]
    usual = load_card(artifacts_dir() / DETECTOR_ARTIFACT).min_score
    return Candidate("Facet", usual, both_settings(create), both_settings(create, sensitivity=1.0))


def yunet_candidate(file: Path | None) -> Candidate:
    """Create OpenCV's YuNet, for faces as small as it can find. Raises ``DetectorError`` without its file."""

    def create(
        settings: DetectorSettings, open_network: Callable[[bytes, float], Network] = open_network
    ) -> FaceDetector:
        return YuNetDetector(replace(settings, min_face_share=0.0), file, open_network)

    low = partial(create, open_network=lambda content, _: open_network(content, _YUNET_LOW_SCORE))
    return Candidate("YuNet", min_score(DetectorSettings().sensitivity), both_settings(create), both_settings(low))


def haar_candidate(_: Path | None) -> Candidate:
    """Create OpenCV's Haar cascade."""
    usual = score_of(min_neighbors(DetectorSettings().sensitivity))
    return Candidate("Haar", usual, both_settings(HaarDetector), both_settings(HaarDetector, sensitivity=1.0))


def both_settings(create: Create, sensitivity: float = DetectorSettings().sensitivity) -> Detectors:
    """Create a detector with the settings of photographs and of live video."""
    photo, live = (
        create(replace(settings, sensitivity=sensitivity)) for settings in (DetectorSettings(), LIVE_DETECTOR)
    )
    return Detectors(photo, live)


CANDIDATES: Mapping[str, CandidateFactory] = {
    DEFAULT_DETECTOR: own_candidate,
    "yunet": yunet_candidate,
    "haar": haar_candidate,
}


def create_candidates(
    names: Sequence[str], yunet: Path | None, factories: Mapping[str, CandidateFactory] = CANDIDATES
) -> dict[str, Candidate]:
    """Create the named detectors that can be created here; messages about the others go to stderr.

    Raises ``ConfigError`` for an unknown name, or if no detector can be created.
    """
    unknown = [name for name in names if name not in factories]
    if unknown:
        raise ConfigError(f"unknown detector {unknown[0]!r}: choose from {', '.join(factories)}")
    candidates = {}
    for name in names:
        try:
            candidates[name] = factories[name](yunet)
        except (ArtifactError, DetectorError) as error:
            print(f"left out {name}: {error}", file=sys.stderr)
    if not candidates:
        raise ConfigError("no detector can be created: see the messages above")
    return candidates


def run_sets(sets: TestSets, candidates: Mapping[str, Candidate]) -> dict[str, SetResults]:
    """Run all candidates over the test sets that are there; messages about the others go to stderr.

    Raises ``DatasetError`` if there is none.
    """
    results = {}
    for name, read in sets.readers.items():
        try:
            photos = tqdm(read(), desc=SET_TITLES[name], unit="image", mininterval=1.0, leave=False)
            results[name] = run_set(photos, RUNS[name], candidates)
        except DatasetError as error:
            print(f"left out {SET_TITLES[name]}: {error}", file=sys.stderr)
    if not results:
        raise DatasetError("no test set is there: see the messages above")
    return results


def add_stored(
    results: Mapping[str, SetResults], stored: Mapping[str, SetResults], names: Sequence[str]
) -> dict[str, SetResults]:
    """Add the ``stored`` results of the detectors ``names`` on the same images, and perhaps on more.

    Raises ``DatasetError`` if they lack one of the images.
    """
    merged = {}
    for test_set, part in results.items():
        others = stored.get(test_set, SetResults((), {}))
        row_of = {image.id: row for row, image in enumerate(others.images)}
        if not all(image.id in row_of for image in part.images):
            raise DatasetError(f"{SET_TITLES[test_set]}: stored results lack images; run all detectors")
        rows = [row_of[image.id] for image in part.images]
        kept = {
            name: {run: tuple(found[row] for row in rows) for run, found in others.found[name].items()}
            for name in names
        }
        found = {**kept, **part.found}
        merged[test_set] = SetResults(part.images, {name: found[name] for name in CANDIDATES if name in found})
    return merged


def load_scene() -> Image | None:
    """Make the frame for times; ``None``, with a message on stderr, where its portraits are absent."""
    try:
        return three_face_scene()
    except DatasetError as error:
        print(f"left out times: {error}", file=sys.stderr)
        return None


def format_report(report: DetectionReport) -> str:
    """Format everything that was measured as text."""
    detectors = report.detectors

    thresholds = ", ".join(f"{detector.title} {detector.default.min_score:.3f}" for detector in detectors.values())
    parts = (
        *((f"All test sets, {title}", figure_text_table(detectors, at)) for title, at in OPERATING_POINTS.items()),
        (f"Default thresholds: {thresholds}", condition_table(detectors)),
        ("Recall by size", recall_table(detectors, "inter_ocular_distance", _by_size)),
        ("Recall by yaw", recall_table(detectors, "yaw", lambda d: d.default.by_yaw)),
        ("Recall by rotation", recall_table(detectors, "rotation", lambda d: d.default.by_rotation)),
        ("Landmarks", nme_table(detectors, ORIGINAL.name)),
        ("Median milliseconds per frame, one thread", latency_table(detectors)),
    )
    sets = ", ".join(f"{SET_TITLES[name]} {count:,}" for name, count in report.sets.items())
    tables = [f"{title}\n{part.to_string(index=False, float_format='%.4f')}" for title, part in parts if len(part)]
    return "\n\n".join([f"Test images: {sets}", *tables])


def _by_size(detector: DetectorReport) -> tuple[GroupRecall, ...]:
    condition = detector.default.conditions.get(ORIGINAL.name)
    return condition.by_size if condition else ()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate detector", description="Evaluate the face detectors on all test sets."
    )
    add_data(parser, DATA_SETS)
    parser.add_argument("--detectors", help=f"comma-separated names to run; default: {','.join(CANDIDATES)}")
    parser.add_argument("--yunet", type=Path, metavar="FILE", help="ONNX file of YuNet; default: FACET_YUNET")
    parser.add_argument("--limit", type=positive_int, help="at most so many images of each set, for a quick look")
    parser.add_argument(
        "--store", action="store_true", help="write detection.json, detections.npz and the metrics on the card"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _evaluate, arguments)


def _evaluate(options: argparse.Namespace) -> None:
    if options.store and options.limit is not None:
        raise ConfigError("--store needs all images: leave out --limit")
    names = options.detectors.split(",") if options.detectors else list(CANDIDATES)
    stored = _load_stored() if options.store else {}
    known = {name for part in stored.values() for name in part.found}
    candidates = create_candidates([*names, *known.difference(names)], options.yunet)
    scene = load_scene()
    # Times are of one machine, so those of the others are taken anew.
    infos = {name: describe(candidates[name], scene) for name in CANDIDATES if name in candidates}
    sets = TestSets(options.data, _reference(options.yunet), options.limit)
    results = run_sets(sets, {name: candidates[name] for name in names if name in candidates})
    kept = [name for name in infos if name not in names]
    results = add_stored(results, stored, kept) if kept else results
    report = detection_report(results, infos)
    if options.store:
        _store(report, results)
    print(json.dumps(to_json(report), indent=2, allow_nan=False) if options.json else format_report(report))


def _load_stored() -> dict[str, SetResults]:
    try:
        return load_numbers(artifacts_dir() / DETECTOR_ARTIFACT)
    except ArtifactMissingError:
        return {}


def _reference(yunet: Path | None) -> FaceDetector | None:
    try:
        return YuNetDetector(file=yunet or yunet_file())
    except DetectorError as error:
        print(f"left out yaw and close-ups: {error}", file=sys.stderr)
        return None


def _store(report: DetectionReport, results: Mapping[str, SetResults]) -> None:
    folder = artifacts_dir() / DETECTOR_ARTIFACT
    save_results(folder, report, drop_unused(results, report))
    own = report.detectors.get(DEFAULT_DETECTOR)
    if own is not None and ORIGINAL.name in own.default.conditions and (folder / CARD_FILE).is_file():
        card = read_card(folder)
        metrics = card.get("metrics", {}) | {"test": summary_metrics(own.default.conditions[ORIGINAL.name])}
        write_card(folder, card | {"metrics": metrics, MEASURED_KEY: sha256_of(folder / SERVED_FILE)})


if __name__ == "__main__":
    sys.exit(main())
