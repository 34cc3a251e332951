"""Run detectors over photographs with marks: what they find, how long they take and how steady their boxes are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.datasets.faces import FacePhoto
from core.detection import FaceDetector
from core.evaluation.detection.conditions import ENLARGED, FRAMES_WH, tilt_matrix
from core.evaluation.detection.landmarks import LEAST_EYES_PX
from core.evaluation.detection.matching import (
    NOBODY,
    FoundFaces,
    PhotoMarks,
    best_face,
    eye_distances,
    no_faces,
)
from core.evaluation.detection.metrics import is_web
from core.evaluation.detection.report import Steadiness
from core.evaluation.detection.store import kept_faces
from core.geometry import as_xyxy, centers
from core.types import Analysis, Detection, Face
from core.video.tracker import FaceTracker

NOISE_SIGMA = 4.0
"""Grey levels; about that of a webcam in a lit room."""
NOISY_COPIES = 20
NOISY_FPS = 15.0
STILL_PHOTOS = 60
_TIMED_PHOTOS = 12
_TIMED_ROUNDS = 3

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Advance = Callable[[], object]


def marks_of(photo: FacePhoto) -> PhotoMarks:
    """The marks without the image, rounded as the stored file holds them (float32)."""
    height, width = photo.image.shape[:2]
    names = ("human_points", "human_boxes", "machine_boxes", "machine_points", "machine_scores")
    kept = [getattr(photo, name).astype(np.float32).astype(np.float64) for name in names]
    return PhotoMarks(photo.id, (width, height), *kept)


def detect_photos(
    detector: FaceDetector,
    photos: Sequence[FacePhoto],
    longest_side_px: int | None = None,
    a_row: int = 1,
    advance: Advance = lambda: None,
) -> tuple[FoundFaces, ...]:
    """Faces of every photograph, enlarged to ``longest_side_px`` first; in pixels of the photograph as it is.

    A picture that is searched shows ``a_row`` x ``a_row`` photographs. ``advance`` is called after each photograph.
    """
    found: list[FoundFaces] = []
    for first in range(0, len(photos), a_row**2):
        part = photos[first : first + a_row**2]
        images = [enlarged(photo.image, longest_side_px) for photo in part]
        picture, corners = side_by_side(images, a_row)
        detections = detector.detect(picture)
        shown_on = _nearest(as_xyxy(detection.box for detection in detections), images, corners)
        for row, photo in enumerate(part):
            of_photo = [detection for detection, shown in zip(detections, shown_on, strict=True) if shown == row]
            shrink = np.array(photo.image.shape[1::-1]) / np.array(images[row].shape[1::-1])
            found.append(_faces(of_photo, corners[row], shrink))
            advance()
    return tuple(found)


def detect_tilted(
    detector: FaceDetector, photos: Sequence[FacePhoto], degrees: int, advance: Advance = lambda: None
) -> tuple[FoundFaces, ...]:
    """Faces of every photograph turned by ``degrees``, in pixels of the turned picture; photographs on which no face
    counts are left out."""
    found = []
    for index, photo in enumerate(photos):
        faces = no_faces()
        if (eye_distances(photo.human_points) >= LEAST_EYES_PX).any():
            turned = tilted(photo.image, degrees, index)
            faces = _faces(detector.detect(turned))
        found.append(faces)
        advance()
    return tuple(found)


def side_by_side(images: Sequence[Image], a_row: int) -> tuple[Image, Floats]:
    """(H, W, 3) each -> one picture with ``a_row`` of them in a row, black between those of different sizes; and (N, 2)
    where each one's upper left corner (x, y) lies in it."""
    high, wide = np.max([image.shape[:2] for image in images], axis=0).tolist()
    rows, columns = np.divmod(np.arange(len(images)), a_row)
    picture = np.zeros(((rows.max() + 1) * high, (columns.max() + 1) * wide, 3), np.uint8)
    for image, x, y in zip(images, columns * wide, rows * high, strict=True):
        picture[y : y + image.shape[0], x : x + image.shape[1]] = image
    return picture, np.column_stack([columns * wide, rows * high]).astype(np.float64)


