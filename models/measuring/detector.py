"""How good every face detector is on the test photographs: ``python -m models.evaluate detector --data DIR``.

Prints a table, or with ``--json`` one object; ``--store`` keeps the report, and the numbers that it is computed from,
in the artifact of our own detector. A detector that cannot be created is left out, and said on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tqdm import tqdm

from core.artifacts.model_card import CARD_FILE, DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir
from core.artifacts.storage import sha256_of, to_json
from core.datasets.faces import FacePhoto, load_faces, without_near_duplicates
from core.datasets.samples import subsample
from core.detection import DETECTORS, FaceDetector
from core.detection.haar import HaarDetector
from core.errors import ArtifactError, ConfigError, DetectorError
from core.evaluation.detection.conditions import AS_IS, SETUPS, TILTS_DEG, loose_run, tilt_run
from core.evaluation.detection.landmarks import LEAST_EYES_PX
from core.evaluation.detection.matching import FoundFaces, PhotoMarks
from core.evaluation.detection.metrics import detection_report
from core.evaluation.detection.report import DetectionReport, Steadiness, Timing, summary_metrics
from core.evaluation.detection.runner import (
    detect_photos,
    detect_tilted,
    marks_of,
    milliseconds,
    steadiness,
    still_photos,
)
from core.evaluation.detection.store import MEASURED_KEY, save_results
from core.evaluation.detection.tables import (
    point_reports,
    point_table,
    scatter_table,
    setup_table,
    share_table,
    steadiness_table,
    timing_table,
)
from core.settings import LIVE_DETECTOR, DetectorSettings
from models.cli import add_data, positive_int, run
from models.exporting.model_card import read_card, write_card

Factory = Callable[[DetectorSettings], FaceDetector]

CANDIDATES: dict[str, Factory] = {
    **DETECTORS,
    "haar_default": partial(HaarDetector, cascade="haarcascade_frontalface_default.xml"),
}
"""Those that the app offers, and another cascade for comparison."""
OURS = "compact"
TITLES = {OURS: "Compact", "haar": "Haar alt2", "haar_default": "Haar default", "yunet": "YuNet"}


def usable(names: Sequence[str], candidates: Mapping[str, Factory] = CANDIDATES) -> dict[str, Factory]:
    """The named detectors that can be created here; the others are said on stderr. ``ConfigError`` if none can."""
    unknown = [name for name in names if name not in candidates]
    if unknown:
        raise ConfigError(f"unknown detector {unknown[0]!r}: choose from {', '.join(candidates)}")
    found = {}
    for name in names:
        try:
            candidates[name](DetectorSettings())
        except (ArtifactError, DetectorError) as error:
            print(f"left out {name}: {error}", file=sys.stderr)
        else:
            found[name] = candidates[name]
    if not found:
        raise ConfigError("no detector can be created: see the messages above")
    return found


def run_detector(
    factory: Factory, photos: Sequence[FacePhoto], advance: Callable[[], object]
) -> dict[str, tuple[FoundFaces, ...]]:
    """Every run of one detector, see ``core.evaluation.detection.conditions``."""
    runs = {}
    for setup in SETUPS:
        side_px, a_row = setup.longest_side_px, setup.a_row
        runs[setup.name] = detect_photos(factory(setup.settings), photos, side_px, a_row, advance)
        if setup.curve:
            loose = detect_photos(factory(setup.loose), photos, side_px, a_row, advance)
            runs[loose_run(setup.name)] = tuple(faces.without_points() for faces in loose)
    for degrees in TILTS_DEG:
        tilted = detect_tilted(factory(AS_IS.settings), photos, degrees, advance)
        runs[tilt_run(degrees)] = tuple(faces.without_points() for faces in tilted)
    return runs


def evaluate_detectors(
    factories: Mapping[str, Factory], photos: Sequence[FacePhoto]
) -> tuple[DetectionReport, tuple[PhotoMarks, ...], dict[str, dict[str, tuple[FoundFaces, ...]]]]:
    """Report, and the marks and runs that it was computed from."""
    marks = tuple(marks_of(photo) for photo in photos)
    still = still_photos(photos)
    passes = len(SETUPS) + sum(setup.curve for setup in SETUPS) + len(TILTS_DEG)
    total = len(factories) * passes * len(photos) + len(still)
    runs = {}
    with tqdm(total=total, unit="photo", mininterval=1.0, file=sys.stderr, leave=False) as bar:
        # First, so that nothing else of this process runs meanwhile.
        bar.set_description("milliseconds")
        timings = _timings(factories, still or photos)
        for name, factory in factories.items():
            bar.set_description(name)
            runs[name] = run_detector(factory, photos, bar.update)
        bar.set_description("steadiness")
        steady = _steadiness(factories, still, bar.update)
    titles = {name: TITLES.get(name, name) for name in factories}
    return detection_report(marks, runs, titles, timings, steady), marks, runs


def table(report: DetectionReport) -> str:
    """Everything that was measured, as text."""
    faces = report.detectors
    points = point_reports(report, faces, AS_IS.name)
    by_size = partial(share_table, faces)
    parts = (
        ("Default sensitivity; recall of marked faces, boxes an image", setup_table(faces)),
        ("By pixels between the eyes, photographs as they are", by_size(lambda one: one.setups[AS_IS.name].by_size)),
        ("By tilt, photographs as they are", by_size(lambda one: one.by_tilt)),
        ("Points, photographs as they are: distance / eye distance that people marked", point_table(points)),
        ("Own scatter of three raters, photographs as they are", scatter_table(faces, AS_IS.name)),
        ("Median milliseconds a call, one thread", timing_table(faces)),
        ("Box centre of a still face with sensor noise, live settings", steadiness_table(faces)),
    )
    pluralize = next(iter(faces.values())).setups[AS_IS.name].recall.n
    heading = (
        f"{report.photos} test photographs ({report.web_photos} from the web), {pluralize} marked faces with at least "
        f"{LEAST_EYES_PX:g} px between the eyes"
    )
    texts = [f"{title}\n{part.to_string(index=False, float_format='%.4f')}" for title, part in parts if len(part)]
    return "\n\n".join([heading, *texts])


def _timings(factories: Mapping[str, Factory], photos: Sequence[FacePhoto]) -> dict[str, tuple[Timing, ...]]:
    measured: dict[str, list[Timing]] = {name: [] for name in factories}
    for live, settings in ((False, DetectorSettings()), (True, LIVE_DETECTOR)):
        detectors = {name: factory(settings) for name, factory in factories.items()}
        for name, by_size in milliseconds(detectors, photos).items():
            measured[name] += [Timing(live, *frame_wh, median_ms) for frame_wh, median_ms in by_size.items()]
    return {name: tuple(timings) for name, timings in measured.items()}


def _steadiness(
    factories: Mapping[str, Factory], photos: Sequence[FacePhoto], advance: Callable[[], object]
) -> dict[str, Steadiness | None]:
    detectors = {name: factory(LIVE_DETECTOR) for name, factory in factories.items()}
    return steadiness(detectors, photos, advance=advance)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate detector", description="Compare the face detectors on the test photographs."
    )
    add_data(parser, "faces/")
    parser.add_argument("--detectors", help=f"names with commas between; default: {','.join(CANDIDATES)}")
    parser.add_argument("--limit", type=positive_int, help="only so many photographs, for a quick look")
    parser.add_argument(
        "--store", action="store_true", help="write detection.json, detections.npz and the figures on the card"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _print_report, arguments)


def _print_report(options: argparse.Namespace) -> None:
    report = _run(options)
    print(json.dumps(to_json(report), indent=2, allow_nan=False) if options.json else table(report))


def _run(options: argparse.Namespace) -> DetectionReport:
    if options.store and options.limit is not None:
        raise ConfigError("--store needs all photographs: leave out --limit")
    factories = usable(options.detectors.split(",") if options.detectors else list(CANDIDATES))
    splits = load_faces(options.data).splits
    photos = without_near_duplicates(splits["test"], splits["train"])
    print(f"left out {len(splits['test']) - len(photos)} photographs that training has seen too", file=sys.stderr)
    if options.limit is not None:
        # Both kinds of photographs: they come one kind after the other.
        photos = tuple(photos[row] for row in subsample(photos, options.limit))
    report, marks, runs = evaluate_detectors(factories, photos)
    if options.store:
        folder = artifacts_dir() / DETECTOR_ARTIFACT
        save_results(folder, report, marks, runs)
        if OURS in report.detectors and (folder / CARD_FILE).is_file():
            figures = summary_metrics(report.detectors[OURS].setups[AS_IS.name])
            measured = {"metrics": {"test": figures}, MEASURED_KEY: sha256_of(folder / SERVED_FILE)}
            write_card(folder, read_card(folder) | measured)
    return report


if __name__ == "__main__":
    sys.exit(main())
