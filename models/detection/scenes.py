"""Training pictures composed at random: photographs, portraits, portraits pasted into pictures, pictures of nobody."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detection.augmentation import DetectionAugmentation, degraded, mosaic, moved, training_crop
from models.detection.labels import LabelledFaces
from models.detection.occluders import occluded, side_lit, toned
from models.detection.textures import texture
from models.detection.training_photos import PhotoCache

Image = NDArray[np.uint8]
_NOBODY = LabelledFaces(np.zeros((0, 4)), np.zeros((0, 5, 2)), np.zeros(0, bool))
_PORTRAITS = ("fairface", "utkface", "aaf")
_TEXTURE_PX, _KEPT_TEXTURES = 320, 150
_LEAST_VISIBLE, _SURELY_VISIBLE = 0.3, 0.65


@dataclass(frozen=True, slots=True)
class SceneMix:
    """Shares of the kinds of pictures (the rest shows nobody), and their ranges. ``*_px`` are sqrt(w h) of a face in
    the picture, as shares of its side where they end with ``_share``."""

    photos: float = 0.38
    portraits: float = 0.24
    collages: float = 0.22
    groups_among_photos: float = 0.35
    mosaics_among_photos: float = 0.35
    photo_px: tuple[float, float] = (10.0, 240.0)
    mosaic_px: tuple[float, float] = (9.0, 90.0)
    portrait_share: tuple[float, float] = (0.22, 1.35)
    collage_px: tuple[float, float] = (10.0, 150.0)
    most_pasted: int = 5
    upright_deg: float = 15.0
    turned_deg: float = 65.0
    turned: float = 0.5
    tight: float = 0.5
    occluded: float = 0.25
    side_lit: float = 0.12
    toned: float = 0.08


class Scenes:
    """Pictures with their faces, drawn with the caller's random numbers."""

    def __init__(self, cache: PhotoCache, mix: SceneMix = SceneMix()) -> None:
        self._cache, self._mix = cache, mix
        self._rows = {str(name): np.nonzero(cache.sources == name)[0] for name in np.unique(cache.sources)}
        self._textures: list[Image] = []
        kinds = (cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
        self._crops = DetectionAugmentation(
            face_px=mix.photo_px, largest_zoom=5.0, interpolations=kinds, tilt_probability=0.35, tilt_deg=60.0
        )
        self._light = DetectionAugmentation(dark_probability=0.07, noise_probability=0.2, jpeg_probability=0.15)

    def draw(self, size_px: int, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
        """A ``size_px`` square picture and the faces in it."""
        mix, kind = self._mix, rng.random()
        if kind < mix.photos:
            image, faces = self._photo(size_px, rng)
        elif kind < mix.photos + mix.portraits:
            image, faces = self._portrait(size_px, rng)
        elif kind < mix.photos + mix.portraits + mix.collages:
            image, faces = self._collage(size_px, rng)
        else:
            image, faces = self._background(size_px, rng)
        image = occluded(image, faces, mix.occluded, rng)
        if rng.random() < mix.side_lit:
            image = side_lit(image, rng)
        image = degraded(image, self._light, rng)
        return (toned(image, rng) if rng.random() < mix.toned else image), faces

    def _photo(self, size_px: int, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
        def one(side_px: int, face_px: tuple[float, float]) -> tuple[Image, LabelledFaces]:
            source = "groups" if rng.random() < self._mix.groups_among_photos else "faces"
            row = self._any(source, rng)
            return training_crop(self._cache.image(row), self._cache.faces(row), side_px, self._crops, rng, face_px)

        if rng.random() < self._mix.mosaics_among_photos:
            return mosaic([one(size_px // 2, self._mix.mosaic_px) for _ in range(4)])
        return one(size_px, self._mix.photo_px)

    def _portrait(self, size_px: int, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
        """One portrait, its face up to larger than the picture and partly outside."""
        image, faces = self._any_portrait(rng)
        size = float(np.exp(rng.uniform(*np.log(self._mix.portrait_share)))) * size_px
        room = max(0.0, (size_px - size) / 2) + rng.uniform(0, 0.2) * size
        target = size_px / 2 + rng.uniform(-room, room, 2)
        border = int(rng.choice([cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT, cv2.BORDER_TRANSPARENT]))
        canvas = self._background(size_px, rng)[0] if border == cv2.BORDER_TRANSPARENT else None
        matrix = self._similarity(faces, size, target, rng)
        return _warped(image, matrix, size_px, border, canvas, rng), moved(faces, matrix)

    def _collage(self, size_px: int, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
        """Portraits in front of another picture, over one another and across its border."""
        canvas, faces = self._background(size_px, rng) if rng.random() < 0.6 else self._photo(size_px, rng)
        for _ in range(int(rng.integers(1, self._mix.most_pasted + 1))):
            image, pasted = self._any_portrait(rng)
            size = float(np.exp(rng.uniform(*np.log(self._mix.collage_px))))
            matrix = self._similarity(pasted, size, rng.uniform(0, size_px, 2), rng)
            mask = _quad_mask(image, matrix, size_px)
            canvas = _warped(image, matrix, size_px, cv2.BORDER_TRANSPARENT, canvas, rng)
            faces = _joined(_behind(faces, mask), moved(pasted, matrix))
        return canvas, faces

    def _background(self, size_px: int, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
        """Nobody, or people who are marked."""
        kind = rng.random()
        if kind < 0.25 or "natural" not in self._rows:
            return self._texture(size_px, rng), _NOBODY
        row = self._any("natural" if kind < 0.85 else "faces", rng)
        nobody_chosen = self._cache.faces(row)
        faces = LabelledFaces(nobody_chosen.boxes, nobody_chosen.points, np.zeros(len(nobody_chosen.sure), bool))
        crop, inside = training_crop(self._cache.image(row), faces, size_px, self._crops, rng)
        if kind >= 0.85:
            # `moved` keeps the order, so that the marks are still those of the photograph.
            inside = LabelledFaces(inside.boxes, inside.points, nobody_chosen.sure)
        return crop, inside

    def _texture(self, size_px: int, rng: np.random.Generator) -> Image:
        """A new one now and then, as it takes as long as ten photographs, else another part of an old one."""
        if len(self._textures) < 20 or rng.random() < 0.15:
            self._textures.append(texture(_TEXTURE_PX, rng))
            del self._textures[:-_KEPT_TEXTURES]
        old = np.rot90(self._textures[rng.integers(len(self._textures))], int(rng.integers(4)))
        side = int(rng.integers(_TEXTURE_PX // 3, _TEXTURE_PX + 1))
        x, y = rng.integers(0, _TEXTURE_PX - side + 1, 2)
        part = np.ascontiguousarray(old[y : y + side, x : x + side])
        return np.asarray(cv2.resize(part, (size_px, size_px), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _any_portrait(self, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
        row = self._any(str(rng.choice(_PORTRAITS, p=(0.5, 0.2, 0.3))), rng)
        image, faces = self._cache.image(row), self._cache.faces(row)
        if rng.random() < self._mix.tight:
            image, faces = _cropped(image, faces, rng)
        return image, faces

    def _similarity(
        self, faces: LabelledFaces, size: float, target: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """(2, 3) matrix that brings the first sure face to ``size`` and ``target``, turned and mirrored at random."""
        box = faces.boxes[int(np.argmax(faces.sure))]
        zoom = size / float(np.sqrt(np.prod(box[2:] - box[:2])))
        most = self._mix.turned_deg if rng.random() < self._mix.turned else self._mix.upright_deg
        angle = np.deg2rad(rng.uniform(-most, most))
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear *= np.exp(rng.uniform(-0.06, 0.06, 2))[:, None]
        if rng.random() < 0.5:
            linear[:, 0] *= -1
        middle = (box[:2] + box[2:]) / 2
        return np.column_stack([linear, target - 0.5 - linear @ (middle - 0.5)])

    def _any(self, source: str, rng: np.random.Generator) -> int:
        rows = self._rows[source]
        return int(rows[rng.integers(len(rows))])


def _warped(
    image: Image,
    matrix: NDArray[np.float64],
    size_px: int,
    border: int,
    canvas: Image | None,
    rng: np.random.Generator,
) -> Image:
    zoom = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if zoom < 0.6:
        small = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
        shrink = np.array([small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]])
        offset = matrix[:, 2] + matrix[:, :2] @ (0.5 / shrink - 0.5)
        image, matrix = small, np.column_stack([matrix[:, :2] / shrink, offset])
    kind = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
    # OpenCV leaves pixels beyond the border unchanged only with the plainest interpolations.
    if border == cv2.BORDER_TRANSPARENT:
        out = np.ascontiguousarray(canvas)
        cv2.warpAffine(image, matrix, (size_px, size_px), dst=out, flags=cv2.INTER_LINEAR, borderMode=border)
        return out
    colour = tuple(float(level) for level in rng.integers(0, 256, 3))
    warped = cv2.warpAffine(image, matrix, (size_px, size_px), flags=kind, borderMode=border, borderValue=colour)
    return np.asarray(warped, np.uint8)


def _quad_mask(image: Image, matrix: NDArray[np.float64], size_px: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ matrix[:, :2].T + matrix[:, 2]
    mask = np.zeros((size_px, size_px), np.uint8)
    return np.asarray(cv2.fillConvexPoly(mask, corners.round().astype(np.int32), 1), np.uint8)


def _behind(faces: LabelledFaces, mask: NDArray[np.uint8]) -> LabelledFaces:
    """Faces under what was pasted: gone, ignored, or still faces, by how much of them can be seen."""
    if not len(faces.sure):
        return faces
    total = cv2.integral(mask)
    size = mask.shape[0]
    low = np.clip(np.floor(faces.boxes[:, :2]), 0, size).astype(int)
    high = np.clip(np.ceil(faces.boxes[:, 2:]), 0, size).astype(int)
    covered = total[high[:, 1], high[:, 0]] - total[low[:, 1], high[:, 0]]
    covered = covered - total[high[:, 1], low[:, 0]] + total[low[:, 1], low[:, 0]]
    visible = 1 - covered / np.maximum(np.prod(high - low, axis=1), 1)
    keep = visible > _LEAST_VISIBLE / 2
    sure = faces.sure & (visible >= _SURELY_VISIBLE)
    return LabelledFaces(faces.boxes[keep], faces.points[keep], sure[keep])


def _joined(first: LabelledFaces, second: LabelledFaces) -> LabelledFaces:
    return LabelledFaces(
        np.concatenate([first.boxes, second.boxes]),
        np.concatenate([first.points, second.points]),
        np.concatenate([first.sure, second.sure]),
    )


def _cropped(image: Image, faces: LabelledFaces, rng: np.random.Generator) -> tuple[Image, LabelledFaces]:
    """The portrait cut closer to its face, each side on its own."""
    box = faces.boxes[int(np.argmax(faces.sure))]
    margin = rng.uniform(-0.08, 0.5, 4) * np.tile(box[2:] - box[:2], 2)
    height, width = image.shape[:2]
    low = np.maximum(np.floor(box[:2] - margin[:2]), 0).astype(int)
    high = np.minimum(np.ceil(box[2:] + margin[2:]), (width, height)).astype(int)
    if np.any(high - low < 16):
        return image, faces
    part = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    size = (high - low).astype(np.float64)
    seen = np.clip(np.minimum(faces.boxes[:, 2:] - low, size) - np.maximum(faces.boxes[:, :2] - low, 0), 0, None)
    share = np.prod(seen, axis=1) / np.prod(faces.boxes[:, 2:] - faces.boxes[:, :2], axis=1)
    keep = share > 0.1
    sure = faces.sure & (share >= _SURELY_VISIBLE)
    return part, LabelledFaces(faces.boxes[keep] - np.tile(low, 2), faces.points[keep] - low, sure[keep])
