"""Tabs that need the data set: the most confident mistakes, and a fresh evaluation of the served model.

Images live in a bounded cache in memory and in the browser, never on disk.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from core.artifact import SERVED_FILE, is_served
from core.datasets.samples import Samples, fingerprint
from core.errors import FacetError
from core.evaluation.metrics import headline
from core.evaluation.mistakes import Mistake, age_mistakes, emotion_mistakes, gender_mistakes
from core.evaluation.predictions import AgePredictions, EmotionPredictions, GenderPredictions, Predictions, subset
from core.evaluation.side_samples import data_dir, has_data, read_side
from core.evaluation.stored import StoredEvaluation
from core.evaluation.tables import headline_table
from pages.shared.errors import show_error
from pages.shared.evaluation_common import show_table
from pages.shared.evaluation_origin import show_not_included

_MISTAKES_SHOWN = 24
_COLUMNS = 6
_RERUN_KEY = "evaluation_rerun"
_OPENED_KEY = "evaluation_images_opened"


def show_mistakes(model: StoredEvaluation) -> None:
    samples = _samples_on_demand(model, "mistakes")
    if samples is None:
        return
    predictions = _rerun_of(model) or model.predictions
    mistakes, how = _mistakes_in(predictions)
    st.caption(f"{how.capitalize()}. Some are wrong labels in the data set rather than wrong answers.")
    _show_thumbnails(samples, mistakes)


def _mistakes_in(predictions: Predictions) -> tuple[tuple[Mistake, ...], str]:
    """The worst answers, of one kind if there are several, and what their captions say."""
    how_sure = "truth → answer, and how sure the model was"
    if isinstance(predictions, EmotionPredictions):
        return emotion_mistakes(predictions, _MISTAKES_SHOWN), how_sure
    kinds = [
        title
        for title, kind in (("Age", AgePredictions), ("Perceived gender", GenderPredictions))
        if isinstance(predictions, kind)
    ]
    chosen = (
        st.segmented_control("Mistakes in", kinds, default=kinds[0], required=True, key="mistakes_in")
        if len(kinds) > 1
        else kinds[0]
    )
    if chosen == "Age" and isinstance(predictions, AgePredictions):
        return age_mistakes(predictions, _MISTAKES_SHOWN), "true age → answer (stated interval), worst first"
    assert isinstance(predictions, GenderPredictions)
    return gender_mistakes(predictions, _MISTAKES_SHOWN), how_sure


def show_rerun(model: StoredEvaluation) -> None:
    st.markdown(
        "Runs the served model on the images again and compares with what is stored. Small differences "
        "come from the processor's arithmetic; large ones mean that model and figures do not belong together."
    )
    if SERVED_FILE in model.card.not_included and not is_served(model.folder, model.card):
        show_not_included(model.card)
        return
    samples = _samples_on_demand(model, "rerun")
    if samples is None:
        return
    if st.button("Re-run the evaluation", key="rerun_start", icon=":material/replay:"):
        _rerun(model, samples)
    fresh = _rerun_of(model)
    if fresh is not None:
        _show_comparison(model, fresh)


@st.cache_resource(max_entries=2, show_spinner="Reading the images, about 10 to 20 seconds …")
def _cached_samples(
    folder: str, task: str, side: str, image_size: int, ids_fingerprint: str, _ids: np.ndarray
) -> Samples:
    """``ids_fingerprint`` stands for the ids in the cache's key; hashing thousands of strings is slow."""
    return read_side(Path(folder), task, side, _ids, image_size)


def _samples_on_demand(model: StoredEvaluation, key: str) -> Samples | None:
    """The test images once the user asked for them; until then, or without a data set, a line says so."""
    folder = data_dir()
    if not has_data(folder, model.card.task):
        st.info(
            f"This needs the data set, which is not in `{folder}`; everything else on this page works from "
            "stored answers. Put it there or set `FACET_DATA` to its folder; see `data/README.md`.",
            icon=":material/folder_off:",
        )
        return None
    asked = (model.card.task, model.side)
    if st.button("Read the test images", key=f"read_{key}", icon=":material/image_search:"):
        st.session_state[_OPENED_KEY] = asked
    if st.session_state.get(_OPENED_KEY) != asked:
        st.caption("Takes 10 to 20 seconds; the images stay in memory and are never saved.")
        return None
    size, ids = model.card.input_size, model.predictions.ids
    try:
        return _cached_samples(str(folder), model.card.task, model.side, size, fingerprint(ids), ids)
    except FacetError as error:
        show_error(error)
        return None


def _rerun(model: StoredEvaluation, samples: Samples) -> None:
    # Only here: the runtime of the served models is not needed to look at stored figures.
    from core.evaluation.runner import evaluate_samples

    text = f"Evaluating {len(samples):,} images …"
    bar = st.progress(0.0, text)

    def progress(share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text)

    try:
        predictions = evaluate_samples(model.folder, samples, progress)
    except FacetError as error:
        show_error(error)
        return
    finally:
        bar.empty()
    # Only the latest is kept, so a session's memory does not grow.
    st.session_state[_RERUN_KEY] = (str(model.folder), model.side, predictions)
    # The tab of mistakes comes before this one and is about these answers from now on.
    st.rerun()


def _rerun_of(model: StoredEvaluation) -> Predictions | None:
    folder, side, predictions = st.session_state.get(_RERUN_KEY, (None, None, None))
    return predictions if (folder, side) == (str(model.folder), model.side) else None


def _show_comparison(model: StoredEvaluation, fresh: Predictions) -> None:
    common = np.intersect1d(model.predictions.ids, fresh.ids)
    stored = model.predictions
    if len(common):
        stored, fresh = subset(stored, common), subset(fresh, common)
    if len(common) < len(model.predictions):
        st.warning(
            f"Only {len(common):,} of the {len(model.predictions):,} stored answers are about images of "
            "the same name in this copy of the data set" + ("; they are compared." if len(common) else ".")
        )
    st.success(f"Done: {len(fresh):,} images.", icon=":material/check:")
    table = headline_table({"stored": headline(stored), "re-run": headline(fresh)})
    table["difference"] = table["re-run"] - table["stored"]
    show_table(table, f"{model.name}_{model.side}_rerun.csv", "rerun_csv")


def _show_thumbnails(samples: Samples, mistakes: tuple[Mistake, ...]) -> None:
    row_of = {str(sample_id): row for row, sample_id in enumerate(samples.ids)}
    shown = [(row_of[one.sample_id], one) for one in mistakes if one.sample_id in row_of]
    if not shown:
        st.info(
            "None of the stored mistakes has its image in this copy of the data set. fer2013.csv has no file "
            "names to go by: re-run the evaluation, then its mistakes are shown here."
        )
        return
    for start in range(0, len(shown), _COLUMNS):
        for column, (row, mistake) in zip(st.columns(_COLUMNS), shown[start : start + _COLUMNS], strict=False):
            image = samples.images[row]
            with column:
                # A few dozen pixels are too small to judge: the browser enlarges them.
                grey = image.shape[-1] == 1
                st.image(
                    image[..., 0] if grey else image,
                    caption=mistake.caption,
                    width="stretch",
                    channels="RGB" if grey else "BGR",
                    output_format="PNG",
                )
