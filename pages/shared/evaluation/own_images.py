"""View "Your own images": evaluate detector and networks on labelled photographs of the visitor.

Nothing is stored: the images stay where they are, results are in the session's memory until another page is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.attributes.catalog import network_choice
from core.datasets.loading import data_dir
from core.datasets.own_images import NamedFile, OwnImages, is_usable_name, list_folder_files, read_own_images
from core.datasets.samples import Rejected, describe_rejected
from core.detection.registry import default_detector_name
from core.errors import ConfigError, FacetError, ImageError
from core.evaluation.metrics import age_report, class_report, describe_classes
from core.evaluation.own_images import (
    OwnEvaluation,
    evaluate_own_images,
    find_worst,
    installed_cards,
    missing_classes,
    prediction_csv,
    report_tables,
)
from core.io import images
from core.io.archive import read_archive
from core.labels import pluralize
from core.settings import ArchiveLimits, DetectorSettings
from pages.shared.errors import show_error
from pages.shared.evaluation.age import show_age, show_age_summary
from pages.shared.evaluation.classification import show_accuracy, show_class_table, show_confusion
from pages.shared.evaluation.components import show_table
from pages.shared.evaluation.selection import OWN_IMAGES
from pages.shared.markdown import escape_markdown
from pages.shared.session import OWN_EVALUATION_KEY

_ZIP, _FOLDER = "ZIP file", "Folder on the server"
_TITLES = {"emotion": "Emotion", "age": "Age", "gender": "Perceived gender"}
_WORST = 12
_WORST_PX = 160
_STEM = "own_images"
_HOW_TO_LABEL = """Each image shows one labelled person. Labels come from one of these:

