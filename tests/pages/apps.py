"""Apps under test: opening pages and reading what they show."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.shared.evaluation.selection import BY_TEST_SET, LEADERBOARD, OWN_IMAGES, TAB_KEY, TEST_SET_KEY, VIEW_KEY

ROOT = Path(__file__).parents[2]


def open_file(name: str, **state: Any) -> AppTest:
    """Run a page with ``state`` in its session, entries of ``None`` left out."""
    app = AppTest.from_file(str(ROOT / name), default_timeout=120)
    for key, value in state.items():
        if value is not None:
            app.session_state[key] = value
    return rerun(app)


def open_function(script: Callable[..., None], *arguments: Any) -> AppTest:
    """Run a function as a page of its own; ``script`` imports everything itself."""
    return rerun(AppTest.from_function(script, args=arguments, default_timeout=60))


def rerun(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


@dataclass(frozen=True)
class PageUnderTest:
    """``name`` begins the keys of its widgets."""

    name: str
    file: str

    def open(self, **state: Any) -> AppTest:
        return open_file(self.file, **state)

    def choose(self, app: AppTest, widget: str, value: str) -> AppTest:
        app.selectbox(key=f"{self.name}_{widget}").set_value(value)
        return rerun(app)


LIVE = PageUnderTest("live", "pages/1_Live_Camera.py")
IMAGE = PageUnderTest("image", "pages/2_Analyze_Image.py")
VIDEO = PageUnderTest("video", "pages/4_Analyze_Video.py")


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader(key="image_files").set_value([(name, data, "") for name, data in files])
    return rerun(app)


def upload_image(app: AppTest, image_rgb: np.ndarray) -> AppTest:
    return upload(app, ("image.png", encode(image_rgb)))


def encode(image_rgb: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(image_rgb).save(file, kind)
    return file.getvalue()


def open_page(test_set: str | None = None, tab: str | None = None, **state: Any) -> AppTest:
    """``state``: further values of the session, such as the title of the open tab of another list of tabs."""
    return open_file("pages/3_Model_Evaluation.py", **{TEST_SET_KEY: test_set, TAB_KEY: tab}, **state)


def open_leaderboard(tab: str | None = None) -> AppTest:
    return open_page(**{VIEW_KEY: LEADERBOARD, "evaluation_leaderboard_tab": tab})


def switch_tab(page: AppTest, tab: str, key: str = TAB_KEY) -> AppTest:
    page.session_state[key] = tab
    return rerun(page)


def tab_names(page: AppTest) -> list[str]:
    """Without those that choose between the views of the page."""
    return [tab.label for tab in page.tabs if tab.label not in (LEADERBOARD, BY_TEST_SET, OWN_IMAGES)]


def download_names(page: AppTest) -> list[str]:
    return [element.proto.label.removeprefix("Download ") for element in page.get("download_button")]


def metrics(app: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in app.metric]


def texts(app: AppTest) -> str:
    elements = [*app.info, *app.error, *app.warning, *app.markdown, *app.caption]
    return "\n".join(str(element.value) for element in elements)


def pictures(app: AppTest) -> int:
    """Pictures that are part of the page."""
    return sum(element.proto.body.count("data:image/jpeg") for element in app.get("html"))
