"""Stored predictions and reports of the evaluation page, kept in the server's memory until their files change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

import plotly.graph_objects as go
import streamlit as st

from core.artifacts.model_card import CARD_FILE, PREDICTIONS_FILE, ROBUSTNESS_FILE, InstalledArtifact
from core.evaluation.predictions import Predictions
from core.evaluation.stored import StoredEvaluation, load_stored

Stamps = tuple[tuple[str, int, int], ...]
"""Path, modification time in ns and size of each file; zeros for a missing one."""
Parameters = ParamSpec("Parameters")
Report = TypeVar("Report")


def file_stamps(*files: Path) -> Stamps:
    """Return what tells versions of ``files`` apart without reading them."""
    found = [(file, file.stat() if file.is_file() else None) for file in files]
    return tuple((str(file), stat.st_mtime_ns, stat.st_size) if stat else (str(file), 0, 0) for file, stat in found)


def load_model(artifact: InstalledArtifact, split: str) -> StoredEvaluation:
    """Load the stored predictions of an artifact on ``split``. Raises ``ArtifactError``; a failure is not cached."""
    return _load_model(artifact, split, _model_stamps(artifact.folder))


def cache_report(function: Callable[Parameters, Report]) -> Callable[Parameters, Report]:
    """Cache what ``function`` computes from predictions and other hashable arguments. Callers share the returned object
    and must not change it."""
    hash_funcs: dict[str | type[Any], Callable[[Any], Any]] = {StoredEvaluation: _model_version, Predictions: _digest}
    return st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=hash_funcs)(function)


@st.cache_resource(
    max_entries=256,
    show_spinner=False,
    hash_funcs={FunctionType: lambda draw: f"{draw.__module__}.{draw.__qualname__}"},
)
def draw_figure(draw: Callable[..., go.Figure], *arguments: Any) -> go.Figure:
    """Return ``draw(*arguments)``, drawn once per content of the arguments: drawing takes longer than all else."""
    return draw(*arguments)


@st.cache_resource(max_entries=32, show_spinner=False)
def _load_model(_artifact: InstalledArtifact, split: str, stamps: Stamps) -> StoredEvaluation:
    return load_stored(_artifact, split)


def _model_version(model: StoredEvaluation) -> tuple[str, Stamps]:
    return model.split, _model_stamps(model.folder)


def _digest(predictions: Predictions) -> str:
    age = predictions.age
    arrays = [predictions.ids, *predictions.truth.values(), *predictions.probabilities.values()]
    arrays += [age.years, age.low, age.high] if age else []
    digest = hashlib.sha256(predictions.task.encode())
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _model_stamps(folder: Path) -> Stamps:
    return file_stamps(*(folder / name for name in (CARD_FILE, PREDICTIONS_FILE, ROBUSTNESS_FILE)))
