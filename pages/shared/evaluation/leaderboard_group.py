"""Networks that can be compared: their table, what others report, and how good against how fast."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.evaluation.leaderboard import UNMEASURED, Group
from core.evaluation.leaderboard_tables import Behind, format_difference, group_table, published_table
from core.evaluation.plots.leaderboard import comparable_rows, speed_scatter
from pages.shared.evaluation.components import INTERVAL_HELP, show_figure
from pages.shared.evaluation.selection import BY_TEST_SET, TAB_KEY, VIEW_KEY, preselect

_TAB_WITH_CONFUSION = {
    "emotion": "Confusion matrix",
    "gender": "Perceived gender",
    "age": "Age brackets",
    "age_group": "Age groups",
}


def show_group(group: Group, behind: Behind) -> None:
    better = "fewer years are better" if group.measure.lower_is_better else "more right answers are better"
    st.caption(
        f"Measured on {group.test_split.title}, {group.images:,} images; {better}, best first. Whether two networks "
        "differ is not decided by their own intervals, since both answered the same images: see how far each one is "
        "behind the best."
    )
    table, key = group_table(group, behind), f"{group.measure.key}_{group.title}"
    table["behind"] = [format_difference(behind.get(name, UNMEASURED), group.measure) for name in table["network"]]
    st.dataframe(table, hide_index=True, width="stretch", **_columns(group))
    _show_way_to_details(group, key)
    _show_published(group)
    if len(group.rows) == 1:
        return
    figure = speed_scatter(group, f"{group.title}: how good against how fast")
    left_out = len(group.rows) - len(comparable_rows(group))
    missing = f" {left_out} without a time on the same machine are not drawn." if left_out else ""
    show_figure(
        figure,
        f"leaderboard_{key}",
        "Up and to the left is better; each step of the grid across is a fixed factor. The thin line is the 95 % "
        f"interval. Names that found no room appear under the pointer.{missing}",
    )


def _show_published(group: Group) -> None:
    table = published_table(group.measure)
    if table.empty:
        return
    _, what = _format_and_name(group)
    with st.expander(f"What others report on {group.measure.data_set} ({len(table)})", expanded=len(group.rows) == 1):
        st.caption(
            "Copied from their papers and repositories, not measured here. Most learnt from more images, saw each test "
            "image several times, or were tested on other images of the same data set: to compare with, not to rank."
        )
        # Sentences: they need lines of their own, which a data frame does not give them.
        st.table(table.rename(columns=str.capitalize).rename(columns={"Reported": what}))


def _show_way_to_details(group: Group, key: str) -> None:
    chosen, go = st.columns([2, 1], vertical_alignment="bottom")
    names = [row.network.name for row in group.rows]
    name = chosen.selectbox("Confusion matrix and all other figures of", names, key=f"leaderboard_details_{key}")
    go.button("Show them", key=f"leaderboard_go_{key}", on_click=_go_to, args=(group, name), icon=":material/grid_on:")


def _go_to(group: Group, name: str) -> None:
    st.session_state[VIEW_KEY] = BY_TEST_SET
    st.session_state[TAB_KEY] = _TAB_WITH_CONFUSION[group.measure.output]
    preselect(group.test_split, name)


def _columns(group: Group) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    unit, what = _format_and_name(group)
    config = {
        "network": text("Network", pinned=True),
        "ours": st.column_config.CheckboxColumn("Ours", width=60),
        "measured": number(what, format=unit, help=f"On {group.test_split.title}. {INTERVAL_HELP}"),
        "measured_low": number("95 % from", format=unit),
        "measured_high": number("to", format=unit),
        "claimed": text("Claimed", width=150, help="Word for word, on the images of whoever claims it."),
        "epochs": text(
            "Epochs", width=85, help="Times that it saw all training images, of those that the recipe asks for."
        ),
        "ms_per_face": number("ms a face", format="%.2f"),
        "parameters": number("Parameters", format="localized"),
        "behind": text(
            "Behind the best",
            width=210,
            help="Compared image by image; in brackets the 95 % interval of the difference. Where it does not "
            "hold 0, the difference is hardly chance.",
        ),
        "size_mb": number("Size (MB)", format="%.1f", help="Of the model file, also where it has to be made first."),
        "can_be_chosen": st.column_config.CheckboxColumn("Ready", help="Can be chosen for pictures and video."),
        "choosing_set": number("On the choosing set", format=unit, help=group.validation_split.description),
        "claimed_by": text("Claimed by"),
        "note": text("Note"),
        "recipe": text("Recipe"),
        "timed_on": text("Timed on"),
    }
    return {"column_order": list(config), "column_config": config}


def _format_and_name(group: Group) -> tuple[str, str]:
    """Format of a column of figures, and its title."""
    if group.measure.unit == "%":
        return "percent", "Right answers"
    return "%.2f", "Mean age error (years)"
