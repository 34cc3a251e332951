from __future__ import annotations

import pytest

from core.evaluation.plots.latency import stage_bars, stage_table, stage_title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("decode", "Decode image (PNG)"),
        ("detect, settings for photos, haar", "Detect faces, photo (Haar cascade)"),
        ("crop for age_gender", "Align face for age and gender"),
        ("six_conv_gender, one face", "Predict six_conv_gender for one face"),
        ("all but detection, 3 faces", "Whole frame without detection, 3 faces"),
        ("whole, 1 face", "Whole frame, 1 face"),
        ("something new", "something new"),
    ],
)
def test_stages_have_titles(name: str, title: str) -> None:
    assert stage_title(name) == title


def test_the_figure_draws_the_table() -> None:
    table = stage_table({"decode": {"median_ms": 4.0, "p95_ms": 5.0}, "detect": {"median_ms": 6.0, "p95_ms": 9.0}})
    figure = stage_bars(table, "Title")
    assert list(figure.data[0].x) == table["median_ms"].tolist() == [4.0, 6.0]
    assert list(figure.data[0].y) == ["Decode image (PNG)", "Detect faces, live video"]
    assert figure.layout.title.text == "Title"
