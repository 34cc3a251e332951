"""The tab about speed, with made-up times."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _measured() -> None:
    from pages.shared.evaluation.latency import show_speed

    def measure(progress):  # type: ignore[no-untyped-def]
        progress(1.0)
        stages = {"detect": {"median_ms": 6.0, "p95_ms": 9.0}, "emotion, one face": {"median_ms": 1.0, "p95_ms": 1.5}}
        return {"stages": stages, "repeats": 3, "frame": "640x480", "detector": "fast"}

    show_speed(measure)


def _broken() -> None:
    from core.errors import ArtifactMissingError
    from pages.shared.evaluation.latency import show_speed

    def fail(progress: object) -> dict[str, object]:
        raise ArtifactMissingError("model.tflite is missing")

    show_speed(fail)


def _page(script: object) -> AppTest:
    page = AppTest.from_function(script, default_timeout=60).run()  # type: ignore[arg-type]
    assert not page.dataframe
    page.button(key="speed_start").click().run()
    assert not page.exception
    return page


def test_a_measurement_is_shown_and_kept() -> None:
    page = _page(_measured)
    for _ in range(2):
        assert len(page.get("plotly_chart")) == 1
        assert page.dataframe[0].value["stage"].tolist() == ["Detect faces, live video", "Predict emotion for one face"]
        assert page.dataframe[0].value["p95_ms"].tolist() == [9.0, 1.5]
        page.run()
    assert "frame 640x480 px, detector “fast”" in page.caption[0].value


def test_a_broken_model_is_named() -> None:
    page = _page(_broken)
    assert "model.tflite is missing" in page.error[0].value
    assert not page.dataframe
