"""Tab that sets all networks side by side: ours and those rebuilt from others, measured and claimed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.artifacts.model_card import PREDICTIONS_FILE, artifacts_dir
from core.errors import FacetError
from core.evaluation.latency import IMAGES, RUNS, Progress, SpeedRun, measure_networks
from core.evaluation.leaderboard import Group, Leaderboard, load_leaderboard
from core.evaluation.leaderboard_tables import Behind, whole_table
from core.evaluation.paired import differences_to_best
from pages.shared.errors import show_error
from pages.shared.evaluation.components import download_table, show_open_tab
from pages.shared.evaluation.leaderboard_group import show_group
from pages.shared.markdown import escape_markdown

_RUN_KEY = "leaderboard_run"
_WHAT_IS_COMPARED = (
    "Networks that people read about, rebuilt and trained here, beside our own. All of one table learnt from the same "
    "images, the best epoch of each was chosen on one set of images, and the figure that counts was measured on "
    "another set, with one answer an image. So the measured figures of one table can be compared; those of different "
    "tables cannot. **Claimed** is what the authors or a report state, word for word: mostly on other images, "
    "sometimes without saying on which. It takes no part in the order."
)

MeasureSpeed = Callable[[Progress], SpeedRun]


def show_leaderboard(measure: MeasureSpeed = measure_networks) -> None:
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
    behind = {group.title: _behind(group, group.title, _stamps(group)) for group in board.groups}
    shows = {group.title: partial(show_group, group, behind[group.title]) for group in board.groups}
    show_open_tab(shows, "evaluation_leaderboard_tab")
    download_table(whole_table(board, behind), "leaderboard.csv", "table_leaderboard")
    _show_to_restore(board)


@st.cache_data(max_entries=64, show_spinner=False)
def _behind(_group: Group, title: str, stamps: tuple[tuple[str, int], ...]) -> Behind:
    """``title`` and ``stamps`` tell groups and versions of their stored answers apart."""
    return differences_to_best(_group, artifacts_dir())


def _stamps(group: Group) -> tuple[tuple[str, int], ...]:
    files = [artifacts_dir() / row.network.name / PREDICTIONS_FILE for row in group.rows]
    return tuple((str(file), file.stat().st_mtime_ns if file.is_file() else 0) for file in files)


def _measure(measure: MeasureSpeed) -> None:
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
        "button takes up to a minute and keeps the times for this machine."
    )
    if not board.machines:
        return f"{how} Nothing was timed yet."
    if len(board.machines) == 1:
        return f"{how} Stored times are from: {escape_markdown(board.machines[0])}."
    return (
        f"{how} Stored times are from different machines ({escape_markdown(', '.join(board.machines))}) "
        "and cannot be compared until all networks are timed on one."
    )


def _show_to_restore(board: Leaderboard) -> None:
    if not board.to_restore:
        return
    with st.expander(f"Networks to be made before they can be chosen ({len(board.to_restore)})"):
        st.markdown(
            "Model files of 5 MB and more do not come with the app; their stored answers and figures do. With the data "
            "sets in `data`, these commands make them, and then they can be chosen for pictures and video:"
        )
        st.code("\n".join(command for one in board.to_restore for command in one.restore), language="bash")
