"""The live and the image page under test: what their sidebars have in common."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


@dataclass(frozen=True)
class PageUnderTest:
    """``name`` begins the keys of its widgets."""

    name: str
    file: str

    def open(self) -> AppTest:
        app = AppTest.from_file(str(PAGES / self.file), default_timeout=60).run()
        assert not app.exception
        return app

    def choose(self, app: AppTest, widget: str, value: str) -> AppTest:
        app.selectbox(key=f"{self.name}_{widget}").set_value(value).run()
        assert not app.exception
        return app


LIVE, IMAGE = PageUnderTest("live", "1_Live_Camera.py"), PageUnderTest("image", "2_Analyze_Image.py")


def upload(app: AppTest, picture_rgb: np.ndarray) -> AppTest:
    file = io.BytesIO()
    Image.fromarray(picture_rgb).save(file, "PNG")
    app.file_uploader(key="image_files").set_value([("picture.png", file.getvalue(), "")]).run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.markdown, *app.caption))
