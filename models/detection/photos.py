"""Label the photographs that the detector learns from and pack them into one folder.

    python -m models detector-photos --data data --yunet FILE --natural FOLDER --output FOLDER

``faces`` and ``groups`` have annotations by people, All-Age-Faces exact landmarks; everything else gets pseudo-labels.
Near-duplicates of test photographs are left out. All landmarks follow the convention of All-Age-Faces.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.datasets.faces import load_faces
from core.datasets.near_duplicates import near_duplicate_pairs
from core.detection.base import LANDMARKS, FaceArrays
from core.geometry import iou_matrix
from models.cli import add_data, positive_int, report_left_out, run
from models.detection.labels import FACE, IGNORED, PSEUDO_BIAS_IOD, apply_offset, label_faces, measure_offset
from models.detection.photo_cache import IMAGES_FILE, PhotoLabels, write_index
from models.detection.pseudo_labels import PseudoLabeler
from models.detection.sources import SOURCES, THUMBNAIL_PX, PhotoFile, list_files, shrink, test_thumbnails

MIN_SCORE, MIN_UNANNOTATED_SCORE = 0.6, 0.75
"""Of pseudo-labels that count as faces; the second where people annotated other faces of the photograph."""
_SAME_FACE_IOU = 0.35

Image = NDArray[np.uint8]


def label_photo(file: PhotoFile, yunet: Path) -> tuple[PhotoLabels, Image] | None:
    """Read and label one photograph; ``None`` if it cannot be read, or for a portrait without a certain face."""
    content = cv2.imread(str(file.path), cv2.IMREAD_COLOR)
    if content is None:
        return None
    source = SOURCES[file.source]
    image = shrink(np.asarray(content, np.uint8), source.longest_side_px)
    zoom = max(image.shape[:2]) / max(content.shape[:2])
    found, exact = _labeler(yunet, source.zooms).label(image), None
    certain = found.scores >= MIN_SCORE
    if file.source == "natural":
        certain[:] = False
    elif file.boxes is not None:
        found, certain = _add_annotated(found, file.boxes * zoom)
    else:
        if file.landmarks is not None:
            exact = file.landmarks * zoom
            center = exact.mean(axis=0)
            certain &= np.all((found.xyxy[:, :2] < center) & (center < found.xyxy[:, 2:]), axis=1)
            certain &= np.cumsum(certain) == 1
        if not certain.any():
            return None
    faces = replace(found, scores=np.where(certain, FACE, IGNORED))
    return PhotoLabels(file.path.name, file.source, file.split, faces, exact), image


def _add_annotated(found: FaceArrays, boxes: NDArray[np.float64]) -> tuple[FaceArrays, NDArray[np.bool_]]:
    """Merge pseudo-labels and annotated boxes; returns the faces and which are certain.

    People decide that a face is there; its landmarks and the size of its box are pseudo-labels where there are some.
    """
    overlaps = iou_matrix(boxes, found.xyxy)
    certain = found.scores >= MIN_UNANNOTATED_SCORE
    matched = overlaps.max(axis=1, initial=0.0) >= _SAME_FACE_IOU
    if len(found):
        certain[overlaps[matched].argmax(axis=1)] = True
    missing = boxes[~matched]
    unknown = np.full((len(missing), LANDMARKS, 2), np.nan)
    added = FaceArrays(missing, np.ones(len(missing)), unknown)
    return FaceArrays.merge([found, added]), np.concatenate([certain, np.ones(len(missing), bool)])


@lru_cache
def _labeler(yunet: Path, zooms: tuple[float, ...]) -> PseudoLabeler:
    """One per process and kind of source."""
    cv2.setNumThreads(1)
    return PseudoLabeler(yunet, zooms)


def unify_landmarks(photos: Sequence[PhotoLabels]) -> list[PhotoLabels]:
    """Convert all landmarks to the convention of those photographs that have exact ones."""
    portraits = [photo for photo in photos if photo.exact is not None]
    offset = np.zeros((LANDMARKS, 2))
    if portraits:
        pseudo = np.concatenate([photo.faces.landmarks[photo.faces.scores == FACE] for photo in portraits])
        offset = measure_offset(pseudo, np.array([photo.exact for photo in portraits]))
    unified = []
    for photo in photos:
        bias = PSEUDO_BIAS_IOD if photo.source == "faces" else 0.0
        landmarks = apply_offset(photo.faces.landmarks, offset + bias)
        if photo.exact is not None:
            landmarks[photo.faces.scores == FACE] = photo.exact
        unified.append(replace(photo, faces=replace(photo.faces, landmarks=landmarks)))
    return unified


def pack_photos(photos: Iterable[tuple[PhotoLabels, Image]], known: Iterable[Image], folder: Path) -> list[PhotoLabels]:
    """Write the cache of ``photos`` except near-duplicates of the thumbnails ``known``, and return what is in it.

    Pixels of the others stay in the file, so that not all images need to be in memory at once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels, thumbnails, shapes, starts = [], [], [], []
    with (folder / IMAGES_FILE).open("wb") as stream:
        for photo, image in photos:
            labels.append(photo)
            thumbnails.append(shrink(image, THUMBNAIL_PX))
            shapes.append(image.shape)
            starts.append(stream.tell())
            stream.write(image.tobytes())
    pairs = near_duplicate_pairs([*thumbnails, *known])
    crossing = set(pairs[(pairs[:, 0] < len(labels)) & (pairs[:, 1] >= len(labels)), 0].tolist())
    kept = [row for row in range(len(labels)) if row not in crossing]
    packed = unify_landmarks([labels[row] for row in kept])
    write_index(folder, packed, [shapes[row] for row in kept], [starts[row] for row in kept])
    return packed


def _annotated_photos(data_dir: Path, limit: int | None) -> Iterator[tuple[PhotoLabels, Image]]:
    data = load_faces(data_dir)
    report_left_out(data)
    data = data.limit(limit) if limit else data
    for split in ("train", "validation"):
        for photo in data.splits[split]:
            yield PhotoLabels(photo.id, "faces", split, label_faces(photo.annotations)), photo.image


def _label_files(files: Sequence[PhotoFile], yunet: Path, workers: int) -> Iterator[tuple[PhotoLabels, Image]]:
    # Not forked: OpenCV's threads do not survive that.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        labelled = pool.imap(partial(label_photo, yunet=yunet), files, chunksize=8)
        for photo in tqdm(labelled, total=len(files), unit="img", file=sys.stderr):
            if photo is not None:
                yield photo


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models detector-photos", description="Label and pack the detector's training photographs."
    )
    add_data(parser, "faces/, groups/, fairface/, UTKFace/ and aaf/")
    parser.add_argument("--yunet", type=Path, required=True, help="OpenCV's YuNet, ONNX")
    parser.add_argument("--natural", type=Path, metavar="DIR", help="photographs without people, *.JPEG")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--limit", type=positive_int, help="photographs per source and split, to try things out")
    parser.add_argument("--workers", type=positive_int, default=2)
    return run(parser, _pack, arguments)


def _pack(options: argparse.Namespace) -> None:
    files = list_files(options.data, options.natural, options.limit)
    labelled = _label_files(files, options.yunet, options.workers)
    photos = (photo for part in (_annotated_photos(options.data, options.limit), labelled) for photo in part)
    packed = pack_photos(photos, test_thumbnails(options.data), options.output)
    sources, counts = np.unique([photo.source for photo in packed], return_counts=True)
    print(", ".join(f"{count:,} {source}" for source, count in zip(sources, counts, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
