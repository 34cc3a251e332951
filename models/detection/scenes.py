"""Training crops composed at random: photographs, portraits, portraits pasted into other images, images without
people."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.geometry import areas, centers, clip
from core.warping import rotation_matrix
from models.detection.augmentation import (
    DetectionAugmentation,
    degrade,
    mosaic,
    shrink_first,
    training_crop,
    transform_faces,
    warp,
)
from models.detection.labels import FACE, IGNORED
from models.detection.occlusion import light_from_side, occlude, tone
from models.detection.photo_cache import HardNegatives, PhotoCache
from models.detection.textures import draw_texture
from models.training import augment

Image = NDArray[np.uint8]
Crop = tuple[Image, FaceArrays]

_NO_FACES = FaceArrays(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
_PORTRAITS = {"fairface": 0.5, "utkface": 0.2, "aaf": 0.3}
"""Source -> share among portraits."""
_TEXTURE_PX, _MIN_TEXTURES, _MAX_TEXTURES = 320, 20, 150
_CERTAINLY_VISIBLE, _HIDDEN = 0.65, 0.15


@dataclass(frozen=True, slots=True)
class SceneMix:
    """Shares of the kinds of crops (the rest is background), and their ranges.

    ``*_px`` are sqrt(w h) of a face in the crop, ``portrait_share`` the same as a share of the crop's side.
    """

    photos: float = 0.46
    portraits: float = 0.20
    collages: float = 0.16
    groups_among_photos: float = 0.5
    mosaics_among_photos: float = 0.35
    hard_among_natural: float = 0.5
    mosaic_px: tuple[float, float] = (9.0, 90.0)
    portrait_share: tuple[float, float] = (0.22, 1.35)
    collage_px: tuple[float, float] = (10.0, 150.0)
    max_pasted: int = 5
    rotation_deg: float = 15.0
    tilt_probability: float = 0.5
    tilt_deg: float = 65.0
    quarter_turned: float = 0.15
    """Share of crops that are turned by 90, 180 or 270 degrees: with the tilt, faces at any angle."""
    tight: float = 0.5
    """Share of portraits that are cropped closer to the face."""
    occluded: float = 0.25
    side_lit: float = 0.12
    toned: float = 0.08
    augmentation: DetectionAugmentation = DetectionAugmentation()


class Scenes:
    """Draws crops and their faces. Not thread-safe."""

    def __init__(self, cache: PhotoCache, negatives: HardNegatives | None = None, mix: SceneMix = SceneMix()) -> None:
        """``negatives`` are of photographs in ``cache``; others are left out."""
        self._cache, self._negatives, self._mix = cache, negatives, mix
        self._rows = {str(name): np.nonzero(cache.sources == name)[0] for name in np.unique(cache.sources)}
        rows = {str(cache.ids[row]): int(row) for row in self._rows.get("natural", ())}
        ids = negatives.ids.tolist() if negatives else []
        self._hard = [(rows[name], place) for place, name in enumerate(ids) if name in rows]
        self._textures: list[Image] = []

    def draw(self, size_px: int, rng: np.random.Generator) -> Crop:
        """Draw a (size_px, size_px, 3) uint8 BGR crop and the faces in its pixels."""
        mix, kind = self._mix, rng.random()
        if kind < mix.photos:
            image, faces = self._photo(size_px, rng)
        elif kind < mix.photos + mix.portraits:
            image, faces = self._portrait(size_px, rng)
        elif kind < mix.photos + mix.portraits + mix.collages:
            image, faces = self._collage(size_px, rng)
        else:
            image, faces = self._background(size_px, rng)
        if rng.random() < mix.quarter_turned:
            image, faces = _rotate((image, faces), int(rng.integers(1, 4)))
        image = occlude(image, faces, mix.occluded, rng)
        if rng.random() < mix.side_lit:
            image = light_from_side(image, rng)
        image = degrade(image, mix.augmentation, rng)
        return (tone(image, rng) if rng.random() < mix.toned else image), faces

    def _photo(self, size_px: int, rng: np.random.Generator) -> Crop:
        if rng.random() < self._mix.mosaics_among_photos:
            return mosaic([self._photo_crop(size_px // 2, rng, self._mix.mosaic_px) for _ in range(4)])
        return self._photo_crop(size_px, rng)

    def _photo_crop(self, size_px: int, rng: np.random.Generator, face_px: tuple[float, float] | None = None) -> Crop:
        row = self._random_row("groups" if rng.random() < self._mix.groups_among_photos else "faces", rng)
        image, faces = self._cache.image(row), self._cache.faces(row)
        return training_crop(image, faces, size_px, self._mix.augmentation, rng, face_px)

    def _portrait(self, size_px: int, rng: np.random.Generator) -> Crop:
        """One portrait, its face up to larger than the crop and partly outside."""
        image, faces = self._random_portrait(rng)
        face_px = float(np.exp(rng.uniform(*np.log(self._mix.portrait_share)))) * size_px
        room = max(0.0, (size_px - face_px) / 2) + rng.uniform(0, 0.2) * face_px
        matrix = self._similarity(faces, face_px, size_px / 2 + rng.uniform(-room, room, 2), rng)
        border = rng.choice(("replicate", "constant", "background"))
        if border == "background":
            return _paste(self._background(size_px, rng), (image, faces), matrix)
        kind = cv2.BORDER_REPLICATE if border == "replicate" else cv2.BORDER_CONSTANT
        return warp(image, matrix, size_px, kind, rng), transform_faces(faces, matrix)

    def _collage(self, size_px: int, rng: np.random.Generator) -> Crop:
        """Portraits in front of another image, over one another and across its border."""
        scene = self._background(size_px, rng) if rng.random() < 0.6 else self._photo(size_px, rng)
        for _ in range(int(rng.integers(1, self._mix.max_pasted + 1))):
            portrait = self._random_portrait(rng)
            face_px = float(np.exp(rng.uniform(*np.log(self._mix.collage_px))))
            matrix = self._similarity(portrait[1], face_px, rng.uniform(0, size_px, 2), rng)
            scene = _paste(scene, portrait, matrix)
        return scene

    def _background(self, size_px: int, rng: np.random.Generator) -> Crop:
        """A texture, a photograph without people, or now and then one with all of its faces."""
        kind = rng.random()
        if kind < 0.25 or "natural" not in self._rows:
            return self._texture(size_px, rng), _NO_FACES
        if kind < 0.85 and self._hard and rng.random() < self._mix.hard_among_natural:
            return self._hard_negative(size_px, rng)
        row = self._random_row("natural" if kind < 0.85 else "faces", rng)
        faces = self._cache.faces(row)
        # Placed as if it had none, so that it need not show one.
        unplaced = replace(faces, scores=np.full(len(faces), IGNORED))
        image, inside = training_crop(self._cache.image(row), unplaced, size_px, self._mix.augmentation, rng)
        return image, replace(inside, scores=faces.scores)

    def _hard_negative(self, size_px: int, rng: np.random.Generator) -> Crop:
        """Crop around a place that was taken for a face, at about the size at which it was."""
        assert self._negatives is not None
        row, place = self._hard[rng.integers(len(self._hard))]
        target = FaceArrays(self._negatives.xyxy[place : place + 1], np.array([FACE]), np.zeros((1, 5, 2)))
        face_px = float(self._negatives.sizes_px[place])
        image, inside = training_crop(
            self._cache.image(row),
            FaceArrays.merge([target, self._cache.faces(row)]),
            size_px,
            replace(self._mix.augmentation, whole_probability=0.0),
            rng,
            (face_px / 1.4, face_px * 1.4),
        )
        return image, inside.take(np.arange(1, len(inside)))

    def _texture(self, size_px: int, rng: np.random.Generator) -> Image:
        """Part of a texture; mostly of an old one, since drawing takes as long as ten photographs."""
        if len(self._textures) < _MIN_TEXTURES or rng.random() < 0.15:
            self._textures.append(draw_texture(_TEXTURE_PX, rng))
            del self._textures[:-_MAX_TEXTURES]
        texture = np.rot90(self._textures[rng.integers(len(self._textures))], int(rng.integers(4)))
        side = int(rng.integers(_TEXTURE_PX // 3, _TEXTURE_PX + 1))
        x, y = rng.integers(0, _TEXTURE_PX - side + 1, 2)
        part = np.ascontiguousarray(texture[y : y + side, x : x + side])
        return np.asarray(cv2.resize(part, (size_px, size_px), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _random_portrait(self, rng: np.random.Generator) -> Crop:
        row = self._random_row(str(rng.choice(list(_PORTRAITS), p=list(_PORTRAITS.values()))), rng)
        image, faces = self._cache.image(row), self._cache.faces(row)
        return _crop_tightly(image, faces, rng) if rng.random() < self._mix.tight else (image, faces)

    def _similarity(
        self, faces: FaceArrays, face_px: float, target: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """(2, 3) matrix that brings the first certain face to ``face_px`` and ``target``, rotated, stretched a little
        and mirrored at random."""
        row = int(np.argmax(faces.scores))
        limit = self._mix.tilt_deg if rng.random() < self._mix.tilt_probability else self._mix.rotation_deg
        center, zoom = centers(faces.xyxy)[row], face_px / float(faces.sizes()[row])
        matrix = augment.similarity_matrix(center, target, zoom, rng.uniform(-limit, limit), rng.random() < 0.5)
        linear = matrix[:, :2] * np.exp(rng.uniform(-0.06, 0.06, 2))[:, None]
        return np.column_stack([linear, target - 0.5 - linear @ (center - 0.5)])

    def _random_row(self, source: str, rng: np.random.Generator) -> int:
        return int(rng.choice(self._rows[source]))


def _rotate(crop: Crop, quarter_turns: int) -> Crop:
    """Rotate a square crop clockwise."""
    image, faces = crop
    last = image.shape[0] - 1
    angle = np.pi / 2 * quarter_turns
    linear = rotation_matrix(angle).round()
    middle = np.full(2, last / 2)
    matrix = np.column_stack([linear, middle - linear @ middle])
    return np.ascontiguousarray(np.rot90(image, -quarter_turns)), transform_faces(faces, matrix)


def _paste(scene: Crop, portrait: Crop, matrix: NDArray[np.float64]) -> Crop:
    """Warp ``portrait`` onto a copy of ``scene``; faces behind it are ignored or dropped by how much stays visible."""
    (canvas, faces), (image, pasted) = scene, portrait
    (height, width), size_px = image.shape[:2], canvas.shape[0]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ matrix[:, :2].T + matrix[:, 2]
    mask = cv2.fillConvexPoly(np.zeros((size_px, size_px), np.uint8), corners.round().astype(np.int32), 1)
    total, inside = cv2.integral(mask), clip(faces.xyxy, (size_px, size_px))
    x1, y1, x2, y2 = np.concatenate([np.floor(inside[:, :2]), np.ceil(inside[:, 2:])], axis=1).astype(int).T
    covered = total[y2, x2] - total[y1, x2] - total[y2, x1] + total[y1, x1]
    behind = _keep_visible(faces, 1 - covered / np.maximum((x2 - x1) * (y2 - y1), 1))
    image, left = shrink_first(image, matrix)
    out = canvas.copy()
    # OpenCV leaves the other pixels alone only with linear interpolation.
    cv2.warpAffine(image, left, (size_px, size_px), out, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    return out, FaceArrays.merge([behind, transform_faces(pasted, matrix)])


def _crop_tightly(image: Image, faces: FaceArrays, rng: np.random.Generator) -> Crop:
    """Crop a portrait closer to its face, with a random margin on each side."""
    box = faces.xyxy[int(np.argmax(faces.scores))]
    margin = rng.uniform(-0.08, 0.5, 4) * np.tile(box[2:] - box[:2], 2)
    height, width = image.shape[:2]
    x1, y1 = np.maximum(np.floor(box[:2] - margin[:2]), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(box[2:] + margin[2:]), (width, height)).astype(int)
    if min(x2 - x1, y2 - y1) < 16:
        return image, faces
    shift = np.array([x1, y1], np.float64)
    moved = FaceArrays(faces.xyxy - np.tile(shift, 2), faces.scores, faces.landmarks - shift)
    visible = areas(clip(moved.xyxy, (x2 - x1, y2 - y1))) / np.maximum(areas(moved.xyxy), 1e-9)
    return np.ascontiguousarray(image[y1:y2, x1:x2]), _keep_visible(moved, visible)


def _keep_visible(faces: FaceArrays, visible: NDArray[np.float64]) -> FaceArrays:
    """Drop hidden faces and ignore those that are hard to see; ``visible``: (N,) shares of their boxes."""
    scores = np.where(visible >= _CERTAINLY_VISIBLE, faces.scores, IGNORED)
    return replace(faces, scores=scores).take(visible > _HIDDEN)
