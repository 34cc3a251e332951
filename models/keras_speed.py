"""Milliseconds of Keras' ``model.predict`` for one crop: ``python -m models.keras_speed ARTIFACT... [--json]``.

The evaluation page starts this in a process of its own, so that TensorFlow stays out of the app.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.artifacts.model_card import KERAS_FILE, artifacts_dir, load_card, verified_file
from core.errors import ArtifactError, FacetError
from models.cli import positive_int

_WARM_UP_CALLS = 5

Load = Callable[[Path], Callable[[], object]]


def import_tensorflow(threads: int | None) -> float:
    """Seconds that it took. ``threads``: of one operation and between operations, ``None`` for TensorFlow's choice.

    Raises ``ArtifactError`` where TensorFlow is not installed.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    start_s = time.perf_counter()
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ArtifactError(
            "TensorFlow is not installed here, so Keras cannot be timed; the app itself does not need it. Install it "
            "with: pip install -r requirements.txt -c constraints.txt"
        ) from error
    import_s = time.perf_counter() - start_s
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    return import_s


def load_prediction(folder: Path) -> Callable[[], object]:
    """The call that is timed: ``predict`` of the artifact's ``model.keras`` with one crop of noise.

    Raises ``ArtifactError``.
    """
    import keras

    card = load_card(folder)
    file = verified_file(folder, KERAS_FILE, card)
    try:
        model = keras.saving.load_model(file, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"{file} is no Keras model: {error}") from error
    shape = (1, card.input_size, card.input_size, card.channels)
    crop = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    return lambda: model.predict(crop, verbose=0)


def timed(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, after calls that are not counted."""
    elapsed_ms = []
    for call in range(_WARM_UP_CALLS + repeats):
        start_s = time.perf_counter()
        work()
        if call >= _WARM_UP_CALLS:
            elapsed_ms.append((time.perf_counter() - start_s) * 1000)
    return {"median_ms": float(np.median(elapsed_ms)), "p95_ms": float(np.percentile(elapsed_ms, 95))}


def main(arguments: list[str] | None = None, load: Load = load_prediction) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.keras_speed", description="Time Keras' predict.")
    parser.add_argument("artifacts", nargs="+", metavar="ARTIFACT", help="name of a folder in models/artifacts")
    parser.add_argument("--repeats", type=positive_int, default=30, help="timed calls (default 30)")
    parser.add_argument("--threads", type=positive_int, help="threads of TensorFlow (default: its own choice)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        import_s = import_tensorflow(options.threads)
        times = {name: timed(load(artifacts_dir() / name), options.repeats) for name in options.artifacts}
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"import_s": import_s, "repeats": options.repeats, "models": times}, indent=2))
        return 0
    print(f"TensorFlow took {import_s:.1f} s to import")
    for name, one in times.items():
        print(f"{name:24} median {one['median_ms']:.2f} ms, p95 {one['p95_ms']:.2f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
