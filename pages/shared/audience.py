"""Panel about the audience: aggregates over everybody who was in view, without pictures and without persons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.evaluation.plots.faces import expressions_over_time
from core.io.export import to_csv
from core.settings import TrackingSettings
from core.video.audience import (
    AUDIENCE_COLUMNS,
    BINS_S,
    MIN_GROUP,
    MIN_SECONDS,
    OTHERS,
    Audience,
    Mix,
    audience_rows,
)
from core.video.session import LiveSession
from pages.shared.downloads import offer_file
from pages.shared.sidebar import draw_toggle

LIVE_EVERY_S = 5.0

_NO_VALUE = "–"
COUNT_HELP = (
    f"Faces followed for at least {MIN_SECONDS:.0f} s. A face that is lost for over "
    f"{TrackingSettings().max_age_s:g} s counts again. So more people are counted than there were."
)
NO_GROUPS = f"Groups are shown from {MIN_GROUP} people on; smaller ones are merged into “{OTHERS}”."
LEGAL = (
    "Tell everybody in view what is measured, and ask first. The EU AI Act bans inferring emotions at work and in "
    "education."
)


def show_live_audience(session: LiveSession, *, playing: bool) -> None:
    """Draw a toggle, off at first, and the audience of the session if it is on."""
    is_on = draw_toggle("Count the audience", "live_count_audience", value=False, help=f"Aggregates only. {LEGAL}")
    session.configure(count_audience=is_on)
    if is_on:
        refresh_s = LIVE_EVERY_S if playing else None
        show_audience(session.audience, "live", in_view="In view now", refresh_s=refresh_s)


def show_audience(
    read: Callable[[float], Audience], key: str, in_view: str = "In view at the end", refresh_s: float | None = None
) -> None:
    """Show people, time in view, expressions over time and by group, renewed every ``refresh_s`` seconds.

    ``read``: width of the time bins in seconds -> aggregates; ``key`` begins the keys of the widgets.
    """
    st.header("Audience", divider="gray")
    # Controls stay outside what is renewed: a renewal during a click would lose it.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.segmented_control("Time bins", list(BINS_S), default="10 seconds", required=True, key=f"{key}_bin")
        read_binned = partial(read, BINS_S[title])
        offer_file(
            "Audience (CSV)",
            lambda: to_csv(audience_rows(read_binned()), AUDIENCE_COLUMNS).encode(),
            "audience.csv",
            "text/csv",
            key=f"{key}_audience_csv",
        )
    st.fragment(_show_figures, run_every=refresh_s)(read_binned, BINS_S[title], key, in_view)
    st.caption(f"{NO_GROUPS} {LEGAL}")


def _show_figures(read: Callable[[], Audience], bin_s: float, key: str, in_view: str) -> None:
    audience = read()
    total = audience.total
    with st.container(horizontal=True):
        st.metric("People", total.people, help=COUNT_HELP, width="content")
        st.metric(in_view, audience.in_view, width="content")
        st.metric("Mean time in view", _seconds(total), width="content")
        st.metric("Mean valence", _NO_VALUE if total.valence is None else f"{total.valence:+.2f}", width="content")
    if total.shares:
        figure = expressions_over_time({start_s: mix.shares for start_s, mix in audience.over_time.items()}, bin_s)
        # The button of the chart saves it as PNG.
        config = {"displaylogo": False, "modeBarButtons": [["toImage"]], "displayModeBar": True}
        st.plotly_chart(figure, key=f"{key}_audience", config=config)
    if audience.groups:
        st.dataframe(_group_table(audience), hide_index=True, key=f"{key}_groups")


def _seconds(mix: Mix) -> str:
    return f"{mix.seconds / mix.people:.1f} s" if mix.people else _NO_VALUE


def _group_table(audience: Audience) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _group_row(dimension, name, mix)
            for dimension, groups in audience.groups.items()
            for name, mix in groups.items()
        ]
    )


def _group_row(dimension: str, name: str, mix: Mix) -> dict[str, Any]:
    return {
        "By": dimension.capitalize(),
        "Group": name,
        "People": mix.people,
        "Mean time in view": _seconds(mix),
        "Valence": None if mix.valence is None else round(mix.valence, 2),
        **{label.capitalize(): f"{share:.0%}" for label, share in mix.shares.items()},
    }