- folders: `happy/1.jpg`, `female/2.jpg`
- file names with age and gender, 0 for male and 1 for female, as in UTKFace: `25_1_3.jpg`
- a CSV file with the columns `file` and any of `emotion`, `age`, `gender`"""
_HOW_COUNTED = (
    "The label is compared with the largest face. Images without a face are missed faces: accuracy, confusion matrix "
    "and age error leave them out. End-to-end accuracy counts them as wrong."
)


@dataclass(frozen=True)
class _Result:
    """``source`` tells whether it is about the images that are chosen; ``worst``: attribute -> caption and JPEG."""

    source: str
    evaluation: OwnEvaluation
    worst: dict[str, list[tuple[str, bytes]]]


def show_own_images() -> None:
    st.markdown(_HOW_TO_LABEL)
    st.caption("Images and results stay in this server's memory until you leave this page. They are never stored.")
    try:
        chosen = _choose_files()
        if chosen is None:
            st.session_state.pop(OWN_EVALUATION_KEY, None)
            return
        source, files, left_out = chosen
        own = read_own_images(files, left_out)
        if st.button(f"Evaluate {pluralize(len(own.images), 'image')}", type="primary", key="own_start"):
            st.session_state[OWN_EVALUATION_KEY] = _evaluate(source, own)
        result: _Result | None = st.session_state.get(OWN_EVALUATION_KEY)
        if result is None or result.source != source:
            if own.rejected:
                _warn(describe_rejected(own.rejected))
            return
        _show(result)
    except FacetError as error:
        show_error(error)


def _choose_files() -> tuple[str, Sequence[NamedFile], tuple[Rejected, ...]] | None:
    """Return what identifies the choice, its files, and what was left out; ``None`` before a choice is made."""
    kind = st.segmented_control("Images from", [_ZIP, _FOLDER], default=_ZIP, required=True, key="own_source")
    if kind == _ZIP:
        uploaded = st.file_uploader(
            "ZIP file with labelled images", key="own_zip", max_upload_size=ArchiveLimits().max_bytes // 2**20
        )
        if uploaded is None:
            return None
        archive = read_archive(uploaded.getvalue(), uploaded.name, accept=is_usable_name)
        return uploaded.file_id, archive.files, archive.left_out
    root = data_dir().resolve()
    name = st.text_input("Folder", key="own_folder", help=f"A folder inside the server's data folder, {root}.")
    if not name.strip():
        return None
    folder = (root / name.strip()).resolve()
    # Visitors must not see what else the server has.
    if not folder.is_relative_to(root):
        raise ConfigError(f"the folder must be inside the server's data folder, {root}.")
    return str(folder), *list_folder_files(folder)


def _evaluate(source: str, own: OwnImages) -> _Result:
    # Imported here: looking at saved predictions needs no runtime of the models.
    from pages.shared import resources

    analyzer = resources.get_analyzer(DetectorSettings(), default_detector_name(), network_choice())
    bar = st.progress(0.0)

    def progress(done: int) -> None:
        bar.progress(done / len(own.images), f"Evaluating image {done:,} of {len(own.images):,} …")

    evaluation = evaluate_own_images(own, analyzer, progress)
    bar.empty()
    files = {image.file.name: image.file for image in own.images}
    worst = {
        attribute: [
            (error.caption, _thumbnail(files[error.sample_id])) for error in find_worst(evaluation, attribute, _WORST)
        ]
        for attribute in evaluation.predictions
    }
    return _Result(source, evaluation, worst)


def _thumbnail(file: NamedFile) -> bytes:
    try:
        return images.encode_jpeg(images.fit(images.decode(file.getvalue()).frame, 2 * _WORST_PX))
    except ImageError:  # Changed on disk since.
        return b""


def _warn(text: str) -> None:
    st.warning(f"{escape_markdown(text[:1].upper() + text[1:])}.", icon=":material/warning:")


def _show(result: _Result) -> None:
    evaluation = result.evaluation
    if evaluation.rejected:
        _warn(describe_rejected(evaluation.rejected))
    if missing := missing_classes(evaluation):
        _warn(f"no face with the label {describe_classes(missing)}")
    tables = report_tables(evaluation, installed_cards(network_choice()))
    st.subheader("Faces found")
    st.caption(_HOW_COUNTED)
    show_table(tables["counts"], f"{_STEM}_counts.csv", "own_counts")
    st.download_button(
        "Download predictions.csv",
        prediction_csv(evaluation).encode("utf-8-sig"),
        f"{_STEM}_predictions.csv",
        "text/csv",
        key="own_predictions",
        icon=":material/download:",
        on_click="ignore",
    )
    if evaluation.missed:
        with st.expander(f"Missed faces ({len(evaluation.missed):,})"):
            st.dataframe({"Image": evaluation.missed}, hide_index=True)
    st.subheader("Beside the public test sets")
    st.caption("The same networks on their test sets, whose faces are cropped already. Shares are in 0 to 1.")
    show_table(tables["comparison"], f"{_STEM}_comparison.csv", "own_comparison")
    if evaluation.predictions:
        _show_attribute(result)


def _show_attribute(result: _Result) -> None:
    titles = {_TITLES[attribute]: attribute for attribute in result.evaluation.predictions}
    title = st.segmented_control("Show", list(titles), default=next(iter(titles)), required=True, key="own_attribute")
    attribute = titles[title]
    predictions = result.evaluation.predictions[attribute]
    if attribute == "age":
        report = age_report(predictions)
        show_age_summary({OWN_IMAGES: report})
        show_age({OWN_IMAGES: report}, predictions, OWN_IMAGES, _STEM)
    else:
        classes = class_report(predictions, attribute)
        show_accuracy({OWN_IMAGES: classes}, title.lower())
        show_class_table(classes, title.lower(), _STEM)
        show_confusion(classes, title.lower(), _STEM)
    st.subheader("Largest errors")
    if not result.worst[attribute]:
        st.caption("None.")
    with st.container(horizontal=True):
        for caption, thumbnail in result.worst[attribute]:
            with st.container(width=_WORST_PX):
                if thumbnail:
                    st.image(thumbnail, width=_WORST_PX)
                st.caption(caption)
