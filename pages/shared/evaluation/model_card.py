"""Tabs about how a model came to be: training curves and the model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.artifacts.model_card import SEEDS_KEY, TWO_VIEWS_KEY, ModelCard
from core.errors import ArtifactError
from core.evaluation.plots.classification import curve_names, training_curves
from core.evaluation.stored import load_history
from core.evaluation.tables import metrics_table, seeds_table
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.evaluation.components import download_table, in_words, show_figure, show_table
from pages.shared.evaluation.origin import show_not_included, show_origin

_ANSWERS = {"emotion": "emotion", "age": "age", "gender": "perceived gender"}


def show_training(folder: Path) -> None:
    """The curves of the artifact in ``folder``."""
    try:
        history = load_history(folder)
    except ArtifactError as error:
        show_error(error)
        return
    names = curve_names(history)
    if not names:
        st.info("The history of this training holds no curves.")
    # What is measured comes first: the losses have no unit that says anything by itself.
    names.sort(key=lambda name: name.endswith("loss"))
    for name in names:
        show_figure(
            training_curves(history, name, f"{in_words(name).capitalize()} while training"),
            f"curve_{name}",
            "Most recipes distort training images on purpose, so that their curve can be the worse one. A growing gap "
            "with the training curve ahead means that the model learns its images by heart.",
        )
    download_table(history, f"{folder.name}_history.csv", "history_csv")


def show_card(card: ModelCard, split: str) -> None:
    """``split``: the one that figures beside those of the card are of."""
    st.subheader(card.title)
    _show_facts(_facts(card))
    if card.is_baseline:
        show_origin(card)
    if card.excluded_files:
        show_not_included(card)
    st.markdown(f"**Intended use.** {card.intended_use}")
    st.markdown(f"**Limits.** {card.limits}")
    if card.data.get("dataset"):
        st.markdown(f"**Learnt from.** {card.data['dataset']}")
    st.markdown(f"**Licence.** {card.license}")
    st.markdown("**Measured figures** by test set (shares from 0 to 1, ages in years)")
    metrics = {split: {k: v for k, v in one.items() if _is_number(v)} for split, one in card.metrics.items()}
    if metrics:
        show_table(metrics_table(metrics), f"{card.name}_figures.csv", "card_figures_csv")
    _show_two_views(card, split)
    _show_seeds(card)
    for title, content in (("Training", card.training), ("Data", card.data), ("Files", card.files)):
        with st.expander(title):
            _show_facts(_flattened(content))
    with st.expander("The card as JSON"):
        st.json(dict(card.raw), expanded=False)
        text = json.dumps(card.raw, indent=2, default=str)
        st.download_button(
            "Download card.json", text, "card.json", "application/json", key="card_json", on_click="ignore"
        )


def _show_two_views(card: ModelCard, split: str) -> None:
    two, one = card.raw.get(TWO_VIEWS_KEY, {}).get(split), card.metrics.get(split, {})
    if not two:
        return
    st.markdown("**With a second view**")
    st.caption(
        "What would come out if each answer were the mean for the crop and its mirror image, which takes twice the "
        "time and is not served. Some published figures are made this way: compare those with two views, all others "
        "with one."
    )
    views = {"one view, as served": {name: one[name] for name in two if name in one}, "two views": two}
    show_table(metrics_table(views), f"{card.name}_{split}_two_views.csv", "card_two_views_csv")


def _show_seeds(card: ModelCard) -> None:
    seeds = card.raw.get(SEEDS_KEY)
    if not seeds:
        return
    titles = {split.name: split.title for split in TASKS[card.task].splits}
    st.markdown("**With other seeds**")
    st.caption(
        "The last round of training, repeated with other random numbers: how much is chance. Figures of the best epoch "
        f"on {titles.get(seeds['side'], seeds['side'])}, before the conversion to what is served."
    )
    show_table(seeds_table(seeds), f"{card.name}_seeds.csv", "card_seeds_csv")


def _facts(card: ModelCard) -> dict[str, Any]:
    facts = {
        "name": card.name,
        "answers": " and ".join(_ANSWERS[name] for name in card.attributes) or "where faces are",
        "architecture": card.architecture,
        "parameters": f"{card.parameters:,}",
        "input": _input_of(card),
    }
    learnt, frozen = card.raw.get("trainable_parameters"), card.raw.get("frozen_parameters")
    if learnt is not None and frozen is not None:
        facts["of the parameters"] = f"{learnt:,} learn, {frozen:,} do not"
    if card.training.get("start"):
        facts["starts from"] = card.training["start"]
    if card.epochs_run is not None:
        wanted = f" of {card.recipe_epochs:,} that the recipe asks for" if card.recipe_epochs else ""
        facts["epochs run"] = f"{card.epochs_run:,}{wanted}"
    return facts


def _input_of(card: ModelCard) -> str:
    size = f"{card.input_size}x{card.input_size} px"
    colour = "grey" if card.channels == 1 else "colour"
    return f"{size}, {colour}" if card.attributes else f"pictures of any size, {colour}; it learnt from {size}"


def _show_facts(facts: Mapping[str, Any]) -> None:
    table = pd.DataFrame({"fact": list(facts), "value": [str(value) for value in facts.values()]})
    st.dataframe(table, hide_index=True, width="stretch")


def _flattened(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings, and lists of them counted from 1, as ``outer.inner`` names."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = {str(number): one for number, one in enumerate(value, start=1)}
        flat |= _flattened(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
