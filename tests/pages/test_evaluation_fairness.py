"""The tab about groups of people, with made-up predictions."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.apps import open_function, rerun

GROUPINGS = {
    ("Race label",): ("race", 5),
    ("True age",): ("age", 9),
    ("Gender label", "Race label"): ("race_gender", 10),
    ("Gender label", "Race label", "True age"): ("race_age_gender", 90),
    ("Race label", "True age"): ("race_age", 45),
}


def _tab(count: int, youngest: int = 0, oldest: int = 150) -> None:
    from pages.shared.evaluation.fairness import show_fairness
    from tests.fakes.evaluation import age_gender_predictions

    predictions = age_gender_predictions(count)
    age = predictions.truth["age"]
    show_fairness(predictions.take((age >= youngest) & (age <= oldest)), "fake_test")


def _gaps(page: AppTest) -> list[str]:
    return [text.value for text in page.markdown if text.value.startswith("**Gap")]


def test_groups_and_their_crossings() -> None:
    page = open_function(_tab, 700)
    assert [metric.label for metric in page.metric] == ["Age MAE, 0 to 9 years", "Age MAE, 70 years and older"]
    assert all(metric.value.endswith(" years") for metric in page.metric)
    for titles, (file, rows) in GROUPINGS.items():
        page.segmented_control(key="evaluation_grouping").set_value(list(titles))
        rerun(page)
        assert len(page.get("plotly_chart")) == 2
        assert len(page.dataframe[0].value) == rows
        assert page.get("download_button")[0].proto.label == f"Download fake_test_groups_{file}.csv"
        assert len(_gaps(page)) == 2
    age, gender = _gaps(page)
    assert "smaller groups excluded" in age
    assert "With small groups:" in age
    assert "Expected from chance alone (95th percentile)" in age
    assert age.count(" years") >= 3
    assert "points" in gender
    page.segmented_control(key="evaluation_grouping").set_value([])
    assert "at least one" in rerun(page).info[0].value
    assert not page.get("plotly_chart")


def test_missing_and_small_groups() -> None:
    assert not open_function(_tab, 700, 21, 60).metric, "nobody is as young or old"
    assert all("fewer than two groups" in text for text in _gaps(open_function(_tab, 20)))
