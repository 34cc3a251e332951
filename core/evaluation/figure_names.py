"""The names of figures on model cards in plain words."""

from __future__ import annotations

_WORDS = {
    "n": "images",
    "accuracy": "right answers",
    "macro_f1": "F1, mean over the classes",
    "ece": "distance of confidence and right answers (calibration error)",
    "ece_before": "calibration error before the temperature",
    "brier": "squared distance of the probabilities from the truth (Brier score)",
    "brier_before": "Brier score before the temperature",
    "kept_share": "answers that are not uncertain",
    "kept_accuracy": "right answers among those",
    "age_mae": "mean error in years",
    "age_bias": "answer minus truth, mean in years",
    "age_cs5": "at most 5 years off",
    "age_mae_gap_race": "largest difference of the mean error between race labels, years",
    "interval_coverage": "stated interval holds the true age",
    "interval_coverage_lowest": "stated interval holds the true age, in the age bracket where it does so least often",
    "interval_coverage_highest": "stated interval holds the true age, in the age bracket where it does so most often",
    "interval_width": "width of the stated interval, years",
    "marked_faces": "faces that people marked",
    "recall": "faces that people marked and that are found",
    "street_recall": "faces that people marked in street scenes and that are found",
    "false_boxes_web": "boxes where there is no face, an image from the web",
    "false_boxes_all": "boxes where there is no face, an image",
    "double_boxes": "further boxes on a face that has one, an image",
    "point_error": "landmarks off by, share of the distance between the eyes",
    "point_error_median": "landmarks off by, median",
    "accuracy_gap_race": "largest difference of right answers between race labels",
}
_SUBJECTS = {"gender_": "perceived gender", "age_group_": "age group", "bracket_": "age bracket"}
_RECALL = "recall_"
_AGE_ERROR = "age_mae_"
_ENDS = {"_low": "lower end of the 95 % interval", "_high": "upper end of the 95 % interval"}


def meaning_of(figure: str) -> str:
    """``gender_accuracy_low`` -> "perceived gender: right answers, lower end of the 95 % interval". A name that is not
    known comes back without its underscores."""
    for end, words in _ENDS.items():
        if figure.endswith(end):
            return f"{meaning_of(figure.removesuffix(end))}, {words}"
    if figure in _WORDS:
        return _WORDS[figure]
    if figure.startswith(_RECALL):
        return f"{figure.removeprefix(_RECALL)}: found among all of this class"
    if figure.startswith(_AGE_ERROR):
        return f"mean error at age {figure.removeprefix(_AGE_ERROR).replace('_plus', '+').replace('_', '-')}"
    for prefix, subject in _SUBJECTS.items():
        if figure.startswith(prefix):
            return f"{subject}: {meaning_of(figure.removeprefix(prefix))}"
    return figure.replace("_", " ")
