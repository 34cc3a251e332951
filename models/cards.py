"""Model cards: what the training side knows about an artifact, written beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.artifact import CARD_FILE, HISTORY_FILE, KERAS_FILE, PREDICTIONS_FILE, SERVED_FILE, sha256_of
from core.errors import ConfigError
from core.evaluation.detection_stored import NUMBERS_FILE, REPORT_FILE
from core.evaluation.robustness import ROBUSTNESS_FILE
from models.configs import config_named
from models.train_config import TrainConfig

_TEXTS: dict[str, dict[str, Any]] = {
    "emotion": {
        "title": "Emotion, {size}x{size} grey",
        "channels": 1,
        "dataset": "FER2013 (Goodfellow et al. 2013); training targets softened by FER+ (Barsoum et al. 2016)",
        "limits": (
            "Reads the expression that annotators saw in web photographs from 2013, often posed, with labels on which "
            "people themselves agree in about two of three cases. Disgust and fear are rare and often missed. It does "
            "not know what a person feels. FER2013 has no labels of age, gender or origin, so nothing is known here "
            "about differences between groups."
        ),
    },
    "detection": {
        "title": "Face detector, five landmarks",
        "channels": 3,
        "dataset": (
            "5,586 web photographs (Caltech 10,000 Web Faces) with eyes, nose and mouth marked by people, and 839 "
            "street photographs with boxes drawn by people around masked and unmasked faces. Part of the labels were "
            "made by a machine: most boxes, and the landmarks of faces that nobody marked, come from OpenCV's YuNet "
            "detector. They are good to learn from, but no ground truth."
        ),
        "limits": (
            "Finds faces from about 12 pixels in the searched copy (the longer side of a live frame is reduced to 320 "
            "pixels, of a photograph to 640). The photographs show mostly adults who face the camera: expect more "
            "misses for profiles, faces upside down and strong occlusion. It finds faces; it does not tell whose."
        ),
    },
    "age_gender": {
        "title": "Age and perceived gender, {size}x{size} colour",
        "channels": 3,
        "dataset": "UTKFace, aligned and cropped (Zhang et al. 2017)",
        "limits": (
            "Estimates the age that a face appears to have, and the gender that others perceive, male or female only: "
            "neither says how old anybody is or how anybody identifies. Errors grow with age and differ between "
            "groups, see the table by group. Web photographs of 2017; people over 70 are rare in it."
        ),
    },
}
LICENSE = (
    "Weights for research use only: the training data may be used for non-commercial research. "
    "The code is under the MIT licence."
)
INTENDED_USE = (
    "Demonstration, teaching and the study of such models, on pictures of people who agreed to it. Not for decisions "
    "about people. Emotion inference at the workplace and in education is banned in the EU (AI Act, Article 5(1)(f))."
)
DEFAULT_CROP = {"scale": 1.0, "shift_y": 0.0}


def new_card(config: TrainConfig, run_folder: Path, parameters: int) -> dict[str, Any]:
    """A card without figures: they are added from predictions. ``ConfigError`` for a task that has no card yet."""
    if config.task not in _TEXTS:
        raise ConfigError(f"{config.name} learns {config.task!r}: cards exist for {', '.join(_TEXTS)} only")
    texts = _TEXTS[config.task]
    run = json.loads((run_folder / "run.json").read_text(encoding="utf-8"))
    return {
        "name": config.name,
        "title": texts["title"].format(size=config.image_size),
        "task": config.task,
        "architecture": config.architecture,
        "parameters": parameters,
        "input": {"size": config.image_size, "channels": texts["channels"], "dtype": "uint8", "colour_order": "BGR"},
        **({} if config.task == "detection" else {"crop": DEFAULT_CROP}),
        "metrics": {},
        "training": {
            "rounds": [_round(folder) for folder in rounds_of(config, run_folder)],
            "averaged_with": config.averaged_with,
            "backend": run["backend"],
        },
        "data": {
            "dataset": texts["dataset"],
            **{name: value for name, value in run.items() if name not in ("config", "backend")},
        },
        "files": {},
        "license": LICENSE,
        "intended_use": INTENDED_USE,
        "limits": texts["limits"],
    }


def read_card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    return card


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write ``card`` with the size and SHA-256 of the files that stand beside it now."""
    names = [SERVED_FILE, KERAS_FILE, PREDICTIONS_FILE, REPORT_FILE, NUMBERS_FILE, ROBUSTNESS_FILE, HISTORY_FILE]
    files = [folder / name for name in names if (folder / name).is_file()]
    card["files"] = {file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)} for file in files}
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2, default=str) + "\n", encoding="utf-8")


def rounds_of(config: TrainConfig, run_folder: Path) -> list[Path]:
    """The run folders that the weights went through, first round first."""
    if config.start_from is None:
        return [run_folder]
    return [*rounds_of(config_named(config.start_from), run_folder.parent / config.start_from), run_folder]


def joined_history(run_folders: Sequence[Path]) -> str:
    """CSV text of all rounds as one training: epochs and seconds are counted on."""
    epoch, elapsed_s = 0, 0.0
    rows: list[dict[str, str]] = []
    for number, folder in enumerate(run_folders, start=1):
        part = _history(folder)
        clock = np.cumsum(_epoch_seconds(part))
        for row, seconds in zip(part, clock, strict=True):
            counted = {"epoch": str(epoch + int(row["epoch"])), "elapsed_s": f"{elapsed_s + seconds:.1f}"}
            rows.append(row | counted | {"round": str(number)})
        epoch, elapsed_s = int(rows[-1]["epoch"]), float(rows[-1]["elapsed_s"])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _round(run_folder: Path) -> dict[str, Any]:
    run = json.loads((run_folder / "run.json").read_text(encoding="utf-8"))
    history = _history(run_folder)
    return {
        "config": run["config"],
        "epochs_run": len(history),
        "chosen_epoch": _best(run_folder),
        "duration_s": round(sum(_epoch_seconds(history)), 1),
    }


def _history(run_folder: Path) -> list[dict[str, str]]:
    with (run_folder / "history.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _epoch_seconds(history: Sequence[Mapping[str, str]]) -> list[float]:
    """Seconds of each epoch; ``elapsed_s`` starts at zero again whenever a run was resumed."""
    seconds, before = [], 0.0
    for row in history:
        now = float(row["elapsed_s"])
        seconds.append(now - before if now > before else now)
        before = now
    return seconds


def _best(run_folder: Path) -> dict[str, float]:
    state = json.loads((run_folder / "state.json").read_text(encoding="utf-8"))
    best: dict[str, float] = state["best"]
    return best
