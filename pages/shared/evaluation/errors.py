"""Tab with the images of the most confident errors."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.datasets.samples import Samples
from core.evaluation.errors import WrongPrediction, find_age_errors, find_class_errors
from core.evaluation.predictions import Predictions
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation.reproduce import reproduced_predictions
from pages.shared.evaluation.test_images import load_test_images

_SHOWN = 24
_SHOWN_PX = 144
_TITLES = {"age": "Age", "emotion": "Emotion", "gender": "Perceived gender"}


def show_errors(model: StoredEvaluation) -> None:
    samples = load_test_images(model)
    if samples is None:
        return
    errors, captions = _find_errors(reproduced_predictions(model) or model.predictions)
    st.caption(f"{captions}. Some are wrong labels in the data set rather than wrong predictions.")
    _show_thumbnails(samples, errors)


def show_examples(model: StoredEvaluation, output: str, cell: tuple[str, str]) -> None:
    """Show images of one ``cell`` of the confusion matrix, (true, predicted) class."""
    samples = load_test_images(model)
    if samples is None:
        return
    found = find_class_errors(reproduced_predictions(model) or model.predictions, output, _SHOWN, cell)
    if found:
        st.caption("Most confident first.")
        _show_thumbnails(samples, found)
    else:
        st.info(f"No image of {cell[0]} was taken for {cell[1]}.")


def _find_errors(predictions: Predictions) -> tuple[Sequence[WrongPrediction], str]:
    """The largest errors of the chosen output, and what their captions say."""
    outputs = {"age"} & predictions.truth.keys() if predictions.age is not None else set()
    titles = {title: output for output, title in _TITLES.items() if output in {*outputs, *predictions.probabilities}}
    chosen = next(iter(titles))
    if len(titles) > 1:
        chosen = st.segmented_control("Errors of", list(titles), default=chosen, required=True, key="errors_of")
    if titles[chosen] == "age":
        return find_age_errors(predictions, _SHOWN), "True age → predicted age (interval), largest errors first"
    errors = find_class_errors(predictions, titles[chosen], _SHOWN)
    return errors, "True class → predicted class with its confidence, most confident first"


def _show_thumbnails(samples: Samples, errors: Sequence[WrongPrediction]) -> None:
    row_of = {str(sample_id): row for row, sample_id in enumerate(samples.ids)}
    shown = [(samples.images[row_of[error.sample_id]], error) for error in errors if error.sample_id in row_of]
    if not shown:
        st.info(
            "This copy of the data set has none of these images. fer2013.csv has no file names: reproduce the "
            "evaluation, then its errors are shown here."
        )
        return
    grey = samples.images.shape[-1] == 1
    st.image(
        [image[..., 0] if grey else image for image, _ in shown],
        caption=[error.caption for _, error in shown],
        # A few dozen pixels are too small to judge: the browser enlarges them.
        width=_SHOWN_PX,
        channels="RGB" if grey else "BGR",
        output_format="PNG",
    )
