"""A tiny network on made-up faces, trained and exported once for all tests that need an artifact.

TensorFlow is imported only when a fixture that needs it is used.
"""

import os
import warnings
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import pytest

from tests.fakes.evaluation import write_fer2013_csv


@pytest.fixture(scope="session")
def fer2013_dir(tmp_path_factory):
    """A folder with ``fer2013.csv``: 32 images for training, 14 for validation, 14 for testing."""
    return write_fer2013_csv(tmp_path_factory.mktemp("fer2013"), training=32, public=14, private=14)


@pytest.fixture(scope="session")
def emotion_artifact(fer2013_dir, tmp_path_factory):
    """The folder of an artifact ``tiny``, alone among its siblings. Not to be changed."""
    from core.datasets.splits import load_fer2013
    from models.export import export
    from models.train import train_and_evaluate
    from models.training.recipes import CONFIGS

    config = replace(
        CONFIGS["emotion_third"],
        name="tiny",
        start_from=None,
        annotators_share=0.0,
        architecture_arguments={"stages": ((8, 2), (16, 2))},
        epochs=1,
        stop_after=None,
        batch_size=16,
        precision="float32",
    )
    root = tmp_path_factory.mktemp("exported")
    run_folder = root / "runs" / "tiny"
    train_and_evaluate(config, load_fer2013(fer2013_dir), run_folder, verbose=0, run_eagerly=True)
    with warnings.catch_warnings():
        # The converters warn about their own parts.
        warnings.simplefilter("ignore")
        return export(config, fer2013_dir, run_folder, root / "artifacts" / "tiny")
