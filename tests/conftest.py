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
UNPACKED = ROOT / "test-output" / "data"


def pytest_configure(config):
    config.addinivalue_line("markers", "data: needs the data sets, unpacked or as archives")


@pytest.fixture(scope="session")
def data_dir():
    """Folder with the ``DATA_SETS``: the user's own, or unpacked from the archives, once for all runs."""
    own = Path(os.environ.get("FACET_DATA", ROOT / "data"))
    if all((own / name).is_dir() for name in DATA_SETS):
        return own
    archives = {name: ARCHIVES / f"{name}.tar.xz" for name in DATA_SETS}
    if not all(archive.is_file() for archive in archives.values()):
        pytest.skip(f"{own} lacks one of {', '.join(DATA_SETS)}, and no archives of them")
    for name, archive in archives.items():
        if not (UNPACKED / name).is_dir():
            unpack(archive, name)
    if (ARCHIVES / PUBLISHED_SPLIT).is_dir():
        shutil.copytree(ARCHIVES / PUBLISHED_SPLIT, UNPACKED / PUBLISHED_SPLIT, dirs_exist_ok=True)
    return UNPACKED


def unpack(archive, name):
    """Unpack folder ``name``, which appears complete or not at all, also if another process does the same."""
    beside = UNPACKED / f"{name}-{os.getpid()}"
    with tarfile.open(archive) as tar:
        tar.extractall(beside, filter="data")
    try:
        (beside / name).rename(UNPACKED / name)
    except OSError:  # another process was faster
        if not (UNPACKED / name).is_dir():
            raise
    shutil.rmtree(beside)