def enlarged(image: Image, longest_side_px: int | None) -> Image:
    """(H, W, 3) with its longer side stretched to ``longest_side_px``, or as it is."""
    if longest_side_px is None:
        return image
    height, width = image.shape[:2]
    zoom = longest_side_px / max(height, width)
    resolution_wh = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    return np.asarray(cv2.resize(image, resolution_wh, interpolation=cv2.INTER_CUBIC), np.uint8)


def tilted(image: Image, degrees: float, index: int) -> Image:
    """Photograph ``index`` turned about its centre, on a black canvas that holds all of it."""
    height, width = image.shape[:2]
    matrix, canvas_wh = tilt_matrix((width, height), degrees, index)
    # OpenCV counts from the middle of the first pixel, the matrix from its corner.
    matrix[:, 2] += matrix[:, :2] @ np.full(2, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(image, matrix, canvas_wh, flags=cv2.INTER_LINEAR), np.uint8)


def milliseconds(
    detectors: Mapping[str, FaceDetector], photos: Sequence[FacePhoto], rounds: int = _TIMED_ROUNDS
) -> dict[str, dict[tuple[int, int], float]]:
    """Detector -> frame size -> median milliseconds of a ``detect`` call on photographs cut to that shape.

    OpenCV uses one thread meanwhile. The detectors take turns on every frame, so that whatever else the machine does
    slows all of them.
    """
    elapsed_ms: dict[str, dict[tuple[int, int], list[float]]] = {name: {} for name in detectors}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for frame_wh in FRAMES_WH:
            frames = [framed(photo.image, frame_wh) for photo in photos[:_TIMED_PHOTOS]]
            for number in range(rounds + 1):
                for frame in frames[: 1 if number == 0 else None]:
                    for name, detector in detectors.items():
                        one_ms = _elapsed_ms(detector, frame)
                        if number > 0:  # The first call at a size allocates.
                            elapsed_ms[name].setdefault(frame_wh, []).append(one_ms)
    finally:
        cv2.setNumThreads(threads)
    return {
        name: {frame_wh: float(np.median(values)) for frame_wh, values in sizes.items()}
        for name, sizes in elapsed_ms.items()
    }


def framed(image: Image, frame_wh: tuple[int, int]) -> Image:
    """The middle of a picture, in the shape and size of a video frame."""
    height, width = image.shape[:2]
    zoom = max(frame_wh[0] / width, frame_wh[1] / height)
    resolution_wh = (max(frame_wh[0], round(width * zoom)), max(frame_wh[1], round(height * zoom)))
    whole = cv2.resize(image, resolution_wh, interpolation=cv2.INTER_CUBIC)
    left, top = (resolution_wh[0] - frame_wh[0]) // 2, (resolution_wh[1] - frame_wh[1]) // 2
    return np.ascontiguousarray(whole[top : top + frame_wh[1], left : left + frame_wh[0]], np.uint8)


def still_photos(photos: Sequence[FacePhoto]) -> tuple[FacePhoto, ...]:
    """The first web photographs on which people and machine mark the same number of faces: one."""
    single = [
        photo for photo in photos if is_web(photo.id) and len(photo.human_points) == len(photo.machine_boxes) == 1
    ]
    return tuple(single[:STILL_PHOTOS])


def steadiness(
    detectors: Mapping[str, FaceDetector],
    photos: Sequence[FacePhoto],
    copies: int = NOISY_COPIES,
    seed: int = 0,
    advance: Advance = lambda: None,
) -> dict[str, Steadiness | None]:
    """How much the box of a still face trembles, on photographs with one marked face enlarged to 640 px.

    Every photograph becomes ``copies`` frames at 15 a second that differ in sensor noise alone; all detectors see the
    same frames. ``None`` where no face was found twice.
    """
    rows: dict[str, list[_Trembling]] = {name: [] for name in detectors}
    for index, photo in enumerate(photos):
        frames = list(noisy(enlarged(photo.image, ENLARGED.longest_side_px), copies, (seed, index)))
        height, width = frames[0].shape[:2]
        stretch = np.array([width, height]) / np.array(photo.image.shape[1::-1])
        for name, detector in detectors.items():
            rows[name].append(_trembling(detector, frames, photo.human_points[0] * stretch))
        advance()
    return {name: _steadiness(parts, copies) for name, parts in rows.items()}


