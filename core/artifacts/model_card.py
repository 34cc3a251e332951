"""Installed models: an artifact is a folder with fixed file names and a card; no fact lives in a file name.

``model.tflite`` (served), ``model.keras``, ``card.json``, ``predictions.npz``, ``history.csv``. The card holds the
SHA-256 of the others, so a truncated or altered file is found before it answers anything. Model files that are too
large to come with the repository are named on the card all the same: training and exporting makes them again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.artifacts.storage import check_listed
from core.attributes.postprocessing import UNCALIBRATED_AGE, AgeCalibration
from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError
from core.tasks import TASKS

ARTIFACTS_DIR = Path(__file__).resolve().parents[2] / "models" / "artifacts"
CARD_FILE = "card.json"
SERVED_FILE = "model.tflite"
KERAS_FILE = "model.keras"
PREDICTIONS_FILE = "predictions.npz"
TWO_VIEWS_FILE = "two_views.npz"
"""Predictions of the same images, each answer the mean for a crop and its mirror image; never what is served."""
TWO_VIEWS_KEY = "two_views"
"""On a card: side -> figure -> value, from ``TWO_VIEWS_FILE``."""
SEEDS_KEY = "seeds"
"""On a card: figures of trainings that differ in their random numbers only, see ``models.seeds``."""
HISTORY_FILE = "history.csv"
ROBUSTNESS_FILE = "robustness.json"
SPEED_FILE = "speed.json"
DETECTOR_ARTIFACT = "face_detector"
"""Folder of our own face detector and of what detectors are compared by."""


@dataclass(frozen=True)
class AlignmentSpec:
    """How a detected face becomes the model's crop.

    ``points``: where the five landmarks come to lie, (x, y) as fractions of the crop's side, in the order of
    ``core.types.Landmarks``. A face without landmarks gets a square of ``scale`` x its box's longer side, whose centre
    is moved down by ``shift_y`` x that side.
    """

    scale: float = 1.0
    shift_y: float = 0.0
    points: tuple[tuple[float, float], ...] | None = None

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> AlignmentSpec:
        points = tuple((float(x), float(y)) for x, y in raw["points"]) if raw.get("points") else None
        if points is not None and len(points) != 5:
            raise ValueError(f"a crop is aligned by five points, got {len(points)}")
        return cls(float(raw["scale"]), float(raw["shift_y"]), points)


@dataclass(frozen=True)
class ModelCard:
    """Facts about one artifact. ``metrics`` is side -> figure name -> value, as computed from its predictions."""

    name: str
    title: str
    task: str
    architecture: str
    parameters: int
    input_size: int
    channels: int
    crop: AlignmentSpec
    metrics: Mapping[str, Mapping[str, float]]
    training: Mapping[str, Any]
    data: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]]
    license: str
    intended_use: str
    limits: str
    age_calibration: AgeCalibration = UNCALIBRATED_AGE
    """Fitted on the validation side."""
    temperature: Mapping[str, float] = field(default_factory=dict)
    """Output name -> temperature of its probabilities, fitted on the side that training chose on; 1 if absent."""
    min_confidence: Mapping[str, float] = field(default_factory=dict)
    """Output name -> calibrated probability below which an answer is "uncertain" by default; 0 if absent."""
    min_score: float = 0.5
    """Of a detector: the score from which a box counts, chosen on the validation side."""
    claims: tuple[Mapping[str, Any], ...] = ()
    """What the authors of a rebuilt network claim: ``output``, ``measure``, ``text``, ``low``, ``high``, ``source``."""
    recipe: str = ""
    """Whose training recipe a rebuilt network follows; empty for our own networks."""
    recipe_epochs: int | None = None
    """Epochs that the recipe asks for; ``epochs_run`` may be fewer."""
    excluded_files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Model files that do not come with the repository because of their size, as in ``files``."""
    raw: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ModelCard:
        """Raises ``KeyError``, ``TypeError``, ``ValueError``, ``AttributeError`` or ``OverflowError`` where ``raw`` is
        no card."""
        _check_form(raw)
        model_input = raw["input"]
        card = cls(
            name=str(raw["name"]),
            title=str(raw["title"]),
            task=str(raw["task"]),
            architecture=str(raw["architecture"]),
            parameters=int(raw["parameters"]),
            input_size=int(model_input["size"]),
            channels=int(model_input["channels"]),
            crop=AlignmentSpec.from_dict(raw["crop"]) if "crop" in raw else AlignmentSpec(),
            metrics=raw["metrics"],
            training=raw["training"],
            data=raw["data"],
            files=raw["files"],
            license=str(raw["license"]),
            intended_use=str(raw["intended_use"]),
            limits=str(raw["limits"]),
            age_calibration=AgeCalibration.from_dict(raw["age_calibration"])
            if "age_calibration" in raw
            else UNCALIBRATED_AGE,
            temperature={name: float(value) for name, value in raw.get("temperature", {}).items()},
            min_confidence={name: float(value) for name, value in raw.get("min_confidence", {}).items()},
            min_score=float(raw.get("min_score", 0.5)),
            claims=tuple(raw.get("claims", ())),
            recipe=str(raw.get("recipe", "")),
            recipe_epochs=None if raw.get("recipe_epochs") is None else int(raw["recipe_epochs"]),
            excluded_files=raw.get("not_included", {}),
            raw=raw,
        )
        # Adding the rounds up reads each of them: a malformed one must not wait for the page that shows it.
        _ = card.epochs_run
        return card

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the network answers about a face; nothing for a detector."""
        return TASKS[self.task].attributes

    @property
    def is_baseline(self) -> bool:
        """Whether this is a network of others, rebuilt: those name their recipe."""
        return bool(self.recipe)

    @property
    def is_for_comparison(self) -> bool:
        """Whether it is of our own, but not there to answer about people's pictures."""
        return TASKS[self.task].comparison_only and not self.is_baseline

    @property
    def epochs_run(self) -> int | None:
        """Of all rounds of training; ``None`` on a card that does not say."""
        rounds = self.training.get("rounds")
        return sum(int(one["epochs_run"]) for one in rounds) if rounds else None

    @property
    def was_shortened(self) -> bool:
        """Whether fewer epochs were run than the recipe asks for."""
        if self.epochs_run is None or self.recipe_epochs is None:
            return False
        return self.epochs_run < self.recipe_epochs


