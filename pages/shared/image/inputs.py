"""Inputs of the image page: settings in the sidebar, and images from files or from the camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import streamlit as st

from core.datasets.samples import describe_rejected
from core.errors import ImageError
from core.io.archive import is_archive, read_archive
from core.io.images import EXTENSIONS
from core.settings import ArchiveLimits, DetectorSettings
from pages.shared.errors import show_error
from pages.shared.image.files import ImageFile, MemoryFile, forget_handed_over, handed_over
from pages.shared.image.paste import accept_pasted
from pages.shared.markdown import escape_markdown
from pages.shared.samples import ASTRONAUT, GRACE_HOPPER
from pages.shared.sidebar import PageSettings, choose_attributes, choose_detector, choose_sensitivity, choose_style

MAX_FILES = ArchiveLimits().max_images
"""Images whose outcomes the session caches; the page says which others of an upload are left out."""

FROM_FILES, FROM_CAMERA = "Upload files", "Take a snapshot"
SAMPLES = {"Astronaut": ASTRONAUT, "Grace Hopper": GRACE_HOPPER}


def choose_settings() -> PageSettings:
    """Draw the sidebar and return its state. Raises ``ConfigError`` or ``ArtifactError``."""
    with st.sidebar:
        st.header("Detection")
        detector_name = choose_detector("image_detector")
        sensitivity = choose_sensitivity("image")
        attributes, networks = choose_attributes("image")
        blur_help = "Hides faces on this page and in the annotated image. Predictions do not change."
        style = choose_style("image", blur_help)
    return PageSettings(DetectorSettings(sensitivity=sensitivity), detector_name, networks, attributes, style)


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
    uploaded = st.file_uploader(
        "Images or ZIP files: drop or choose them, or paste an image with Ctrl+V",
        accept_multiple_files=True,
        key="image_files",
        help=f"Formats: {', '.join(EXTENSIONS)}, and zip. At most {MAX_FILES} images.",
        max_upload_size=ArchiveLimits().max_bytes // 2**20,
    )
    accept_pasted("image_files")
    chosen = st.pills("Sample images", list(SAMPLES), selection_mode="multi", key="image_samples")
    samples = [MemoryFile(SAMPLES[title].name, SAMPLES[title].read_bytes()) for title in chosen]
    files: list[ImageFile] = [*_take_handed_over(), *_unpack(uploaded), *samples]
    if len(files) > MAX_FILES:
        first_left_out = escape_markdown(files[MAX_FILES].name)
        st.warning(
            f"Only the first {MAX_FILES} of {len(files)} images are analyzed. {first_left_out} and later ones are left "
            "out: remove others to see them."
        )
    return files[:MAX_FILES]


def _take_handed_over() -> Iterator[ImageFile]:
    """Yield the snapshot that the live page took, if there is one, and draw a line that says so."""
    file = handed_over()
    if file is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/photo_camera: {escape_markdown(file.name)}", width="content")
            st.button("Remove", key="image_remove_snapshot", type="tertiary", on_click=forget_handed_over)
        yield file


def _unpack(uploaded: Iterable[ImageFile]) -> Iterator[ImageFile]:
    """Yield the files, and the images of ZIP files in their place. Shows what is left out of these, and why."""
    for file in uploaded:
        data = file.getvalue()
        if not is_archive(file.name, data):
            yield file
            continue
        try:
            archive = read_archive(data, file.name)
        except ImageError as error:
            show_error(error)
            continue
        if archive.left_out:
            st.warning(escape_markdown(f"{file.name}: {describe_rejected(archive.left_out)}."))
        if not archive.files:
            st.info(escape_markdown(f"{file.name} holds no images."))
        yield from archive.files