def noisy(image: Image, copies: int, seed: tuple[int, int]) -> list[Image]:
    """``copies`` of an image, each with its own normal noise of ``NOISE_SIGMA`` grey levels."""
    rng = np.random.default_rng(seed)
    still = image.astype(np.float32)
    return [
        (still + NOISE_SIGMA * rng.standard_normal(image.shape, np.float32)).round().clip(0, 255).astype(np.uint8)
        for _ in range(copies)
    ]


class _Trembling:
    """Boxes (n, 4) of one face in its noisy frames, as detected and after tracking."""

    def __init__(self, raw: list[Floats], tracked: list[Floats]) -> None:
        self.raw = np.array(raw).reshape(-1, 4)
        self.tracked = np.array(tracked).reshape(-1, 4)

    @property
    def face_px(self) -> float:
        return float(np.sqrt(np.prod(self.raw[:, 2:] - self.raw[:, :2], axis=1)).mean())


def _trembling(detector: FaceDetector, frames: Sequence[Image], points: Floats) -> _Trembling:
    tracker = FaceTracker()
    raw, tracked = [], []
    for number, frame in enumerate(frames):
        detections = detector.detect(frame)
        height, width = frame.shape[:2]
        analysis = Analysis(width, height, tuple(Face(detection) for detection in detections))
        followed = tracker.update(analysis, number / NOISY_FPS)
        raw += _box_of(detections, points)
        tracked += _box_of([face.detection for face in followed.faces], points)
    return _Trembling(raw, tracked)


def _box_of(detections: Sequence[Detection], points: Floats) -> list[Floats]:
    """The box of the face with ``points``, if it was found."""
    xyxy = as_xyxy(detection.box for detection in detections)
    row = best_face(xyxy, points)
    return [] if row == NOBODY else [xyxy[row]]


def _steadiness(parts: Sequence[_Trembling], copies: int) -> Steadiness | None:
    seen = [part for part in parts if min(len(part.raw), len(part.tracked)) > 1]
    if not seen:
        return None
    raw = np.array([_deviation_px(part.raw) for part in seen])
    tracked = np.array([_deviation_px(part.tracked) for part in seen])
    face_px = np.array([part.face_px for part in seen])
    return Steadiness(
        photos=len(seen),
        found=sum(len(part.raw) for part in parts) / (copies * len(parts)),
        raw_px=float(raw.mean()),
        raw_share=float((raw / face_px).mean()),
        tracked_px=float(tracked.mean()),
        tracked_share=float((tracked / face_px).mean()),
    )


def _deviation_px(xyxy: Floats) -> float:
    middle = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    return float(np.sqrt(middle.var(axis=0).mean()))


def _elapsed_ms(detector: FaceDetector, frame: Image) -> float:
    start_s = time.perf_counter()
    detector.detect(frame)
    return (time.perf_counter() - start_s) * 1000


def _nearest(xyxy: Floats, images: Sequence[Image], corners: Floats) -> NDArray[np.intp]:
    """(D, 4) boxes -> (D,) row of the image on or beside which each one's middle lies."""
    middles = centers(xyxy)[:, None]
    outside = np.maximum(corners - middles, middles - corners - [image.shape[1::-1] for image in images])
    return np.asarray(np.linalg.norm(outside.clip(min=0), axis=2).argmin(axis=1))


def _faces(
    detections: Sequence[Detection], corner: ArrayLike = (0.0, 0.0), shrink: ArrayLike = (1.0, 1.0)
) -> FoundFaces:
    """In the pixels of the photograph that was stretched by 1 / ``shrink`` and put at ``corner`` (x, y)."""
    xyxy = as_xyxy(detection.box for detection in detections)
    points = np.array([_points(detection) for detection in detections]).reshape(-1, 5, 2)
    scores = np.array([detection.score for detection in detections])
    boxes = (xyxy - np.tile(corner, 2)) * np.tile(shrink, 2)
    return kept_faces(boxes, scores, (points - np.asarray(corner)) * np.asarray(shrink))


def _points(detection: Detection) -> list[tuple[float, float]]:
    return [(np.nan, np.nan)] * 5 if detection.landmarks is None else list(detection.landmarks.points)
