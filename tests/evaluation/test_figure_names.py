"""Every figure on a card has words of its own."""

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, list_artifacts
from core.evaluation.figure_names import meaning_of


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("n", "images"),
        ("accuracy", "right answers"),
        ("gender_accuracy_low", "perceived gender: right answers, lower end of the 95 % interval"),
        ("recall_disgust", "disgust: found among all of this class"),
        ("age_mae", "mean error in years"),
        ("age_mae_low", "mean error in years, lower end of the 95 % interval"),
        ("age_mae_0_9", "mean error at age 0-9"),
        ("age_mae_70_plus", "mean error at age 70+"),
        ("age_group_macro_f1", "age group: F1, mean over the classes"),
        (
            "interval_coverage_lowest",
            "stated interval holds the true age, in the age bracket where it does so least often",
        ),
        ("point_error_median", "landmarks off by, median"),
        ("something_new", "something new"),
    ],
)
def test_names_become_words(figure, words):
    assert meaning_of(figure) == words


def test_every_figure_on_the_cards_is_known():
    cards = [one.card for one in list_artifacts(ARTIFACTS_DIR) if one.card is not None]
    figures = {figure for card in cards for split in card.metrics.values() for figure in split}
    assert {"accuracy", "point_error"} < figures
    unknown = {figure for figure in figures if figure.replace("_", " ") in meaning_of(figure) and "_" in figure}
    assert not unknown
