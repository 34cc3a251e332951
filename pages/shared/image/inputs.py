"""Inputs of the image page: settings in the sidebar, and images from files or from the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import streamlit as st

from core.io.images import EXTENSIONS
from core.settings import Attributes, DetectorSettings, OverlayStyle
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import ResolvedNetworks, choose_detector, choose_networks, choose_thresholds

MAX_FILES = 32
"""Files whose results the session caches; the page says which others of an upload are left out."""

FROM_FILES, FROM_CAMERA = "Upload files", "Take a snapshot"


class ImageFile(Protocol):
    """The common interface of Streamlit's uploaded files and snapshots."""

    name: str

    def getvalue(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """All settings of the sidebar; ``style`` changes the drawing only."""

    detector: DetectorSettings
    detector_name: str
    networks: ResolvedNetworks
    attributes: Attributes
    style: OverlayStyle


def choose_settings() -> ImageSettings:
    """Draw the sidebar and return its state.

    Raises ``ConfigError`` if the configured detector or network is unknown and ``ArtifactError`` if a model card cannot
    be read.
    """
    default = DetectorSettings()
    with st.sidebar:
        st.header("Detection")
        detector_name = choose_detector("image_detector")
        sensitivity = st.slider(
            "Sensitivity",
            0.0,
            1.0,
            default.sensitivity,
            0.05,
            key="image_sensitivity",
            persist_state="session",
            help="Higher finds more faces, but also more false positives.",
        )
        st.header("Attributes")
        attributes = Attributes(
            emotion=st.checkbox("Emotion", True, key="image_emotion", persist_state="session"),
            age=st.checkbox("Age", True, key="image_age", persist_state="session"),
            gender=st.checkbox("Perceived gender", True, key="image_gender", persist_state="session"),
        )
        networks = choose_networks(attributes, "image")
        attributes = choose_thresholds(attributes, "image", networks.choice)
        st.header("Display")
        style = OverlayStyle(
            labels=st.checkbox("Labels", True, key="image_labels", persist_state="session"),
            blur_faces=st.checkbox(
                "Blur faces",
                False,
                key="image_blur",
                persist_state="session",
                help="Hides faces on this page and in the annotated image. Predictions do not change.",
            ),
        )
    return ImageSettings(DetectorSettings(sensitivity=sensitivity), detector_name, networks, attributes, style)


def choose_files() -> list[ImageFile]:
    """Return at most ``MAX_FILES`` files. The camera widget is shown only if chosen: it asks for permission at once."""
    source = st.segmented_control(
        "Image source",
        [FROM_FILES, FROM_CAMERA],
        default=FROM_FILES,
        required=True,
        key="image_source",
        label_visibility="collapsed",
    )
    if source == FROM_CAMERA:
        snapshot = st.camera_input("Take a snapshot", key="image_camera")
        return [snapshot] if snapshot else []
    # Any file name is accepted: files that are not images get their own message.
    files = st.file_uploader(
        "Images",
        accept_multiple_files=True,
        key="image_files",
        help=f"Formats: {', '.join(EXTENSIONS)}. At most {MAX_FILES} files.",
    )
    if len(files) > MAX_FILES:
        first_left_out = escape_markdown(files[MAX_FILES].name)
        st.warning(
            f"Only the first {MAX_FILES} of {len(files)} files are analysed. {first_left_out} and later files are left "
            "out: remove others to see them."
        )
    return list(files[:MAX_FILES])
