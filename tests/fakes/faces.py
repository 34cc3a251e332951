"""A folder of packed faces as training reads them, made without any data set."""

import numpy as np

from models.faces.packing import IMAGES_FILE, LANDMARKS_FILE, REFERENCE, SIDE, TABLE_FILE, load_packed


def write_packed_faces(folder, count=24, seed=0):
    """``count`` faces of noise, a third of them for validation, of all four sources; a third without landmarks."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / IMAGES_FILE, rng.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8))
    landmarks = np.repeat((REFERENCE * 128 + 8)[None], count, axis=0).astype(np.float32)
    landmarks[::3] = np.nan
    np.save(folder / LANDMARKS_FILE, landmarks)
    source = np.array(["utkface", "fairface", "aaf", "appa_real"])[np.arange(count) % 4]
    low = rng.integers(0, 8, count) * 10
    np.savez(
        folder / TABLE_FILE,
        row=np.arange(count),
        source=source,
        name=np.array([f"{number}.jpg" for number in range(count)]),
        split=np.where(np.arange(count) % 12 < 8, "train", "validation"),
        age_low=low,
        age_high=np.where(source == "fairface", low + 9, low),
        gender=np.where(source == "appa_real", -1, rng.integers(0, 2, count)),
        group=np.where(source == "fairface", "Black", ""),
    )
    return load_packed(folder)
