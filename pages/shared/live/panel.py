"""Panels beside and below the video: frame rate, faces in view, the session over time. Reads snapshots only."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import labels
from core.drawing.bars import estimate_bars
from core.evaluation.plots.faces import emotion_timeline
from core.types import Face
from core.video.history import emotion_shares, history_csv, timeline
from core.video.session import LiveSession, LiveSnapshot
from pages.shared.downloads import offer_file
from pages.shared.live.connection import seconds_in_state
from pages.shared.live.texts import NO_PICTURE
from pages.shared.markdown import escape_markdown

NUMBERS_EVERY_S = 1.0
CHARTS_EVERY_S = 2.0
NO_PICTURE_S = 5.0
"""The first picture comes in a second or two; without one for this long, something is wrong."""
TIMELINE_S = 60.0
MAX_CARDS = 4
"""Faces with a bar chart; more do not fit beside the video. The CSV has all of them."""

_NO_VALUE = "–"
ALL_FACES = "Mean of all faces"
VALENCE_FORMULA = "Valence = P(happy) + ½ P(surprise) − P(angry) − P(disgust) − P(fear) − P(sad), from −1 to 1."


def show_numbers(session: LiveSession, *, playing: bool) -> None:
    """Show rates and one card per face, refreshed while the video plays."""
    st.fragment(_numbers, run_every=NUMBERS_EVERY_S if playing else None)(session, playing)


def show_session(session: LiveSession, *, playing: bool) -> None:
    """Show reset, CSV and timeline; the timeline is refreshed while the video plays."""
    _actions(session)
    st.fragment(_session, run_every=CHARTS_EVERY_S if playing else None)(session)


def _numbers(session: LiveSession, playing: bool) -> None:
    state = session.snapshot()
    faces = state.faces if playing else ()
    # Without new frames the rates of the last ones would stay.
    running = playing and state.running
    fps, latency = (f"{state.processed_fps:.1f}", f"{state.latency_ms:.0f} ms") if running else (_NO_VALUE, _NO_VALUE)
    # Not columns: their minimum width would cut off the third one. Fixed widths keep the metrics in place.
    with st.container(horizontal=True):
        st.metric("Frames/s", fps, help="Frames analyzed per second.", width=95)
        st.metric("Faces", len(faces), width=65)
        latency_help = "Time to analyze and draw one frame, excluding network transfer."
        st.metric("Latency", latency, help=latency_help, width="content")
    st.caption(summary(state))
    if state.errors:
        st.warning(
            f"{labels.pluralize(state.errors, 'frame')} could not be analyzed. "
            f"Last error: {escape_markdown(state.last_error)}"
        )
    if playing and not running:
        if seconds_in_state() > NO_PICTURE_S:
            st.warning(NO_PICTURE, icon=":material/videocam_off:")
    elif playing and state.frames and not faces:
        st.info("No face in view.", icon=":material/face:")
    for face in faces[:MAX_CARDS]:
        _face_card(face)
    if len(faces) > MAX_CARDS:
        st.caption(f"{len(faces) - MAX_CARDS} more faces are in the video and in the CSV.")


def summary(state: LiveSnapshot) -> str:
    """Format the session's counters as one line."""
    share = state.frames_with_faces / state.frames if state.frames else 0.0
    analyzed, errors = labels.pluralize(state.frames, "frame"), labels.pluralize(state.errors, "error")
    return f"{analyzed} analyzed, {state.frames_with_faces} with faces ({share:.0%}), {errors}"


def face_title(face: Face) -> str:
    """Format for example ``Face 1: about 31 years (25-38), perceived female 80%``. The bars show the emotion, so it is
    added only if it is uncertain."""
    parts = []
    if face.age is not None:
        parts.append(f"about {labels.format_age(face.age, 'years')}")
    if face.gender is not None:
        parts.append(
            ("perceived gender " if face.gender.uncertain else "perceived ") + labels.format_estimate(face.gender)
        )
    if face.emotion is not None and face.emotion.uncertain:
        parts.append(f"emotion {labels.format_estimate(face.emotion)}")
    return f"**Face {face.track_id}**" + (": " + ", ".join(parts) if parts else "")


def explain_empty_timeline(state: LiveSnapshot, track_id: int | None) -> str:
    """Explain why the timeline of a face, or of all faces with ``None``, is empty."""
    if not timeline(state.history, track_id):
        return "The last minute appears here after the first emotion prediction."
    return f"No prediction for {'this' if track_id is not None else 'any'} face in the last minute."


def _face_card(face: Face) -> None:
    with st.container(border=True):
        st.markdown(face_title(face))
        if face.emotion is not None:
            st.html(estimate_bars(face.emotion))


def _session(session: LiveSession) -> None:
    state = session.snapshot()
    ids = sorted({row.face.track_id for row in state.history if row.face.track_id is not None})
    shown = {ALL_FACES: None} | {f"Face {track_id}": track_id for track_id in ids}
    chosen = st.selectbox("Timeline of", list(shown), key="live_timeline_face", width=300)
    _timeline(state, shown[chosen])


def _actions(session: LiveSession) -> None:
    """Buttons, outside the refreshed fragments: a refresh during a click would lose it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("This session")
        st.button("Reset", on_click=session.reset, key="live_reset")
        # Made on click, so that it has all rows up to then.
        offer_file(
            "Session as CSV",
            lambda: history_csv(session.snapshot().history).encode(),
            "facet_session.csv",
            "text/csv",
            key="live_csv",
            icon=None,
        )


def _timeline(state: LiveSnapshot, track_id: int | None) -> None:
    since_s = state.elapsed_s - TIMELINE_S
    rows = timeline(state.history, track_id, since_s)
    if rows:
        figure = emotion_timeline(pd.DataFrame(rows), title="")
        st.plotly_chart(figure, key="live_timeline", config={"displayModeBar": False})
        shares = emotion_shares(state.history, track_id, since_s)
        st.caption(
            "Share of predictions: " + ", ".join(f"{label} {share:.0%}" for label, share in shares.items()) + "."
        )
    else:
        st.caption(explain_empty_timeline(state, track_id))
    st.caption(f"{VALENCE_FORMULA} The CSV holds up to ten minutes.")
