"""The tab about groups of people, with made-up answers."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def _tab(count: int, youngest: int = 0, oldest: int = 150) -> None:
    """Run by ``AppTest`` as a page of its own, so it imports everything itself."""
    from pages.shared.evaluation.fairness import show_fairness
    from tests.fakes.evaluation import age_gender_predictions

    predictions = age_gender_predictions(count)
    age = predictions.truth["age"]
    show_fairness(predictions.take((age >= youngest) & (age <= oldest)), "fake_test")


def _run(*arguments: Any) -> AppTest:
    page = AppTest.from_function(_tab, args=arguments, default_timeout=60).run()
    assert not page.exception
    return page


def _gaps(page: AppTest) -> list[str]:
    return [text.value for text in page.markdown if text.value.startswith("**Gap")]


@pytest.mark.parametrize(
    ("titles", "file", "rows"),
    [
        (["Race label"], "race", 5),
        (["True age"], "age", 9),
        (["Gender label", "Race label"], "race_gender", 10),
        (["Race label", "True age"], "race_age", 45),
        (["Gender label", "Race label", "True age"], "race_age_gender", 90),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_groups_and_their_crossings(titles: list[str], file: str, rows: int) -> None:
    page = _run(700)
    page.segmented_control(key="evaluation_grouping").set_value(titles).run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2
    assert len(page.dataframe[0].value) == rows
    assert page.get("download_button")[0].proto.label == f"Download fake_test_groups_{file}.csv"
    assert len(_gaps(page)) == 2


def test_children_and_old_people_are_shown() -> None:
    page = _run(700)
    assert [metric.label for metric in page.metric] == ["Age MAE, 0 to 9 years", "Age MAE, 70 years and older"]
    assert all(metric.value.endswith(" years") for metric in page.metric)


def test_ages_of_nobody_are_not_shown() -> None:
    assert not _run(700, 21, 60).metric


def test_the_gap_says_what_it_leaves_out() -> None:
    page = _run(700)
    page.segmented_control(key="evaluation_grouping").set_value(["Race label", "True age"]).run()
    age, gender = _gaps(page)
    assert "smaller groups excluded" in age
    assert "With small groups:" in age
    assert "Expected from chance alone (95th percentile)" in age
    assert age.count(" years") >= 3
    assert "points" in gender


def test_without_large_groups_there_is_no_gap() -> None:
    assert all("fewer than two groups" in text for text in _gaps(_run(20)))


def test_nothing_chosen_is_said() -> None:
    page = _run(700)
    page.segmented_control(key="evaluation_grouping").set_value([]).run()
    assert "at least one" in page.info[0].value
    assert not page.get("plotly_chart")
