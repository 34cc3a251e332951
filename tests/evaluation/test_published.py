"""What others report, beside the leaderboard."""

from __future__ import annotations

import pytest

from core.evaluation.leaderboard_tables import published_table
from core.evaluation.measures import MEASURES, Measure
from core.evaluation.published import PUBLISHED, published_for

WITH_FIGURES = [measure for measure in MEASURES if measure.key in PUBLISHED]


def test_every_figure_belongs_to_something_that_is_measured() -> None:
    assert set(PUBLISHED) <= {measure.key for measure in MEASURES}


@pytest.mark.parametrize("measure", WITH_FIGURES, ids=lambda measure: measure.key)
def test_figures_are_in_the_unit_of_what_is_measured_and_have_a_source(measure: Measure) -> None:
    for one in PUBLISHED[measure.key]:
        low, high = (1, 15) if measure.lower_is_better else (0.5, 1)
        assert low < one.value < high, one
        assert one.name
        assert one.source
        assert one.parameters is None or one.parameters > 10_000


@pytest.mark.parametrize("measure", WITH_FIGURES, ids=lambda measure: measure.key)
def test_the_best_comes_first(measure: Measure) -> None:
    values = [one.value for one in published_for(measure)]
    assert values == sorted(values, reverse=measure.unit == "%")
    shown = published_table(measure)["reported"].tolist()
    assert [float(text.rstrip("%")) for text in shown] == pytest.approx(
        [value * 100 if measure.unit == "%" else value for value in values], abs=0.06
    )


def test_nothing_known_is_an_empty_table() -> None:
    (measure,) = (one for one in MEASURES if one.key == "age_group")
    assert published_table(measure).empty
