"""Tabs about how a model was made: its training curves and its model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.artifacts.model_card import ModelCard, rebuild_commands
from core.artifacts.package import PeerPackage
from core.errors import ArtifactError
from core.evaluation.plots.classification import curve_names, training_curves
from core.evaluation.stored import load_history
from core.evaluation.tables import display_name, metrics_table
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import draw_figure
from pages.shared.evaluation.components import download_table, show_figure, show_table
from pages.shared.markdown import escape_markdown


def show_training(folder: Path) -> None:
    """Show the training curves of the artifact in ``folder``."""
    try:
        history = load_history(folder)
    except ArtifactError as error:
        show_error(error)
        return
    # Metrics before losses, whose values mean nothing by themselves.
    names = sorted(curve_names(history), key=lambda name: name.endswith("loss"))
    if not names:
        st.info("The training history has no curves.")
    for name in names:
        show_figure(
            draw_figure(
                training_curves,
                history,
                name,
                f"{display_name(name)} by {'step' if 'step' in history.columns else 'epoch'}",
            ),
            f"curve_{name}",
            "Look at the end of the curves: whether they still change, and how far apart they are.",
            "Training images are augmented, so their curve can be the worse one. A growing gap with the training curve "
            "ahead means overfitting.",
        )
    download_table(history, f"{folder.name}_history.csv", "history_csv")


def show_card(card: ModelCard) -> None:
    st.subheader(card.title)
    _show_key_values(_summarize(card))
    if card.is_baseline:
        _show_baseline(card)
    if card.package is not None:
        _show_package(card.package)
    if card.is_baseline or card.is_peer:
        _show_reported(card)
    if card.excluded_files:
        show_excluded_files(card)
    st.markdown(f"**Intended use.** {card.intended_use}")
    st.markdown(f"**Limitations.** {card.limits}")
    if card.data.get("dataset"):
        st.markdown(f"**Training data.** {card.data['dataset']}")
    st.markdown(f"**Licence.** {card.license}")
    metrics = {split: {k: v for k, v in values.items() if _is_number(v)} for split, values in card.metrics.items()}
    if metrics:
        st.markdown("**Metrics** by split (shares from 0 to 1, ages in years)")
        show_table(metrics_table(metrics), f"{card.name}_metrics.csv", "card_metrics_csv")
    for title, content in (("Training", card.training), ("Data", card.data), ("Files", card.files)):
        with st.expander(title):
            _show_key_values(_flatten(content))
    with st.expander("Card as JSON"):
        st.json(dict(card.raw), expanded=False)
        text = json.dumps(card.raw, indent=2, default=str)
        st.download_button(
            "Download card.json", text, "card.json", "application/json", key="card_json", on_click="ignore"
        )


def show_excluded_files(card: ModelCard) -> None:
    """Show which model files are not in the repository, and the commands that make them."""
    sizes = ", ".join(f"{name} ({facts['bytes'] / 1e6:.1f} MB)" for name, facts in card.excluded_files.items())
    st.info(
        f"Not included because of their size: {sizes}. Saved predictions are included, so all metrics are available. "
        "With the data sets in `data`, these commands create the files:",
        icon=":material/folder_zip:",
    )
    st.code("\n".join(rebuild_commands(card)), language="bash")
    if card.was_shortened:
        st.caption("The metrics shown are from this number of epochs. Without `--epochs`, the full recipe runs.")


def _show_baseline(card: ModelCard) -> None:
    st.markdown(f"**Recipe.** {escape_markdown(card.recipe)}. Data, splits and model selection are Facet's.")


def _show_package(package: PeerPackage) -> None:
    st.markdown(
        f"**Package.** {escape_markdown(package.name)} {package.version} from {package.registry}, measured as it is. "
        f"It makes of each image: {package.input}. Only the age interval is fitted by Facet."
    )
    if package.seen:
        st.warning(f"Has seen test images: {package.seen}.", icon=":material/warning:")


def _show_reported(card: ModelCard) -> None:
    """Show what the authors of a baseline or a package report."""
    if not card.reported_results:
        st.markdown("**Reported results.** None known.")
        return
    st.markdown("**Reported results**, usually on other data: not directly comparable with the metrics below")
    st.dataframe(
        pd.DataFrame(
            [{name: result[name] for name in ("output", "text", "source")} for result in card.reported_results]
        ),
        hide_index=True,
        width="stretch",
        column_config={"output": "Output", "text": "Reported", "source": "Source"},
    )


def _summarize(card: ModelCard) -> dict[str, Any]:
    size = f"{card.input_size} x {card.input_size} pixels"
    colour = "grey" if card.channels == 1 else "colour"
    rows = {
        "Name": card.name,
        "Outputs": TASKS[card.task].title,
        "Architecture": card.architecture,
        "Parameters": f"{card.parameters:,}",
        "Input": f"{size}, {colour}" if card.attributes else f"any image size, {colour}; trained on {size}",
    }
    trainable, frozen = card.raw.get("trainable_parameters"), card.raw.get("frozen_parameters")
    if trainable is not None and frozen is not None:
        rows["Trainable / frozen parameters"] = f"{trainable:,} / {frozen:,}"
    if card.training.get("start"):
        rows["Initial weights"] = card.training["start"]
    if card.epochs_run is not None:
        rows["Epochs"] = f"{card.epochs_run:,}" + (f" of {card.recipe_epochs:,}" if card.recipe_epochs else "")
    return rows


def _show_key_values(values: Mapping[str, Any]) -> None:
    table = pd.DataFrame({"Field": list(values), "Value": [str(value) for value in values.values()]})
    st.dataframe(table, hide_index=True, width="stretch")


def _flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name the values of nested mappings ``outer.inner``, and those of lists of mappings by number, from 1."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = {str(number): item for number, item in enumerate(value, start=1)}
        flat |= _flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
