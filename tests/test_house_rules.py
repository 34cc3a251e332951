"""Rules about the tree: layers, sizes, declared imports, true paths."""

import ast
import re
import subprocess
import sys
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "core": {"streamlit", "streamlit_webrtc", "tensorflow", "keras", "models", "pages"},
    "pages": {"tensorflow", "keras", "models", "ai_edge_litert", "cv2", "sklearn"},
    "models": {"streamlit", "streamlit_webrtc", "pages"},
}
PRODUCTION = [ROOT / "Home.py", *(path for layer in FORBIDDEN for path in sorted((ROOT / layer).rglob("*.py")))]
APP = [path for path in PRODUCTION if ROOT / "models" not in path.parents]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN = {"core", "models", "pages", "tests"}
USED_WITHOUT_IMPORT = {"ruff", "mypy", "pandas-stubs", "pytest-xdist", "uv", "oidc-provider-mock"}


def layer_of(path: Path) -> str:
    return "pages" if path.name == "Home.py" else path.relative_to(ROOT).parts[0]


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


def required(file: str) -> set[str]:
    """Names of the distributions that a requirements file declares."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {re.split(r"[<>=;# \[]", line)[0].lower() for line in lines if line and line[0] not in "#-"}


def distributions_of(files: list[Path]) -> dict[str, set[str]]:
    """Third-party top-level import of ``files`` -> distributions that provide it."""
    provided = packages_distributions()
    imports = set().union(*(imported_packages(file.read_text(encoding="utf-8")) for file in files))
    optional = required("requirements-training.txt") | required("requirements-batch.txt")
    third_party = imports - OWN - set(sys.stdlib_module_names) - optional
    return {name: {distribution.lower() for distribution in provided.get(name, [])} for name in third_party}


@pytest.mark.parametrize("path", PRODUCTION, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_layers(path):
    assert not imported_packages(path.read_text(encoding="utf-8")) & FORBIDDEN[layer_of(path)]


def test_nested_imports_are_seen():
    nested = "def f():\n    import tensorflow.lite as t\n    from keras.layers import Dense"
    assert imported_packages(nested) == {"tensorflow", "keras"}


def test_training_needs_no_charts_tables_or_tensorflow():
    # It also runs on PyTorch or JAX, on machines that have nothing else.
    reached = reached_packages("models.train")
    assert {"keras", "numpy", "cv2"} <= reached
    assert not reached & {"plotly", "pandas", "tensorflow", "streamlit"}


@pytest.mark.parametrize(
    ("requirements", "shared", "files"),
    [
        ("requirements.txt", set(), PRODUCTION),
        ("requirements-serving.txt", set(), APP),
        ("requirements-dev.txt", required("requirements.txt"), TESTS),
    ],
    ids=["production", "serving", "tests"],
)
def test_requirements_are_what_is_imported(requirements, shared, files):
    declared, imported = required(requirements), distributions_of(files)
    assert not {name for name, providers in imported.items() if not providers & (declared | shared)}, "undeclared"
    assert not declared - set().union(*imported.values()) - USED_WITHOUT_IMPORT, "unused"


def test_serving_needs_a_part_of_the_requirements():
    assert required("requirements-serving.txt") < required("requirements.txt")


def test_every_requirement_is_pinned():
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    names = set().union(*(required(f"requirements{part}.txt") for part in ("", "-login", "-batch", "-dev")))
    assert not names - pinned
    lines = [
        line for part in ("training", "peers") for line in (ROOT / f"requirements-{part}.txt").read_text().splitlines()
    ]
    assert all("==" in line for line in lines if line and not line.startswith("#"))


def test_only_some_trainings_need_pytorch():
    users = {path.stem for path in PRODUCTION if "torch" in imported_packages(path.read_text(encoding="utf-8"))}
    assert users == {"network", "train", "hard_negatives", "losses", "torch_residual", "torch_session", "torch_trainer"}


@pytest.mark.parametrize("path", PRODUCTION, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_pages_are_short(path):
    is_page = path.name == "Home.py" or path.parent == ROOT / "pages"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= (120 if is_page else 300)


def test_a_folder_has_at_most_20_modules():
    modules = Counter(path.parent for path in [*PRODUCTION, *TESTS] if path.name != "__init__.py")
    assert not {str(folder.relative_to(ROOT)): count for folder, count in modules.items() if count > 20}


def test_the_readme_fits_one_screen():
    assert (ROOT / "README.md").stat().st_size <= 7 * 1024


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_documents_exist(path):
    text = path.read_text(encoding="utf-8")
    links = {path.parent / link for link in re.findall(r"\]\(((?!http)[^)#]+)\)", text)}
    named = {ROOT / name for name in re.findall(r"`((?:core|models|pages|tests|docs)/[\w/.]+)`", text)}
    # Git ignores these two folders: users put files of their own there.
    own_files = {ROOT / "models/external", ROOT / "models/caffe"}
    missing = {link for link in (links | named) - own_files if not link.exists()}
    assert not {str(link) for link in missing if link.resolve() not in own_files}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(path):
    modules = set(re.findall(r"python -m ((?:core|models)[\w.]*)", path.read_text(encoding="utf-8")))
    files = [(ROOT / name.replace(".", "/")) for name in modules]
    assert not [
        str(file) for file in files if not (file.with_suffix(".py").is_file() or (file / "__main__.py").is_file())
    ]


def test_no_data_set_image_is_tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    images = {name for name in listed if name.lower().endswith((".png", ".jpg", ".jpeg", ".webp", ".mp4", ".mkv"))}
    portraits = {f"pages/shared/samples/{name}.jpg" for name in ("astronaut", "grace_hopper")}  # public domain
    assert images == portraits | {f"docs/screenshots/{name}.png" for name in ("live", "image", "evaluation")}
