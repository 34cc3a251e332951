"""The session's video job: started, watched, cancelled, and closed when its viewer leaves."""

from __future__ import annotations

import streamlit as st

from core.video.job import JobState, Status, VideoJob, VideoRequest
from core.video.session import FrameAnalyzer

JOB, FILE = "video_job", "video_job_file"
GRACE_S = 120.0
"""A connection that comes back within this time finds its job as it was; Streamlit keeps sessions as long."""
REFRESH_S = 1.0
WAITING = "Another video is being analyzed on this server. Yours starts after it."
_SHOWN_MINUTES_S = 90


def current_job(file_key: str) -> VideoJob | None:
    """Return the job of this file; a job of another file is closed."""
    if st.session_state.get(FILE) != file_key:
        forget_job()
    job: VideoJob | None = st.session_state.get(JOB)
    if job is not None:
        job.stay()
        _hold(job)
    return job


def start_job(file_key: str, request: VideoRequest, analyzer: FrameAnalyzer) -> VideoJob:
    """Start a job in place of the one before."""
    forget_job()
    job = VideoJob(request, analyzer)
    st.session_state[JOB], st.session_state[FILE] = job, file_key
    _hold(job)
    job.start()
    return job


def forget_job() -> None:
    """End the session's job, if there is one, and remove its files."""
    job: VideoJob | None = st.session_state.pop(JOB, None)
    st.session_state.pop(FILE, None)
    if job is not None:
        _jobs().discard(job)
        job.close()


def show_progress(job: VideoJob) -> None:
    """Show how far the job is, refreshed until it is over; then the page runs again."""
    # Outside the fragment: a refresh during a click would lose it.
    st.button("Cancel", on_click=job.cancel, key="video_cancel", icon=":material/cancel:")
    st.fragment(_progress, run_every=REFRESH_S)(job)


def describe_progress(state: JobState) -> str:
    """Format for example ``12.4 s of the video done · about 2 minutes left``."""
    done = f"{state.done_s:.1f} s of the video done"
    if state.left_s is None:
        return done
    left = f"{state.left_s:.0f} s" if state.left_s < _SHOWN_MINUTES_S else f"{state.left_s / 60:.0f} minutes"
    return f"{done} · about {left} left"


def _progress(job: VideoJob) -> None:
    state = job.state()
    if state.is_over:
        st.rerun()
    if state.status is Status.WAITING:
        st.info(WAITING, icon=":material/hourglass_empty:")
    else:
        st.progress(state.share or 0.0, describe_progress(state))


def _hold(job: VideoJob) -> None:
    _jobs().add(job)


def _close_later(jobs: set[VideoJob]) -> None:
    for job in jobs:
        job.close_later(GRACE_S)


@st.cache_resource(scope="session", on_release=_close_later, show_spinner=False)
def _jobs() -> set[VideoJob]:
    """The jobs to be closed when the session's connection ends."""
    return set()
