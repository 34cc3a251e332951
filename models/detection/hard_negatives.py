"""Find places in photographs without people that a network takes for faces, to train it on them.

    python -m models detector-negatives --photos DIR --weights RUN/last.npz --yunet FILE --output FILE

The photographs are searched at several zooms. Where YuNet finds something too it may be a face, so that does not count.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from core.detection.base import FaceArrays
from core.detection.decoding import weighted_nms
from core.detection.pyramid import letterbox
from core.geometry import iou_matrix
from models.cli import run
from models.detection.network import TorchDetector
from models.detection.photo_cache import HardNegatives, PhotoCache
from models.detection.pseudo_labels import PseudoLabeler
from models.detection.runs import load_weights

MIN_SCORE = 0.3
ZOOMS = (0.35, 0.6, 1.0, 1.7)
"""Training enlarges these photographs by up to three."""
_MAX_IOU = 0.1
"""With a face of YuNet."""


def find_hard_negatives(network: TorchDetector, labeler: PseudoLabeler, photos: PhotoCache) -> HardNegatives:
    """Search ``photos``, which show no people, and return the false positives; they may overlap between zooms."""
    ids: list[str] = []
    found, sizes_px = [], []
    for row in tqdm(range(len(photos)), unit="img", file=sys.stderr):
        image = photos.image(row)
        places = [_search(network, image, zoom) for zoom in ZOOMS]
        if not any(len(faces) for faces, _ in places):
            continue
        faces, size_px = FaceArrays.merge([part for part, _ in places]), np.concatenate([part for _, part in places])
        unlike_face = iou_matrix(faces.xyxy, labeler.label(image).xyxy).max(axis=1, initial=0.0) <= _MAX_IOU
        found.append(faces.take(unlike_face))
        sizes_px.append(size_px[unlike_face])
        ids += [str(photos.ids[row])] * int(unlike_face.sum())
    if not ids:
        return HardNegatives(np.zeros(0, str), np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    faces = FaceArrays.merge(found)
    return HardNegatives(np.array(ids), faces.xyxy, np.concatenate(sizes_px), faces.scores)


def _search(network: TorchDetector, image: NDArray[np.uint8], zoom: float) -> tuple[FaceArrays, NDArray[np.float64]]:
    """Search a zoomed copy; returns faces in pixels of ``image`` and their sizes in the copy."""
    copy, zoom_xy = letterbox(image, round(zoom * max(image.shape[:2])))
    faces = weighted_nms(network.predict(copy, MIN_SCORE))
    return faces.scale(1 / zoom_xy), faces.sizes()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models detector-negatives", description="Find hard negatives for training the detector."
    )
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="what detector-photos wrote")
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE", help="last.npz or model.keras")
    parser.add_argument("--yunet", type=Path, required=True, help="OpenCV's YuNet, ONNX")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help=".npz to write")
    return run(parser, _mine, arguments)


def _mine(options: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    network = TorchDetector()
    network.load_keras_weights(load_weights(options.weights))
    photos = PhotoCache(options.photos, ("train",), ("natural",))
    negatives = find_hard_negatives(network, PseudoLabeler(options.yunet, ZOOMS), photos)
    negatives.save(options.output)
    print(f"{len(negatives):,} places in {len(set(negatives.ids.tolist())):,} of {len(photos):,} photographs")


if __name__ == "__main__":
    sys.exit(main())
