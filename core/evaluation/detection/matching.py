"""Matching of detections with the annotations of one image: pure functions.

A detection matches annotated landmarks if its box contains their mean and its size sqrt(w h) is 1.2 to 6 times the
inter-ocular distance. (Boxes around frontal faces measure about 2.5 of it, up to 3.5 with hair and chin; the rest is
room for half profiles, whose eyes are close together.) It matches an annotated *box* if both overlap by an IoU of 0.3,
or if the centre of one lies in the other and neither is more than twice as large.

Matching is one to one and greedy: the best detection chooses first and takes the nearest face. So the faces matched
above any score are those that the detections above it match on their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations
from core.detection.base import FaceArrays
from core.geometry import centers, iou_matrix, sizes

MIN_BOX_SIZE_IOD = 1.2
MAX_BOX_SIZE_IOD = 6.0
MATCH_IOU = 0.3
MAX_SIZE_RATIO = 2.0
GROUP_IOU = 0.35
PORTRAIT_OFFSET = 0.25
PORTRAIT_SIZES = (0.2, 1.3)
"""Of a portrait's longer side: how far from its centre its face may be, and how large."""
UNMATCHED = -1
LANDMARK_NAMES = ("left eye", "right eye", "nose", "mouth")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ImageMatch:
    """Matches of D detections on one image.

    ``landmark_matches`` (N,) and ``box_matches`` (K,): row of the detection that matches each annotated face or box, or
    ``UNMATCHED``. ``false_positives`` (D,): no annotation or pseudo-label is there. ``duplicates`` (D,): there is one,
    but a better detection matches it already.
    """

    landmark_matches: NDArray[np.int64]
    box_matches: NDArray[np.int64]
    false_positives: Flags
    duplicates: Flags


def match_image(found: FaceArrays, annotations: Annotations) -> ImageMatch:
    """Match detections, best first. An annotation of any size and a pseudo-label of any score keep a detection from
    being a false positive."""
    pseudo_boxes = annotations.pseudo_labels.xyxy
    landmark_matches = match_landmarks(found.xyxy, annotations.landmarks)
    box_matches, pseudo_matches = match_boxes(found.xyxy, annotations.boxes), match_boxes(found.xyxy, pseudo_boxes)
    boxes = np.concatenate([annotations.boxes, pseudo_boxes])
    candidates = (can_match_landmarks(found.xyxy, annotations.landmarks), can_match_boxes(found.xyxy, boxes))
    on_face: Flags = np.asarray(np.concatenate(candidates, axis=1).any(axis=1))
    matched = np.isin(np.arange(len(found)), np.concatenate([landmark_matches, box_matches, pseudo_matches]))
    return ImageMatch(landmark_matches, box_matches, false_positives=~on_face, duplicates=on_face & ~matched)


def match_landmarks(xyxy: Floats, landmarks: Floats) -> NDArray[np.int64]:
    """(D, 4) boxes, best first, and (N, 4, 2) annotated faces -> (N,) row of the detection that matches each."""
    return assign(can_match_landmarks(xyxy, landmarks), _distances(centers(xyxy), landmarks.mean(axis=1)))


def match_boxes(xyxy: Floats, annotated_xyxy: Floats) -> NDArray[np.int64]:
    """(D, 4) boxes, best first, and (K, 4) annotated boxes -> (K,) row of the detection that matches each."""
    return assign(can_match_boxes(xyxy, annotated_xyxy), _distances(centers(xyxy), centers(annotated_xyxy)))


def match_group(xyxy: Floats, annotated_xyxy: Floats) -> NDArray[np.int64]:
    """(D, 4) boxes, best first, and (K, 4) hand-drawn boxes -> (K,) row of the detection that overlaps each by an IoU
    of at least 0.35."""
    overlaps = iou_matrix(xyxy, annotated_xyxy)
    return assign(overlaps >= GROUP_IOU, -overlaps)


