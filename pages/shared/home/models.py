"""The installed models with their measured figures, read from their cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.artifacts.model_card import ATTRIBUTES, ModelCard, list_artifacts
from core.labels import pluralize
from core.tasks import DETECTOR_SPLIT, EvaluationSplit, split_for
from pages.shared.errors import show_error
from pages.shared.markdown import plain

TRAIN_ADVICE = (
    "No model is installed. Restore the ones that come with Facet with `git restore models/artifacts`, "
    "or train your own: `README.md` says how."
)

DETECTION = "detection"


@dataclass(frozen=True, slots=True)
class Figure:
    """How one entry of a card's metrics is shown; its interval is ``<key>_low`` and ``<key>_high``. Without a ``unit``
    the value is a share. ``count``: the entry that says of how many it is, one of ``_COUNTED``."""

    key: str
    label: str
    unit: str | None = None
    count: str | None = "n"

    def text(self, value: float) -> str:
        return f"{value:.1%}" if self.unit is None else f"{value:.2f} {self.unit}"

    def interval(self, low: float, high: float) -> str:
        return f"{low * 100:.1f} to {high * 100:.1f} %" if self.unit is None else f"{low:.2f} to {high:.2f} {self.unit}"


_COUNTED = {"n": "images", "marked_faces": "marked faces"}
_ANSWERED: Mapping[str, Figure] = {
    "emotion": Figure("accuracy", "Emotion: right answers"),
    "age": Figure("age_mae", "Age: mean absolute error", "years"),
    "gender": Figure("gender_accuracy", "Perceived gender: right answers"),
}
FIGURES: Mapping[str, tuple[Figure, ...]] = {
    DETECTION: (
        Figure("recall", "Faces: found", count="marked_faces"),
        Figure("false_boxes_all", "Faces: false boxes", "an image", count=None),
    ),
    **{task: tuple(_ANSWERED[name] for name in attributes) for task, attributes in ATTRIBUTES.items()},
}
EVALUATION_PAGE = "pages/3_Model_Evaluation.py"


def show_models() -> None:
    """A card for each of our own models that answers, one line for those to compare with, a message for each broken
    one."""
    artifacts = list_artifacts()
    for artifact in artifacts:
        if artifact.error is not None:
            show_error(artifact.error)
    cards = [artifact.card for artifact in artifacts if artifact.card is not None]
    if not artifacts:
        st.warning(TRAIN_ADVICE, icon=":material/deployed_code_alert:")
    classic = [card for card in cards if card.is_baseline]
    compared = [card for card in cards if card.is_for_comparison]
    own = [card for card in cards if not (card.is_baseline or card.is_for_comparison)]
    for card in sorted(own, key=lambda card: (list(FIGURES).index(card.task), card.name)):
        with st.container(border=True):
            _show_card(card)
    _link_to_others(len(classic), len(compared))


def _link_to_others(classic: int, compared: int) -> None:
    parts = []
    if classic:
        parts.append(f"{pluralize(classic, 'classic network')} of the field, rebuilt and trained on the same images")
    if compared:
        parts.append(f"{compared} of ours for a published split")
    if parts:
        # Apart from the link, whose text is cut off where there is no room for it.
        st.markdown(f"To compare with: {', and '.join(parts)}.")
        st.page_link(EVALUATION_PAGE, label="Compare them: Model evaluation", icon=":material/leaderboard:")


def _show_card(card: ModelCard) -> None:
    st.markdown(f"**{plain(card.title)}**")
    size = "pictures of any size" if card.task == DETECTION else f"{card.input_size} x {card.input_size} pixels"
    st.caption(
        f"{plain(card.name)} · {card.parameters / 1e6:.2f} million parameters · "
        f"{size}, {'grey' if card.channels == 1 else 'colour'}"
    )
    split = _reporting_side(card.task)
    metrics = card.metrics.get(split.split, {})
    shown = [figure for figure in FIGURES[card.task] if figure.key in metrics]
    if not shown:
        st.caption(f"Not measured on {split.title} yet.")
        return
    for figure, column in zip(shown, st.columns(len(shown)), strict=True):
        column.metric(figure.label, figure.text(metrics[figure.key]))
        column.caption(_provenance(figure, metrics, split))


def _provenance(figure: Figure, metrics: Mapping[str, float], split: EvaluationSplit) -> str:
    """Interval, test set and number of images; what the card does not state is left out."""
    parts = []
    low, high = metrics.get(f"{figure.key}_low"), metrics.get(f"{figure.key}_high")
    if low is not None and high is not None:
        parts.append(f"95 % interval {figure.interval(low, high)}")
    parts.append(split.title)
    if figure.count is not None and figure.count in metrics:
        parts.append(f"{int(metrics[figure.count]):,} {_COUNTED[figure.count]}")
    return " · ".join(parts)


def _reporting_side(task: str) -> EvaluationSplit:
    if task == DETECTION:
        return DETECTOR_SPLIT
    return split_for(task, chosen_on=False)
