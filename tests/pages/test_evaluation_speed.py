"""The tab about speed and size, with made-up times."""

from __future__ import annotations

import sys

from streamlit.testing.v1 import AppTest


def _measured() -> None:
    from pages.shared.evaluation.latency import show_speed
    from tests.fakes.speed import measure

    show_speed(measure)


def _without_keras() -> None:
    from pages.shared.evaluation.latency import show_speed
    from tests.fakes.speed import measure_without_keras

    show_speed(measure_without_keras)


def _broken() -> None:
    from core.errors import ArtifactMissingError
    from pages.shared.evaluation.latency import show_speed

    def fail(progress: object) -> None:
        raise ArtifactMissingError("model.tflite is missing")

    show_speed(fail)  # type: ignore[arg-type]


def _page(script: object, press: bool = True) -> AppTest:
    page = AppTest.from_function(script, default_timeout=60).run()  # type: ignore[arg-type]
    if press:
        page.button(key="speed_start").click().run()
    assert not page.exception
    return page


def _downloads(page: AppTest) -> list[str]:
    return [element.proto.label for element in page.get("download_button")]


def test_sizes_are_shown_before_anything_is_measured() -> None:
    page = _page(_measured, press=False)
    assert _downloads(page) == ["Download sizes.csv"]
    assert page.dataframe[0].value["parameters"].tolist()
    assert not page.get("plotly_chart")


def test_a_measurement_is_shown_and_kept() -> None:
    page = _page(_measured)
    for _ in range(2):
        assert len(page.get("plotly_chart")) == 2
        assert _downloads(page) == ["Download speed_stages.csv", "Download speed_networks.csv"]
        page.run()
    captions = "\n".join(caption.value for caption in page.caption)
    assert "the detector “fast” and the networks “emotion” and “age_gender”" in captions
    assert "drawing come on top" in captions
    networks = page.dataframe[1].value.set_index("network")
    assert set(networks["times_as_fast"]) == {50.0, 20.0}


def test_without_tensorflow_the_rest_is_shown() -> None:
    page = _page(_without_keras)
    assert "TensorFlow is not installed here." in page.info[0].value
    assert len(page.get("plotly_chart")) == 1
    assert not page.error


def test_a_broken_model_is_named_and_sizes_remain() -> None:
    page = _page(_broken)
    assert "model.tflite is missing" in page.error[0].value
    assert _downloads(page) == ["Download sizes.csv"]


def test_the_tab_does_not_import_tensorflow() -> None:
    import subprocess

    code = "import sys, pages.shared.evaluation.latency; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