def match_portrait(xyxy: Floats, resolution_wh: tuple[int, int]) -> int:
    """Find the row of the first of (D, 4) boxes that can be the face of a portrait, by its place and size."""
    side_px, middle = max(resolution_wh), np.array(resolution_wh) / 2
    near = np.abs(centers(xyxy) - middle).max(axis=1) <= PORTRAIT_OFFSET * side_px
    low_px, high_px = (share * side_px for share in PORTRAIT_SIZES)
    rows = np.nonzero(near & (_size(xyxy) >= low_px) & (_size(xyxy) <= high_px))[0]
    return int(rows[0]) if len(rows) else UNMATCHED


def can_match_landmarks(xyxy: Floats, landmarks: Floats) -> Flags:
    """(D, 4) boxes and (N, 4, 2) annotated faces -> (D, N): could the detection be this face?"""
    middle = landmarks.mean(axis=1)[None]
    inside = ((xyxy[:, None, :2] <= middle) & (middle <= xyxy[:, None, 2:])).all(axis=2)
    size, iod_px = _size(xyxy)[:, None], inter_ocular_distances(landmarks)[None]
    return np.asarray(inside & (size >= MIN_BOX_SIZE_IOD * iod_px) & (size <= MAX_BOX_SIZE_IOD * iod_px))


def can_match_boxes(first_xyxy: Floats, second_xyxy: Floats) -> Flags:
    """(D, 4) and (K, 4) boxes -> (D, K): are both about the same face?"""
    first, second = centers(first_xyxy), centers(second_xyxy)
    second_in_first = _contains(first_xyxy[:, None], second[None])
    first_in_second = _contains(second_xyxy[None], first[:, None])
    first_size, second_size = _size(first_xyxy)[:, None], _size(second_xyxy)[None]
    similar = (first_size <= MAX_SIZE_RATIO * second_size) & (second_size <= MAX_SIZE_RATIO * first_size)
    overlapping = iou_matrix(first_xyxy, second_xyxy) >= MATCH_IOU
    return np.asarray(overlapping | (similar & (second_in_first | first_in_second)))


def assign(possible: Flags, distance: Floats) -> NDArray[np.int64]:
    """Assign greedily, best detection first: (D, N) possible pairs and their distances -> (N,) row of the detection
    that each face goes to, or ``UNMATCHED``."""
    assigned = np.full(possible.shape[1], UNMATCHED, np.int64)
    for row in np.nonzero(possible.any(axis=1))[0]:
        free = possible[row] & (assigned == UNMATCHED)
        if free.any():
            assigned[np.where(free, distance[row], np.inf).argmin()] = row
    return assigned


def inter_ocular_distances(landmarks: Floats) -> Floats:
    """(N, 4 or 5, 2) -> (N,) pixels between the eyes."""
    return np.linalg.norm(landmarks[:, 0] - landmarks[:, 1], axis=1)


def merge_mouth_corners(landmarks: Floats) -> Floats:
    """(N, 5, 2) landmarks -> (N, 4, 2) in the order of ``LANDMARK_NAMES``: the mouth becomes its centre."""
    return np.concatenate([landmarks[:, :3], landmarks[:, 3:].mean(axis=1, keepdims=True)], axis=1)


def normalized_errors(landmarks: Floats, reference: Floats, iod_px: Floats) -> Floats:
    """(F, 4, 2) landmarks of the same faces and their (F,) inter-ocular distances -> (F, 4) distances divided by these;
    NaN where there are no landmarks."""
    return np.asarray(np.linalg.norm(landmarks - reference, axis=2) / iod_px[:, None])


def concatenate(parts: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    """Concatenate rows, each (n, *shape); no parts give (0, *shape)."""
    return np.concatenate([np.zeros((0, *shape)), *parts])


def _size(xyxy: Floats) -> Floats:
    return np.sqrt(np.prod(sizes(xyxy), axis=1))


def _contains(xyxy: Floats, point: Floats) -> Flags:
    return np.asarray(((xyxy[..., :2] <= point) & (point <= xyxy[..., 2:])).all(axis=-1))


def _distances(first: Floats, second: Floats) -> Floats:
    return np.linalg.norm(first[:, None] - second[None], axis=2)
