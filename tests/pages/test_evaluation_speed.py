"""The tab about speed, with made-up times."""

from __future__ import annotations

from tests.pages.apps import open_function, rerun


def _tab(broken: bool) -> None:
    from core.errors import ArtifactMissingError
    from pages.shared.evaluation.latency import show_speed

    def measure(progress):  # type: ignore[no-untyped-def]
        if broken:
            raise ArtifactMissingError("model.tflite is missing")
        progress(1.0)
        stages = {"detect": {"median_ms": 6.0, "p95_ms": 9.0}, "emotion, one face": {"median_ms": 1.0, "p95_ms": 1.5}}
        return {"stages": stages, "repeats": 3, "frame": "640x480", "detector": "fast"}

    show_speed(measure)


def test_measurement_is_shown_and_kept() -> None:
    page = open_function(_tab, False)
    assert not page.dataframe
    page.button(key="speed_start").click()
    for _ in range(2):
        rerun(page)
        assert len(page.get("plotly_chart")) == 1
        assert page.dataframe[0].value["stage"].tolist() == ["Detect faces, live video", "Predict emotion for one face"]
        assert page.dataframe[0].value["p95_ms"].tolist() == [9.0, 1.5]
    assert "frame 640x480 px, detector “fast”" in page.caption[0].value


def test_broken_model_is_named() -> None:
    page = open_function(_tab, True)
    page.button(key="speed_start").click()
    assert "model.tflite is missing" in rerun(page).error[0].value
    assert not page.dataframe
