"""The four figures of the landing page, from model cards and stored measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from core.artifacts.model_card import artifacts_dir, load_card
from core.errors import ArtifactError
from core.settings import DEFAULT_NETWORKS
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.home.texts import EVALUATION

NOT_MEASURED = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """``source`` names where the figure comes from, ``link`` opens the evaluation page there."""

    label: str
    value: str
    meaning: str
    source: str
    link: Mapping[str, str]


def show_figures() -> None:
    """Show the figures side by side; one that cannot be read is replaced by its error."""
    for column, read in zip(st.columns(4), _READERS, strict=True):
        with column, st.container(gap=None):
            try:
                figure = read()
            except ArtifactError as error:
                show_error(error)
                continue
            st.metric(figure.label, figure.value)
            st.caption(figure.meaning)
            st.page_link(EVALUATION.file, label=figure.source, icon=EVALUATION.icon, query_params=dict(figure.link))


def _read_metric(label: str, attribute: str, key: str, show: Callable[[float], str], meaning: str, tab: str) -> Figure:
    card = load_card(artifacts_dir() / DEFAULT_NETWORKS.by_attribute[attribute])
    split = TASKS[card.task].test_split
    metrics = card.metrics.get(split.name, {})
    value = show(metrics[key]) if key in metrics else NOT_MEASURED
    return Figure(label, value, meaning, split.title, {"test_set": split.title, "tab": tab})


@st.cache_data(show_spinner=False)
def _read_frame_ms(root: Path) -> float:
    """Read it once per server, because the detector's report is long. A failure is not cached."""
    # Only here: takes part of a second to import.
    from core.evaluation.latency import total_frame_ms

    return total_frame_ms(root)


def _read_speed() -> Figure:
    title = TASKS["detection"].test_split.title
    value = f"{_read_frame_ms(artifacts_dir()):.1f} ms"
    meaning = "per video frame, on one CPU core"
    return Figure("Speed", value, meaning, "Measured times", {"test_set": title, "tab": "Latency"})


_READERS: tuple[Callable[[], Figure], ...] = (
    partial(
        _read_metric,
        "Emotion",
        "emotion",
        "accuracy",
        "{:.1%}".format,
        f"read as labelled; chance: {1 / len(TASKS['emotion'].emotions):.0%}",
        "Summary",
    ),
    partial(
        _read_metric,
        "Perceived gender",
        "gender",
        "gender_accuracy",
        "{:.1%}".format,
        "read as labelled; chance: 50%",
        "Perceived gender",
    ),
    partial(
        _read_metric,
        "Age",
        "age",
        "age_mae",
        "{:.1f} years".format,
        "off on average",
        "Age",
    ),
    _read_speed,
)
