"""Tab that sets all networks side by side: ours and those rebuilt from others, measured and claimed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import FacetError
from core.evaluation.leaderboard import Group, Leaderboard, load_leaderboard
from core.evaluation.leaderboard_figures import speed_scatter
from core.evaluation.leaderboard_tables import group_table, published_table, whole_table
from core.evaluation.network_speed import IMAGES, RUNS, Progress, SpeedRun, measure_networks
from core.evaluation.published import published_for
from pages.shared.errors import show_error
from pages.shared.evaluation_common import INTERVAL_HELP, download_table, show_figure
from pages.shared.evaluation_selection import preselect
from pages.shared.text import plain

VIEW_KEY = "evaluation_view"
LEADERBOARD, BY_TEST_SET = "Leaderboard", "By test set"
TAB_KEY = "evaluation_tab"
"""Holds the name of the tab that the figures of a test set open with."""
_RUN_KEY = "leaderboard_run"
_TAB_WITH_CONFUSION = {
    "emotion": "Confusion",
    "gender": "Perceived gender",
    "age": "Age brackets",
    "age_group": "Age groups",
}
_WHAT_IS_COMPARED = (
    "Networks that people read about, rebuilt and trained here, beside our own. All of them learnt from the same "
    "images, the best epoch of each was chosen on one set of images, and the figure that counts was measured on "
    "another set, with one answer an image. So the measured figures of one table can be compared; those of different "
    "tables cannot. **Claimed** is what the authors or a report state, word for word: mostly on other images, "
    "sometimes without saying on which. It takes no part in the order."
)

Measure = Callable[[Progress], SpeedRun]


def show_leaderboard(measure: Measure = measure_networks) -> None:
    st.markdown(_WHAT_IS_COMPARED)
    if st.button("Measure on this machine", key="leaderboard_measure", icon=":material/speed:"):
        _measure(measure)
    run: SpeedRun | None = st.session_state.get(_RUN_KEY)
    board = load_leaderboard(fresh=run.speeds) if run else load_leaderboard()
    st.caption(_times(board))
    for problem in (*board.problems, *(run.problems if run else ())):
        show_error(problem)
    if not board.groups:
        st.info("No network with measured figures is installed, so there is nothing to compare.")
        return
    for tab, group in zip(st.tabs([group.title for group in board.groups]), board.groups, strict=True):
        with tab:
            _show_group(group)
    download_table(whole_table(board), "leaderboard.csv", "table_leaderboard")
    _show_to_restore(board)


def _measure(measure: Measure) -> None:
    bar = st.progress(0.0, "Loading the networks …")

    def progress(share: float, name: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), f"Timing {name} …" if name else "Done")

    try:
        # Only the latest is kept, so a session's memory does not grow.
        st.session_state[_RUN_KEY] = measure(progress)
    except FacetError as error:
        st.session_state.pop(_RUN_KEY, None)
        show_error(error)
    finally:
        bar.empty()


def _times(board: Leaderboard) -> str:
    how = (
        f"Time: median of {IMAGES} made-up pictures, {RUNS} runs each, one face at a time on one processor core. The "
        "button takes up to a minute and keeps the times beside the networks."
    )
    if not board.machines:
        return f"{how} Nothing was timed yet."
    if len(board.machines) == 1:
        return f"{how} Stored times are from: {plain(board.machines[0])}."
    return (
        f"{how} Stored times are from different machines ({plain(', '.join(board.machines))}) and cannot be compared "
        "until all networks are timed on one."
    )


def _show_group(group: Group) -> None:
    better = "fewer years are better" if group.measure.lower_is_better else "more right answers are better"
    st.caption(
        f"Measured on {group.reporting.title}, {group.images:,} images; {better}, best first. Networks whose 95 % "
        "intervals overlap widely cannot be told apart."
    )
    table, key = group_table(group), f"{group.measure.key}_{group.title}"
    st.dataframe(table, hide_index=True, width="stretch", **_columns(group))
    _show_way_to_details(group, key)
    _show_published(group)
    if len(group.rows) == 1:
        return
    figure = speed_scatter(group, f"{group.title}: how good against how fast")
    untimed = int(table["ms_per_face"].isna().sum())
    missing = f" {untimed} without a time are not drawn." if untimed else ""
    show_figure(
        figure,
        f"leaderboard_{key}",
        "Up and to the left is better; each step of the grid across is a fixed factor. The thin line is the 95 % "
        f"interval. Names that found no room appear under the pointer.{missing}",
    )


def _show_published(group: Group) -> None:
    figures = published_for(group.measure)
    if not figures:
        return
    _, what = _format_and_name(group)
    with st.expander(f"What others report on {group.measure.data_set} ({len(figures)})", expanded=len(group.rows) == 1):
        st.caption(
            "Copied from their papers and repositories, not measured here. Most learnt from more images, saw each test "
            "image several times, or were tested on other images of the same data set: to compare with, not to rank."
        )
        # Sentences: they need lines of their own, which a data frame does not give them.
        st.table(published_table(group.measure).rename(columns=str.capitalize).rename(columns={"Reported": what}))


def _show_way_to_details(group: Group, key: str) -> None:
    chosen, go = st.columns([2, 1], vertical_alignment="bottom")
    names = [row.network.name for row in group.rows]
    name = chosen.selectbox("Confusion matrix and all other figures of", names, key=f"leaderboard_details_{key}")
    go.button("Show them", key=f"leaderboard_go_{key}", on_click=_go_to, args=(group, name), icon=":material/grid_on:")


def _go_to(group: Group, name: str) -> None:
    st.session_state[VIEW_KEY] = BY_TEST_SET
    st.session_state[TAB_KEY] = _TAB_WITH_CONFUSION[group.measure.output]
    preselect(group.reporting, name)


def _show_to_restore(board: Leaderboard) -> None:
    if not board.to_restore:
        return
    with st.expander(f"Networks to be made before they can be chosen ({len(board.to_restore)})"):
        st.markdown(
            "Model files of 5 MB and more do not come with the app; their stored answers and figures do. With the data "
            "sets in `data`, these commands make them, and then they can be chosen for pictures and video:"
        )
        st.code("\n".join(command for one in board.to_restore for command in one.restore), language="bash")


def _columns(group: Group) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    unit, what = _format_and_name(group)
    config = {
        "network": text("Network", pinned=True),
        "ours": st.column_config.CheckboxColumn("Ours", width=60),
        "measured": number(what, format=unit, help=f"On {group.reporting.title}. {INTERVAL_HELP}"),
        "measured_low": number("95 % from", format=unit),
        "measured_high": number("to", format=unit),
        "claimed": text("Claimed", width=150, help="Word for word, on the images of whoever claims it."),
        "ms_per_face": number("ms a face", format="%.2f"),
        "parameters": number("Parameters", format="localized"),
        "size_mb": number("Size (MB)", format="%.1f", help="Of the file that answers, here or not."),
        "epochs": text("Epochs", help="Epochs that were run, of those that the recipe asks for."),
        "can_be_chosen": st.column_config.CheckboxColumn("Live", help="Can be chosen for pictures and video."),
        "choosing_set": number("On the choosing set", format=unit, help=group.choosing.role),
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
