"""The installed models with their test metrics, read from the model cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.artifacts.model_card import ModelCard, list_artifacts
from core.labels import pluralize
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.markdown import escape_markdown

NO_MODEL = (
    "No model is installed. Restore the models that come with Facet with `git restore models/artifacts`, "
    "or train your own: see `docs/training.md`."
)
DETECTION = "detection"


@dataclass(frozen=True, slots=True)
class CardMetric:
    """How one entry of a card's metrics is shown. ``unit``: ``%`` for a share in [0, 1]. The interval is stored as
    ``<key>_low`` and ``<key>_high``, the number of samples under the
    first part of ``count``, which is named by the second."""

    key: str
    label: str
    unit: str = "%"
    count: tuple[str, str] | None = ("n", "images")

    def format(self, *values: float) -> str:
        scale, digits = (100, 1) if self.unit == "%" else (1, 2)
        return f"{' to '.join(f'{value * scale:.{digits}f}' for value in values)} {self.unit}".rstrip()


METRICS: Mapping[str, CardMetric] = {
    metric.key: metric
    for metric in (
        CardMetric("accuracy", "Emotion: accuracy"),
        CardMetric("age_mae", "Age: mean absolute error", "years"),
        CardMetric("age_group_accuracy", "Age group: accuracy"),
        CardMetric("gender_accuracy", "Perceived gender: accuracy"),
        CardMetric("recall", "Faces: recall", count=("marked_faces", "annotated faces")),
        CardMetric("false_boxes_all", "Faces: false positives per image", "", count=None),
    )
}
"""Task -> metrics; the order of the tasks is the order of the models on the page."""


def show_models() -> None:
    """Show each built-in model, one line about models for comparison, and an error for each broken artifact."""
    artifacts = list_artifacts()
    for artifact in artifacts:
        if artifact.error is not None:
            show_error(artifact.error)
    if not artifacts:
        st.warning(NO_MODEL, icon=":material/deployed_code_alert:")
    cards = [artifact.card for artifact in artifacts if artifact.card is not None]
    built_in = [card for card in cards if not (card.is_baseline or card.is_for_comparison)]
    for card in sorted(built_in, key=lambda card: list(TASKS).index(card.task)):
        with st.container(border=True):
            _show_card(card)
    if len(built_in) < len(cards):
        # Apart from the link, whose text is cut off where there is no room for it.
        st.markdown(f"Also installed for comparison: {pluralize(len(cards) - len(built_in), 'other model')}.")
        st.page_link("pages/3_Model_Evaluation.py", label="Compare all models", icon=":material/leaderboard:")


def _show_card(card: ModelCard) -> None:
    st.markdown(f"**{escape_markdown(card.title)}**")
    size = "any image size" if card.task == DETECTION else f"{card.input_size} x {card.input_size} pixels"
    colour = "grey" if card.channels == 1 else "colour"
    st.caption(f"{escape_markdown(card.name)} · {card.parameters / 1e6:.2f} M parameters · {size}, {colour}")
    split = TASKS[card.task].test_split
    values = card.metrics.get(split.name, {})
    shown = [METRICS[key] for key in TASKS[card.task].metrics if key in values]
    if not shown:
        st.caption(f"Not evaluated on {split.title} yet.")
        return
    for metric, column in zip(shown, st.columns(len(shown)), strict=True):
        column.metric(metric.label, metric.format(values[metric.key]))
        column.caption(_describe_source(metric, values, split.title))


def _describe_source(metric: CardMetric, values: Mapping[str, float], test_set: str) -> str:
    """Return interval, test set and number of samples; what the card does not state is left out."""
    parts = [test_set]
    bounds = [values[key] for key in (f"{metric.key}_low", f"{metric.key}_high") if key in values]
    if len(bounds) == 2:
        parts.insert(0, f"95 % CI {metric.format(*bounds)}")
    if metric.count is not None and metric.count[0] in values:
        parts.append(f"{int(values[metric.count[0]]):,} {metric.count[1]}")
    return " · ".join(parts)
