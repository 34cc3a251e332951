"""What the image page is given: settings in the sidebar, and pictures from files or from the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import streamlit as st

from core.io.images import EXTENSIONS
from core.settings import Attributes, DetectorSettings, OverlayStyle
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import ResolvedNetworks, choose_detector, choose_networks, choose_thresholds

MAX_FILES = 32
"""As many as the session remembers results of; the rest of an upload is left out, which is said on screen."""

FROM_FILES, FROM_CAMERA = "Upload files", "Take a snapshot"


class PictureFile(Protocol):
    """What Streamlit's uploaded files and snapshots have in common."""

    name: str

    def getvalue(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """All that the sidebar sets; ``style`` changes the drawing, everything else the results."""

    detector: DetectorSettings
    detector_name: str
    networks: ResolvedNetworks
    attributes: Attributes
    style: OverlayStyle


def choose_settings() -> ImageSettings:
    """Draws the sidebar and returns its state. Raises ``ConfigError`` if the configured detector or network is
    unknown and ``ArtifactError`` if a model's card cannot be read."""
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
            help="Higher finds more faces, and more things that are none.",
        )
        st.header("Attributes")
        attributes = Attributes(
            emotion=st.checkbox("Emotion", True, key="image_emotion", persist_state="session"),
            age=st.checkbox("Age", True, key="image_age", persist_state="session"),
            gender=st.checkbox("Perceived gender", True, key="image_gender", persist_state="session"),
        )
        networks = choose_networks(attributes, "image")
        attributes = choose_thresholds(attributes, "image", networks.choice)
        st.header("Picture")
        style = OverlayStyle(
            labels=st.checkbox("Labels beside the boxes", True, key="image_labels", persist_state="session"),
            blur_faces=st.checkbox(
                "Blur faces",
                False,
                key="image_blur",
                persist_state="session",
                help="Also in the annotated picture that you download. The analysis is the same.",
            ),
        )
    return ImageSettings(DetectorSettings(sensitivity=sensitivity), detector_name, networks, attributes, style)


def choose_pictures() -> list[PictureFile]:
    """At most ``MAX_FILES``. The camera widget asks for permission at once, so it waits to be chosen."""
    source = st.segmented_control(
        "Pictures from",
        [FROM_FILES, FROM_CAMERA],
        default=FROM_FILES,
        required=True,
        key="image_source",
        label_visibility="collapsed",
    )
    if source == FROM_CAMERA:
        snapshot = st.camera_input("Take a snapshot", key="image_camera")
        return [snapshot] if snapshot else []
    # Any type is accepted: what a file is called says nothing, and one that is no image gets its own message.
    files = st.file_uploader(
        "One or several pictures",
        accept_multiple_files=True,
        key="image_files",
        help=f"Read by contents, usually named {', '.join(EXTENSIONS)}. At most {MAX_FILES} at a time.",
    )
    if len(files) > MAX_FILES:
        first_left_out = escape_markdown(files[MAX_FILES].name)
        st.warning(
            f"Only the first {MAX_FILES} of {len(files)} files are analysed; {first_left_out} and those "
            "after it are left out. Remove some of the others to see them."
        )
    return list(files[:MAX_FILES])
