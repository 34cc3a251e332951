"""Every line that a face detector must reach, for ours, the one before, YuNet and Haar, in one run.

    python -m models.evaluate_floors --data data --yunet FILE [--pyramid FOLDER] --out FILE.json

Thresholds come from the validation split: the lowest score with 0.10 boxes a photograph on no mark. Pictures of test
splits are only counted on.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifact import CARD_FILE, DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir, load_card
from core.datasets.faces import FacePhoto, load_faces, without_near_duplicates
from core.datasets.samples import few, hash_position
from core.detection import FaceDetector
from core.detection.compact import CompactDetector, LiteRTFaces
from core.detection.haar import HaarDetector
from core.detection.pyramid import LIVE_SEARCH, PyramidDetector, PyramidNetwork, PyramidSearch
from core.detection.yunet import YuNetDetector, open_network
from core.evaluation import detector_floors as floors
from core.evaluation.detection_runner import enlarged
from core.evaluation.json_values import without_nan
from core.settings import LIVE_DETECTOR, DetectorSettings
from models.detection.pseudo_labels import PseudoLabeller
from models.detection.training_photos import group_boxes, group_split

FPPI = 0.10
_WITHOUT_PEOPLE = {
    "skimage": [
        "brick.png",
        "cell.png",
        "chelsea.png",
        "chessboard_GRAY.png",
        "clock_motion.png",
        "coffee.png",
        "coins.png",
        "color.png",
        "grass.png",
        "gravel.png",
        "horse.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "microaneurysms.png",
        "moon.png",
        "motorcycle_left.png",
        "page.png",
        "phantom.png",
        "retina.jpg",
        "rocket.jpg",
        "text.png",
    ],
    "sklearn": ["china.jpg", "flower.jpg"],
}
Image = NDArray[np.uint8]
Make = Callable[[float, bool, bool], FaceDetector]
"""Lowest score, live settings, other ways up too -> detector."""


@dataclass(frozen=True)
class Candidate:
    """``usual_score`` is the threshold that its makers recommend, ``least_score`` the one that curves begin at."""

    make: Make
    least_score: float
    usual_score: float


class TestPictures:
    """What is counted on; ``few`` shortens every part, for a quick look."""

    def __init__(self, data: Path, yunet: Path, few: int | None) -> None:
        self._data, self._yunet, self._few = data, yunet, few

    @cached_property
    def web(self) -> dict[str, tuple[FacePhoto, ...]]:
        splits = load_faces(self._data).sides
        test = without_near_duplicates(splits["test"], splits["train"])
        return {"validation": tuple(self._some(splits["validation"])), "test": tuple(self._some(test))}

    def groups(self, split: str) -> list[floors.GroupPhoto]:
        paths, boxes = sorted((self._data / "groups" / "images").glob("*.webp")), group_boxes(self._data)
        chosen = [path for position, path in enumerate(paths) if group_split(position) == split]
        return [floors.GroupPhoto(_read(path), boxes.get(path.name, np.zeros((0, 4)))) for path in self._some(chosen)]

    def portraits(self, most: int | None = None) -> list[Image]:
        paths = sorted((self._data / "fairface" / "val").glob("*.jpg"), key=lambda path: hash_position(path.name))
        return [_read(path) for path in self._some(paths[:most])]

    def chips(self, most: int = 150) -> list[tuple[Image, NDArray[np.float64]]]:
        """UTKFace's test split with the box of the face: YuNet's mean over views."""
        names = [p.name for p in (self._data / "UTKFace").glob("*.jpg") if hash_position(p.name) >= 0.8]
        labeller, chips = PseudoLabeller(self._yunet, (1.0, 0.6)), []
        for name in self._some(sorted(names, key=hash_position)[:most]):
            image = _read(self._data / "UTKFace" / name)
            found = labeller.label(image)
            if len(found.scores) and found.scores[0] >= 0.6:
                chips.append((image, found.xyxy[0]))
        return chips

    def landmarks(self, most: int = 1500) -> list[floors.LandmarkPortrait]:
        with (self._data / "aaf" / "labels.csv").open(newline="") as stream:
            kept = [row for row in csv.DictReader(stream) if row["split"] == "val"]
        rows = sorted(kept, key=lambda row: hash_position(row["file"]))
        names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
        return [
            floors.LandmarkPortrait(
                _read(self._data / "aaf" / row["file"]),
                np.array([[float(row[f"{name}_{axis}"]) for axis in "xy"] for name in names]),
            )
            for row in self._some(rows[:most])
        ]

    def nobody(self) -> dict[str, Image]:
        import skimage
        import sklearn

        folders = {"skimage": Path(skimage.__file__).parent / "data"}
        folders["sklearn"] = Path(sklearn.__file__).parent / "datasets" / "images"
        return {name: _read(folders[package] / name) for package, names in _WITHOUT_PEOPLE.items() for name in names}

    def scene(self) -> Image:
        """640x480 with three faces."""
        scene = np.tile(np.linspace(60, 180, 640, dtype=np.uint8)[None, :, None], (480, 1, 3))
        for place, image in zip((20, 230, 440), self.portraits(3), strict=False):
            scene[130 : 130 + 180, place : place + 180] = cv2.resize(image, (180, 180), interpolation=cv2.INTER_AREA)
        return scene

    def _some(self, items: Sequence[Any]) -> Sequence[Any]:
        return items if self._few is None else [items[row] for row in few(items, self._few)]


def candidates(options: argparse.Namespace) -> Iterator[tuple[str, Candidate]]:
    """Detectors that can be made here, by name."""
    settings = {False: DetectorSettings(), True: LIVE_DETECTOR}

    def pyramid(score: float, live: bool, turned: bool) -> FaceDetector:
        search = LIVE_SEARCH if live else replace(PyramidSearch(), turned=turned)
        return PyramidDetector(network, score, search)

    def yunet(score: float, live: bool, _: bool) -> FaceDetector:
        return YuNetDetector(settings[live], options.yunet, lambda content, _: open_network(content, score))

    if options.pyramid:
        network = PyramidNetwork((options.pyramid / SERVED_FILE).read_bytes())
        usual = options.min_score or json.loads((options.pyramid / CARD_FILE).read_text())["min_score"]
        yield "pyramid", Candidate(pyramid, 0.15, usual)
    folder = artifacts_dir() / DETECTOR_ARTIFACT
    one_level = LiteRTFaces((folder / SERVED_FILE).read_bytes())
    usual = load_card(folder).min_score
    yield "compact", Candidate(lambda score, live, _: CompactDetector(one_level, score, settings[live]), 0.1, usual)
    yield "yunet", Candidate(yunet, 0.3, 0.7)
    yield "haar", Candidate(lambda _, live, __: HaarDetector(settings[live]), 0.0, 0.0)


def measure(candidate: Candidate, pictures: TestPictures, say: Callable[[str], None]) -> dict[str, Any]:
    """Every line for one detector."""
    make, web = candidate.make, pictures.web
    loose = make(candidate.least_score, False, False)
    say("thresholds")
    validation = [floors.faces_of(loose, photo.image) for photo in web["validation"]]
    matched = floors.score_for_fppi(validation, web["validation"], FPPI)
    score = candidate.usual_score
    photo, live = make(score, False, True), make(score, True, False)
    figures: dict[str, Any] = {"min_score": score, "min_score_at_fppi": matched}
    say("web")
    figures["web"] = floors.web_figures([floors.faces_of(photo, one.image) for one in web["test"]], web["test"])
    found = [floors.faces_of(loose, one.image) for one in web["test"]]
    figures["web_at_fppi"] = floors.web_figures([floors.above(one, matched) for one in found], web["test"])
    large = [replace(one, image=enlarged(one.image, 640), **_stretched(one)) for one in web["test"]]
    figures["web_640"] = floors.web_figures([floors.faces_of(photo, one.image) for one in large], large)
    figures["web_640_live"] = floors.web_figures([floors.faces_of(live, one.image) for one in large], large)
    say("groups")
    groups = pictures.groups("test")
    found = [floors.faces_of(loose, one.image) for one in groups]
    figures["groups"] = floors.group_figures([floors.above(one, score) for one in found], groups)
    figures["groups_at_fppi"] = floors.group_figures([floors.above(one, matched) for one in found], groups)
    say("portraits")
    portraits = pictures.portraits()
    figures["portraits"] = floors.portrait_figures(photo, portraits, 0.0)
    figures["portraits_margin"] = floors.portrait_figures(photo, portraits, 0.5)
    say("close-ups")
    figures["close_ups"] = floors.close_up_figures(photo, pictures.chips())
    say("rotated")
    for name, detector in (("photo", photo), ("live", live)):
        figures[f"rotated_web_{name}"] = floors.rotated_web_figures(detector, web["test"])
        figures[f"rotated_portraits_{name}"] = floors.rotated_portrait_figures(detector, portraits[:300])
    figures["quarter_turns"] = floors.quarter_turn_figures(photo, portraits[:300])
    say("landmarks")
    landmarks = pictures.landmarks()
    figures["landmarks"] = floors.landmark_figures(photo, landmarks)
    figures["landmarks_live"] = floors.landmark_figures(live, landmarks)
    figures["scatter"] = floors.scatter_figures(photo, portraits[:200])
    figures["scatter_live"] = floors.scatter_figures(live, portraits[:200])
    figures["nobody"] = floors.nobody_figures(photo, pictures.nobody())
    say("milliseconds")
    scene = pictures.scene()
    figures["ms"] = {name: floors.median_ms(one, scene) for name, one in (("photo", photo), ("live", live))}
    return figures


def _stretched(photo: FacePhoto) -> dict[str, Any]:
    zoom = 640 / max(photo.image.shape[:2])
    names = ("human_points", "human_boxes", "machine_boxes", "machine_points")
    return {name: getattr(photo, name) * zoom for name in names}


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f"{path} cannot be read")
    return np.asarray(image, np.uint8)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate_floors", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--yunet", type=Path, required=True, help="OpenCV's YuNet, ONNX")
    parser.add_argument("--pyramid", type=Path, help="artifact folder of the new detector")
    parser.add_argument("--min-score", type=float, help="of the new detector; default: the one on its card")
    parser.add_argument("--detectors", default="pyramid,compact,yunet,haar")
    parser.add_argument("--few", type=int, help="only so many pictures of each part")
    parser.add_argument("--out", type=Path, required=True, help="JSON; other detectors' figures in it are kept")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    pictures = TestPictures(options.data, options.yunet, options.few)
    report = json.loads(options.out.read_text()) if options.out.is_file() else {}
    for name, candidate in candidates(options):
        if name in options.detectors.split(","):
            say = lambda part, name=name: print(name, part, file=sys.stderr, flush=True)  # noqa: E731
            report[name] = without_nan(measure(candidate, pictures, say))
            options.out.write_text(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
