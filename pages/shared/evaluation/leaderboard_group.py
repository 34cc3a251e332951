"""One table of the leaderboard: networks that are comparable, published results, and accuracy against latency."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.evaluation.leaderboard import SEEN_MARK, UNMEASURED, Group
from core.evaluation.leaderboard_tables import Differences, format_difference, leaderboard_table, published_table
from core.evaluation.plots.leaderboard import comparable_rows, speed_scatter
from core.evaluation.tables import display_name
from pages.shared.evaluation.components import show_figure
from pages.shared.evaluation.selection import BY_TEST_SET, TAB_KEY, VIEW_KEY, preselect

_CONFUSION_TABS = {
    "emotion": "Confusion matrix",
    "gender": "Perceived gender",
    "age": "Age brackets",
    "age_group": "Age groups",
}


def show_group(group: Group, differences: Differences) -> None:
    direction = "Lower is better" if group.measure.lower_is_better else "Higher is better"
    st.caption(
        f"Test split: {group.test_split.title}, {group.images:,} images. {direction}. To tell whether two networks "
        "differ, use the paired difference to the best one, not the overlap of their intervals."
    )
    table, key = leaderboard_table(group, differences), f"{group.measure.key}_{group.title}"
    shown = table.assign(
        difference=[
            format_difference(differences.get(row.network.name, UNMEASURED), group.measure) for row in group.rows
        ]
    )
    st.dataframe(shown, hide_index=True, width="stretch", **_columns(group))
    if any(row.network.label.endswith(SEEN_MARK) for row in group.rows):
        st.caption("\\* Has seen test images: the column **Note** says how.")
    _show_link_to_details(group, key)
    _show_published(group)
    if len(group.rows) == 1:
        return
    excluded = len(table) - len(comparable_rows(table))
    note = f" {excluded} without a latency on the same machine are not drawn." if excluded else ""
    show_figure(
        speed_scatter(group, f"{group.title}: {group.measure.metric_title} against latency"),
        f"leaderboard_{key}",
        "Look at the upper left corner: networks there are accurate and fast.",
        f"Up and to the left is better. Lines: 95 % confidence intervals. Hover for names.{note}",
    )


def _show_published(group: Group) -> None:
    table = published_table(group.measure)
    if table.empty:
        return
    title = f"Published results on {group.measure.dataset_title} ({len(table)})"
    with st.expander(title, expanded=len(group.rows) == 1):
        st.caption(
            "Copied from papers and repositories, not measured here. Training data, splits and test-time augmentation "
            "differ, so they are not ranked."
        )
        # Sentences: they need lines of their own, which a data frame does not give them.
        st.table(table)


def _show_link_to_details(group: Group, key: str) -> None:
    selector, button = st.columns([2, 1], vertical_alignment="bottom")
    labels = {row.network.name: row.network.label for row in group.rows}
    name = selector.selectbox(
        "Confusion matrix and all metrics of",
        list(labels),
        key=f"leaderboard_details_{key}",
        format_func=labels.__getitem__,
    )
    button.button("Show", key=f"leaderboard_go_{key}", on_click=_go_to, args=(group, name), icon=":material/grid_on:")


def _go_to(group: Group, name: str) -> None:
    st.session_state[VIEW_KEY] = BY_TEST_SET
    st.session_state[TAB_KEY] = _CONFUSION_TABS[group.measure.output]
    preselect(group.test_split, name)


def _columns(group: Group) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    unit, title = "%.2f" if group.measure.lower_is_better else "percent", group.measure.metric_title
    config = {
        "model": text("Model", pinned=True),
        "kind": text("From", width=75, help="Facet, a baseline trained on the same data, or a published package."),
        "value": number(title, format=unit, help=f"On {group.test_split.title}."),
        "value_low": number("95 % CI low", format=unit),
        "value_high": number("95 % CI high", format=unit),
        "difference": text(
            "Difference to best", width=210, help="Paired by image, with its 95 % confidence interval. Not 0: differs."
        ),
        "reported": text("Reported", width=150, help="Word for word, on the data of whoever reports it."),
        "epochs": text("Epochs", width=85, help="Epochs run, of those that the recipe asks for."),
        "ms_per_face": number(display_name("ms_per_face"), format="%.2f"),
        "parameters": number("Parameters", format="localized"),
        "size_mb": number("Size (MB)", format="%.1f", help="Of the served model file."),
        "installed": st.column_config.CheckboxColumn("Installed", help="Can be chosen for images and video."),
        "validation": number("Validation", format=unit, help=group.validation_split.description),
        "source": text("Source"),
        "note": text("Note"),
        "recipe": text("Recipe"),
        "timed_on": text("Measured on"),
    }
    return {"column_order": list(config), "column_config": config}
