"""Tab with the images of the most confident mistakes."""

from __future__ import annotations

import streamlit as st

from core.datasets.samples import Samples
from core.evaluation.errors import WrongPrediction, age_mistakes, class_mistakes
from core.evaluation.predictions import Predictions
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation.reproduce import reproduced_predictions
from pages.shared.evaluation.test_images import load_test_images

_MISTAKES_SHOWN = 24
_COLUMNS = 6


def show_mistakes(model: StoredEvaluation) -> None:
    samples = load_test_images(model)
    if samples is None:
        return
    predictions = reproduced_predictions(model) or model.predictions
    mistakes, how = _mistakes_in(predictions)
    st.caption(f"{how.capitalize()}. Some are wrong labels in the data set rather than wrong answers.")
    _show_thumbnails(samples, mistakes)


def _mistakes_in(predictions: Predictions) -> tuple[tuple[WrongPrediction, ...], str]:
    """The worst answers, of one kind if there are several, and what their captions say."""
    how_sure = "truth → answer, and how sure the model was"
    if "emotion" in predictions.probabilities:
        return class_mistakes(predictions, "emotion", _MISTAKES_SHOWN), how_sure
    found = {"Age": predictions.age is not None, "Perceived gender": "gender" in predictions.probabilities}
    kinds = [title for title, is_there in found.items() if is_there]
    chosen = (
        st.segmented_control("Mistakes in", kinds, default=kinds[0], required=True, key="mistakes_in")
        if len(kinds) > 1
        else kinds[0]
    )
    if chosen == "Age":
        return age_mistakes(predictions, _MISTAKES_SHOWN), "true age → answer (stated interval), worst first"
    return class_mistakes(predictions, "gender", _MISTAKES_SHOWN), how_sure


def _show_thumbnails(samples: Samples, mistakes: tuple[WrongPrediction, ...]) -> None:
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