def _check_form(raw: Mapping[str, Any]) -> None:
    """Of what is kept as it stands on the card; whatever is converted is checked by that. Raises as ``from_dict``."""
    if raw["task"] not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {raw['task']!r}")
    minimums, temperatures = raw.get("min_confidence", {}), raw.get("temperature", {})
    if not all(0.0 <= float(value) <= 1.0 for value in minimums.values()):
        raise ValueError(f"min_confidence must be in [0, 1], got {minimums}")
    if not all(float(value) > 0 for value in temperatures.values()):
        raise ValueError(f"a temperature must be positive, got {temperatures}")
    for name in ("training", "data"):
        _check_object(raw[name], name)
    for figures in (raw["metrics"], raw.get(TWO_VIEWS_KEY, {})):
        for split, one in figures.items():
            _check_object(one, f"figures of the side {split}", **dict.fromkeys(one, float))
    if SEEDS_KEY in raw:
        _check_object(raw[SEEDS_KEY], SEEDS_KEY, side=str, runs=list, mean=dict, standard_deviation=dict)
        for run in raw[SEEDS_KEY]["runs"]:
            _check_object(run, "a run with another seed", seed=int)
    for files in (raw["files"], raw.get("not_included", {})):
        for name, facts in files.items():
            _check_object(facts, name, bytes=int, sha256=str)
    for claim in raw.get("claims", ()):
        _check_object(claim, "a claim", output=str, measure=str, text=str, source=str)


