"""Shared fixtures: the research data where it is at hand."""

import os
import shutil
import tarfile
from pathlib import Path

# libsrtp crashes the process when it is first loaded after TensorFlow, which the training tests load.
import pylibsrtp  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA_SETS = ("fer2013", "UTKFace", "faces")
PUBLISHED_SPLIT = "utkface_published_split"
ARCHIVES = Path(os.environ.get("FACET_DATA_ARCHIVES", ROOT.parent / "shared" / "data"))


def pytest_configure(config):
    config.addinivalue_line("markers", "data: needs the data sets, unpacked or as archives")


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Folder with the ``DATA_SETS``: the user's own, or unpacked for this run from the archives."""
    own = Path(os.environ.get("FACET_DATA", ROOT / "data"))
    if all((own / name).is_dir() for name in DATA_SETS):
        return own
    archives = [ARCHIVES / f"{name}.tar.xz" for name in DATA_SETS]
    if not all(archive.is_file() for archive in archives):
        pytest.skip(f"{own} lacks one of {', '.join(DATA_SETS)}, and no archives of them")
    folder = tmp_path_factory.mktemp("data")
    for archive in archives:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    if (ARCHIVES / PUBLISHED_SPLIT).is_dir():
        shutil.copytree(ARCHIVES / PUBLISHED_SPLIT, folder / PUBLISHED_SPLIT)
    return folder
