"""pages -> core <- models: read from the imports, so that nobody has to remember it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "core": {"streamlit", "streamlit_webrtc", "tensorflow", "keras", "models", "pages"},
    "pages": {"tensorflow", "keras", "models", "ai_edge_litert", "cv2", "sklearn"},
    "models": {"streamlit", "streamlit_webrtc", "pages"},
}
FILES = [(layer, path) for layer in FORBIDDEN for path in sorted((ROOT / layer).rglob("*.py"))]
FILES.append(("pages", ROOT / "Home.py"))


def imported_packages(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize(("layer", "path"), FILES, ids=[str(path.relative_to(ROOT)) for _, path in FILES])
def test_imports_follow_the_layers(layer, path):
    assert not imported_packages(path.read_text(encoding="utf-8")) & FORBIDDEN[layer]


def test_the_reader_of_imports_sees_nested_ones():
    assert imported_packages("def f():\n    import tensorflow.lite as t\n    from keras.layers import Dense") == {
        "tensorflow",
        "keras",
    }


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.name)
def test_a_page_stays_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120