def _check_object(value: object, what: str, **kinds: type) -> None:
    """``kinds``: what each of its keys must be; every number is a ``float``."""
    if not isinstance(value, Mapping) or not all(_is_a(value.get(key), kind) for key, kind in kinds.items()):
        keys = ", ".join(f"{key} ({kind.__name__})" for key, kind in kinds.items())
        raise TypeError(f"{what} must be an object{' with ' + keys if keys else ''}, got {value!r}")


def _is_a(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


@dataclass(frozen=True)
class InstalledArtifact:
    """A folder under the artifacts directory: its card, or the error that keeps it from being used."""

    name: str
    folder: Path
    card: ModelCard | None
    error: ArtifactError | None


def artifacts_dir() -> Path:
    """Where artifacts are looked for: ``FACET_ARTIFACTS``, or the ones that come with the repository."""
    return Path(os.environ.get("FACET_ARTIFACTS") or ARTIFACTS_DIR)


def restore_command(name: str) -> str:
    """The advice that ends every message about a broken artifact."""
    return f"Restore it with: git restore models/artifacts/{name} (README.md says how it is trained and exported)"


def rebuild_commands(card: ModelCard) -> tuple[str, str]:
    """What makes the model files of an artifact that do not come with the repository, trained for as long as the stored
    figures were."""
    epochs = f" --epochs {card.epochs_run}" if card.was_shortened else ""
    return f"python -m models.train {card.name} --data data{epochs}", f"python -m models export {card.name} --data data"


def is_served(folder: Path, card: ModelCard) -> bool:
    """Whether a network that reads cropped faces can be run here: its ``model.tflite`` is in ``folder``, too large for
    the repository or not. That the file is the right one is found out when it is loaded."""
    return bool(card.attributes) and (Path(folder) / SERVED_FILE).is_file()


def load_card(folder: Path) -> ModelCard:
    """Read ``card.json``. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    file = Path(folder) / CARD_FILE
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {restore_command(Path(folder).name)}")
    try:
        stat = file.stat()
        return _read_card(file, stat.st_mtime_ns, stat.st_size)
    except (AttributeError, KeyError, OSError, OverflowError, TypeError, ValueError) as error:
        raise ArtifactCorruptError(
            f"{file} is no model card ({type(error).__name__}: {error}). {restore_command(Path(folder).name)}"
        ) from error


@lru_cache(maxsize=128)
def _read_card(file: Path, mtime_ns: int, size: int) -> ModelCard:
    """Read a card once per version of its file: pages list all cards at every rerun."""
    return ModelCard.from_dict(json.loads(file.read_text(encoding="utf-8")))


def verified_file(folder: Path, file_name: str, card: ModelCard) -> Path:
    """The path of one of the artifact's files after its size and hash were compared with the card."""
    file = Path(folder) / file_name
    advice = restore_command(card.name) if file.is_file() else _advice_on_missing(file_name, card)
    check_listed(file, {**card.files, **card.excluded_files}, advice)
    return file


def _advice_on_missing(file_name: str, card: ModelCard) -> str:
    if file_name not in card.excluded_files:
        return restore_command(card.name)
    megabytes = card.excluded_files[file_name]["bytes"] / 1e6
    train, export = rebuild_commands(card)
    return f"With {megabytes:.0f} MB it does not come with the repository. Make it with: {train}, then: {export}"


def list_artifacts(root: Path | None = None) -> tuple[InstalledArtifact, ...]:
    """Every artifact folder in ``root`` by name, broken ones with their error. Reads cards only."""
    root = artifacts_dir() if root is None else Path(root)
    found = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir() and not path.name.startswith((".", "_"))):
        try:
            found.append(InstalledArtifact(folder.name, folder, load_card(folder), None))
        except ArtifactError as error:
            found.append(InstalledArtifact(folder.name, folder, None, error))
    return tuple(found)
