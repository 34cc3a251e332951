"""Tab that evaluates the served model again and compares the result with the saved predictions."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.artifacts.model_card import SERVED_FILE, is_served
from core.datasets.loading import data_dir
from core.datasets.photographs import list_photographs
from core.datasets.samples import Samples
from core.errors import FacetError
from core.evaluation.metrics import classes_without_samples, describe_classes, summary_metrics
from core.evaluation.predictions import Predictions
from core.evaluation.stored import StoredEvaluation
from core.evaluation.tables import metrics_table
from pages.shared.errors import show_error
from pages.shared.evaluation.components import show_table
from pages.shared.evaluation.model_card import show_excluded_files
from pages.shared.evaluation.photographs import is_of_photographs
from pages.shared.evaluation.test_images import load_test_images

_PREDICTIONS_KEY = "evaluation_reproduced"


def show_reproduce(model: StoredEvaluation) -> None:
    st.markdown(
        "Runs the model on the test images again and compares the metrics with the saved ones. Differences should be "
        "tiny; large ones mean that model file and predictions do not match."
    )
    if SERVED_FILE in model.card.excluded_files and not is_served(model.folder, model.card):
        show_excluded_files(model.card)
        return
    samples = load_test_images(model)
    if samples is None:
        return
    if st.button("Evaluate again", key="reproduce_start", icon=":material/replay:"):
        _evaluate(model, samples)
    reproduced = reproduced_predictions(model)
    if reproduced is not None:
        _show_comparison(model, reproduced)


def reproduced_predictions(model: StoredEvaluation) -> Predictions | None:
    """Return the predictions of the session's latest evaluation, if it was of ``model``."""
    folder, split, predictions = st.session_state.get(_PREDICTIONS_KEY, (None, None, None))
    return predictions if (folder, split) == (str(model.folder), model.split) else None


def _evaluate(model: StoredEvaluation, samples: Samples) -> None:
    # Imported here: looking at saved predictions needs no runtime of the models.
    from core.evaluation.photographs import evaluate_photographs
    from core.evaluation.predict import evaluate_samples
    from pages.shared import resources

    text = f"Evaluating {len(samples):,} images …"
    bar = st.progress(0.0, text)

    def progress(share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text)

    try:
        if is_of_photographs(model):
            # What is missing was told when the images were loaded.
            photographs, _ = list_photographs(model.split, data_dir())
            analyzer = resources.get_photo_analyzer(model.name)
            predictions, _ = evaluate_photographs(photographs, analyzer, model.card.task, progress)
        else:
            predictions = evaluate_samples(model.folder, samples, progress)
    except FacetError as error:
        show_error(error)
        return
    finally:
        bar.empty()
    # Only the latest is kept, so a session's memory does not grow.
    st.session_state[_PREDICTIONS_KEY] = (str(model.folder), model.split, predictions)


def _show_comparison(model: StoredEvaluation, reproduced: Predictions) -> None:
    if missing := classes_without_samples(reproduced.task, reproduced.truth):
        st.warning(f"No images of {describe_classes(missing)}.", icon=":material/warning:")
    saved = model.predictions
    common = np.intersect1d(saved.ids, reproduced.ids)
    if len(common) < len(saved):
        st.warning(f"Only {len(common):,} of {len(saved):,} images have the same name in this copy of the data set.")
    if len(common):
        saved, reproduced = (kind.take(np.isin(kind.ids, common)) for kind in (saved, reproduced))
    st.success(f"{len(reproduced):,} images evaluated.", icon=":material/check:")
    table = metrics_table({"saved": summary_metrics(saved), "reproduced": summary_metrics(reproduced)})
    table["difference"] = table["reproduced"] - table["saved"]
    show_table(table, f"{model.stem}_reproduced.csv", "reproduced_csv")
