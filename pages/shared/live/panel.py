"""Beside and below the video: rates, faces in view, their readings, the session over time. Reads snapshots
only."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import labels
from core.evaluation.plots.faces import emotion_timeline, probability_bars
from core.types import EMOTIONS, Face
from core.video.history import emotion_shares, history_csv, timeline
from core.video.session import LiveSession, LiveSnapshot
from pages.shared.markdown import escape_markdown

NUMBERS_EVERY_S = 1.0
CHARTS_EVERY_S = 2.0
TIMELINE_S = 60.0
MAX_CARDS = 4
"""Faces with a bar chart each; more would not fit beside the video. All are in the CSV."""

_NO_RATE = "–"
ALL_FACES = "mean of all faces"
MOOD_FORMULA = "Mood: the probability of happy and half of that of surprise, less those of angry, disgust, fear and sad"


def show_numbers(session: LiveSession, *, playing: bool) -> None:
    """Rates and one card per face; renewed by itself while the video plays."""
    st.fragment(_numbers, run_every=NUMBERS_EVERY_S if playing else None)(session, playing)


def show_session(session: LiveSession, *, playing: bool) -> None:
    """Reset, CSV, timeline and mood; the timeline is renewed by itself while the video plays."""
    _actions(session)
    st.fragment(_session, run_every=CHARTS_EVERY_S if playing else None)(session)


def _numbers(session: LiveSession, playing: bool) -> None:
    state = session.snapshot()
    faces = state.faces if playing else ()
    # Without frames nothing renews the rates of the last ones.
    running = playing and state.running
    fps, latency = (f"{state.processed_fps:.1f}", f"{state.latency_ms:.0f} ms") if running else (_NO_RATE, _NO_RATE)
    # Not columns: those have a least width, and the third would be cut off beside the video. The last is as wide as it
    # needs, the others keep their place whatever their figures.
    with st.container(horizontal=True):
        st.metric("Frames/s", fps, help="Frames analysed each second.", width=95)
        st.metric("Faces", len(faces), width=65)
        about_latency = "To analyse and draw one frame, without its way through the network."
        st.metric("Latency", latency, help=about_latency, width="content")
    st.caption(summary(state))
    if state.errors:
        st.warning(
            f"{labels.pluralize(state.errors, 'frame')} could not be analysed. "
            f"Last reason: {escape_markdown(state.last_error)}"
        )
    if playing and state.frames and not running:
        st.info("No new picture in the last seconds.", icon=":material/hourglass_empty:")
    elif playing and state.frames and not faces:
        st.info("No face in view.", icon=":material/face:")
    for face in faces[:MAX_CARDS]:
        _face_card(face)
    if len(faces) > MAX_CARDS:
        st.caption(f"{len(faces) - MAX_CARDS} more faces are marked in the video and recorded in the CSV.")


def summary(state: LiveSnapshot) -> str:
    """The session's counters in one line."""
    share = state.frames_with_faces / state.frames if state.frames else 0.0
    analysed, errors = labels.pluralize(state.frames, "frame"), labels.pluralize(state.errors, "error")
    return f"{analysed} analysed, a face in {state.frames_with_faces} ({share:.0%}), {errors}"


def face_title(face: Face) -> str:
    """For example ``Face 1: about 31 years (25-38), perceived female 80%``; the emotion, which has bars, if unsure."""
    readings = []
    if face.age is not None:
        readings.append(f"about {labels.format_age(face.age, 'years')}")
    if face.gender is not None:
        readings.append(("perceived gender " if face.gender.uncertain else "perceived ") + labels.format_estimate(face.gender))
    if face.emotion is not None and face.emotion.uncertain:
        readings.append(f"emotion {labels.format_estimate(face.emotion)}")
    return f"**Face {face.track_id}**" + (": " + ", ".join(readings) if readings else "")


def nothing_read(state: LiveSnapshot, track_id: int | None) -> str:
    """Why the last minute of a face, or with ``None`` of all faces, is empty: no reading yet, or none of late."""
    if not timeline(state.history, track_id):
        return "The last minute appears here as soon as an emotion was read."
    return f"No reading of {'this' if track_id is not None else 'a'} face in the last minute."


def _face_card(face: Face) -> None:
    with st.container(border=True):
        st.markdown(face_title(face))
        if face.emotion is not None:
            bars = probability_bars(EMOTIONS, face.emotion.probabilities, title="")
            # On the right stays the room for the text beside a full bar.
            bars.update_layout(height=200, margin={"l": 0, "t": 0, "b": 0})
            bars.update_xaxes(visible=False)
            bars.update_yaxes(showgrid=False)
            st.plotly_chart(bars, key=f"live_bars_{face.track_id}", config={"displayModeBar": False})


def _session(session: LiveSession) -> None:
    state = session.snapshot()
    ids = sorted({row.face.track_id for row in state.history if row.face.track_id is not None})
    shown = {ALL_FACES: None} | {f"face {track_id}": track_id for track_id in ids}
    chosen = st.selectbox("Shown below", list(shown), key="live_timeline_face", width=300)
    _timeline(state, shown[chosen])


def _actions(session: LiveSession) -> None:
    """Outside what renews itself: a click must not lose its button while it is under way."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("This session")
        st.button("Reset", on_click=session.reset, key="live_reset")
        st.download_button(
            "Session as CSV",
            # Made on click: it holds what was seen up to then.
            data=lambda: history_csv(session.snapshot().history),
            file_name="facet_session.csv",
            mime="text/csv",
            on_click="ignore",
            key="live_csv",
        )


def _timeline(state: LiveSnapshot, track_id: int | None) -> None:
    since_s = state.elapsed_s - TIMELINE_S
    rows = timeline(state.history, track_id, since_s)
    if rows:
        figure = emotion_timeline(pd.DataFrame(rows), title="")
        st.plotly_chart(figure, key="live_timeline", config={"displayModeBar": False})
        shares = emotion_shares(state.history, track_id, since_s)
        st.caption("Share of readings: " + ", ".join(f"{label} {share:.0%}" for label, share in shares.items()) + ".")
    else:
        st.caption(nothing_read(state, track_id))
    st.caption(f"{MOOD_FORMULA}, between -1 and 1. The CSV holds up to ten minutes.")
