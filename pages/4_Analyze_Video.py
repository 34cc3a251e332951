"""Analyze a video file: who was in view, when, and with what expressions; with an annotated copy to play."""

from __future__ import annotations

import streamlit as st

from core.errors import FacetError
from core.video.job import VideoRequest
from core.video.reader import probe_video
from pages.shared.audience import show_audience
from pages.shared.errors import show_error
from pages.shared.session import run_home_first
from pages.shared.sidebar import load_analyzer
from pages.shared.video.inputs import choose_part, choose_settings, choose_video, describe_video
from pages.shared.video.jobs import current_job, forget_job, show_progress, start_job
from pages.shared.video.results import show_results


def main() -> None:
    st.title("Analyze Video")
    st.caption(
        "Videos stay in this server's memory, results in temporary files. Both are removed when you leave this page. "
        "A person is somebody in view without a break: nobody is recognized."
    )
    try:
        settings = choose_settings()
        file = choose_video()
        if file is None:
            forget_job()
            st.info("Add a video of up to ten minutes, or choose the sample.", icon=":material/movie:")
            return
        info = probe_video(file.data, file.name)
        st.caption(describe_video(info))
        sampling = choose_part(info, settings.fps)
        analyzer, _ = load_analyzer(settings.detector, settings.detector_name, settings.networks)
    except FacetError as error:
        forget_job()
        show_error(error)
        return
    job = current_job(file.key)
    is_running = job is not None and not job.state().is_over
    label = "Analyze" if job is None else "Analyze again"
    if st.button(label, type="primary", key="video_start", disabled=is_running or sampling is None) and sampling:
        networks = settings.networks.choice.for_attributes(settings.attributes)
        request = VideoRequest(file.data, info, settings.attributes, sampling, settings.style, networks)
        job = start_job(file.key, request, analyzer)
        is_running = True
    if job is None:
        return
    if is_running:
        show_progress(job)
    elif show_results(job):
        show_audience(job.results.log.audience, "video")


run_home_first()
main()
