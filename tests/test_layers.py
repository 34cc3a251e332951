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


def imported_modules(source: str) -> set[str]:
    """Dotted names, for ``from a import b`` both ``a`` and ``a.b``: whether ``b`` is a module cannot be seen."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_packages(source: str) -> set[str]:
    return {name.partition(".")[0] for name in imported_modules(source)}


def reached_packages(module: str) -> set[str]:
    """All packages that importing ``module`` imports, through whatever files of ours."""
    packages, seen, waiting = set(), set(), [module]
    while waiting:
        name = waiting.pop()
        files = [ROOT / (name.replace(".", "/") + ending) for ending in (".py", "/__init__.py")]
        if name in seen or not any(file.is_file() for file in files):
            continue
        seen.add(name)
        for file in files:
            if file.is_file():
                source = file.read_text(encoding="utf-8")
                packages |= imported_packages(source)
                waiting += imported_modules(source)
    return packages


@pytest.mark.parametrize(("layer", "path"), FILES, ids=[str(path.relative_to(ROOT)) for _, path in FILES])
def test_imports_follow_the_layers(layer, path):
    assert not imported_packages(path.read_text(encoding="utf-8")) & FORBIDDEN[layer]


def test_the_reader_of_imports_sees_nested_ones():
    assert imported_packages("def f():\n    import tensorflow.lite as t\n    from keras.layers import Dense") == {
        "tensorflow",
        "keras",
    }


@pytest.mark.parametrize("module", ["models.train"])
def test_training_needs_neither_charts_nor_tables_nor_tensorflow(module):
    # Machines that are lent to train on have only what training needs.
    reached = reached_packages(module)
    assert {"keras", "numpy", "cv2"} <= reached
    assert not reached & {"plotly", "pandas", "tensorflow", "streamlit"}


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.name)
def test_a_page_stays_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120
