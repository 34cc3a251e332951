"""Results of a video: player, timeline, people, downloads."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.evaluation.plots.faces import emotion_timeline
from core.evaluation.plots.style import NEUTRAL_HEX
from core.io import images
from core.io.export import to_csv
from core.labels import label_or_uncertain, round_age
from core.types import EMOTIONS
from core.video.audience import Person
from core.video.job import Status, VideoJob
from core.video.records import PERSON_COLUMNS, person_rows
from pages.shared.downloads import offer_file
from pages.shared.live.panel import VALENCE_FORMULA
from pages.shared.markdown import escape_markdown

MAX_POINTS = 1000
"""Points of a timeline; more take long to draw and cannot be told apart."""
EVERYBODY = "Mean of all people"
NOBODY = "Nobody was in view for a second or longer."


def show_results(job: VideoJob) -> bool:
    """Show what a job that is over has found. Returns whether there is anything."""
    state = job.state()
    if state.status is Status.FAILED:
        st.error(escape_markdown(state.message), icon=":material/error:")
        return False
    if state.status is Status.CANCELLED:
        st.warning(f"Cancelled at {state.done_s:.1f} s. The results up to there follow.", icon=":material/cancel:")
    elif state.message:
        st.warning(escape_markdown(state.message), icon=":material/content_cut:")
    people = job.results.log.people()
    if not job.annotated.is_file() or not job.annotated.stat().st_size:
        return False
    video, beside = st.columns(2, gap="large")
    start_s = job.request.sampling.start_s
    with video:
        player = st.container()
        position_s = _choose_position(start_s, state.done_s)
        player.video(str(job.annotated), start_time=int(position_s - start_s), alt="Annotated video")
    with beside:
        _show_timeline(job.samples_csv, people, position_s)
    _offer_downloads(job, people)
    _show_people(people, {} if job.request.style.blur_faces else job.crops.by_track)
    return True


def read_timeline(path: Path, track_ids: Collection[int]) -> pd.DataFrame:
    """Read ``time_s`` and the means of emotions and valence of these people from the CSV of samples, at most
    ``MAX_POINTS`` rows."""
    columns = ["time_s", *map(str, EMOTIONS), "valence"]
    samples = pd.read_csv(path, usecols=["track_id", *columns]).dropna()
    means = samples.loc[samples["track_id"].isin(track_ids), columns].groupby("time_s", as_index=False).mean()
    return means.iloc[:: -(-len(means) // MAX_POINTS) or 1]


def _choose_position(start_s: float, end_s: float) -> float:
    first, last = int(start_s), max(int(end_s), int(start_s) + 1)
    help_text = "Moves the player and the line in the timeline."
    return float(st.slider("Position (seconds)", first, last, first, key="video_position", help=help_text))


def _show_timeline(path: Path, people: Sequence[Person], position_s: float) -> None:
    single = {f"Person {person.track_id}": [person.track_id] for person in people}
    shown = {EVERYBODY: [person.track_id for person in people]} | single
    chosen = st.selectbox("Timeline of", list(shown), key="video_timeline_person", width=300)
    samples = read_timeline(path, shown[chosen])
    if samples.empty:
        st.caption("No emotion was predicted.")
        return
    figure = emotion_timeline(samples, title="")
    figure.add_vline(x=position_s, line_width=2, line_color=NEUTRAL_HEX)
    st.plotly_chart(figure, key="video_timeline", config={"displayModeBar": False})
    st.caption(VALENCE_FORMULA)


def _show_people(people: Sequence[Person], crops: Mapping[int, NDArray[np.uint8]]) -> None:
    st.header("People", divider="gray")
    if not people:
        st.info(NOBODY, icon=":material/person_search:")
        return
    config = {"Picture": st.column_config.ImageColumn(width="small"), "Person": st.column_config.Column(width="small")}
    st.dataframe(
        [_row(person, crops.get(person.track_id)) for person in people],
        hide_index=True,
        key="video_people",
        row_height=56 if crops else None,
        column_config=config,
    )
    st.caption(
        "Times are seconds of the video. Whoever leaves the view and comes back gets a new number. Numbers are missing "
        "where a face was in view for less than a second."
    )


def _row(person: Person, crop: NDArray[np.uint8] | None) -> dict[str, Any]:
    # Within the table itself, so that the picture is nowhere on disk.
    picture = {} if crop is None else {"Picture": _data_url(crop)}
    return {
        "Person": person.track_id,
        **picture,
        "First seen": round(person.first_s, 1),
        "Last seen": round(person.last_s, 1),
        "In view": round(person.mix.seconds, 1),
        "Mean age": None if person.age_years is None else round_age(person.age_years),
        "Perceived gender": person.gender and label_or_uncertain(person.gender),
        "Emotions": person.mix.format_top(3),
    }


def _data_url(crop: NDArray[np.uint8]) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(images.encode_jpeg(crop)).decode()


def _offer_downloads(job: VideoJob, people: Sequence[Person]) -> None:
    stem = PurePath(job.request.info.name).stem or "video"
    downloads = (
        ("Annotated video (MP4)", job.annotated.read_bytes, f"{stem}-annotated.mp4", "video/mp4"),
        ("Samples (CSV)", job.samples_csv.read_bytes, f"{stem}-samples.csv", "text/csv"),
        (
            "People (CSV)",
            lambda: to_csv(person_rows(people), PERSON_COLUMNS).encode(),
            f"{stem}-people.csv",
            "text/csv",
        ),
        ("All results (JSON)", job.json.read_bytes, f"{stem}.json", "application/json"),
    )
    with st.container(horizontal=True):
        for label, read, name, mime in downloads:
            # Read on click, so that the files are in memory only then.
            offer_file(label, read, name, mime, key=f"video_download_{label}")
