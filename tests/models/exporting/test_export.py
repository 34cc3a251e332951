"""From a run to a served artifact and back through the command lines, with a tiny network on made-up faces."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import warnings
from contextlib import contextmanager
from dataclasses import replace

import keras
import numpy as np
import pytest

from core.artifacts.model_card import KERAS_FILE, SERVED_FILE, load_card
from core.attributes.estimator import LiteRTEstimator, LiteRTModel
from core.attributes.postprocessing import apply_temperature
from core.datasets.splits import load_fer2013
from core.evaluation.predictions import load_predictions
from core.types import Box, Detection, Landmarks
from models import evaluate, train
from models.export import export
from models.exporting.quantization import quantize_dynamic, to_float32
from models.measuring import alignment
from models.training.recipes import CONFIGS

CONFIG = replace(
    CONFIGS["emotion"],
    name="tiny",
    start_from=None,
    annotators_share=0.0,
    architecture_arguments={"stages": ((8, 2), (8, 2), (16, 2))},
    epochs=1,
    stop_after=None,
    batch_size=16,
    precision="float32",
)


POINTS = Landmarks((110.0, 120.0), (176.0, 120.0), (144.0, 155.0), (120.0, 190.0), (170.0, 190.0))


class CenteredFace:
    """A detector that always finds one face in the middle of a padded image, but for the ``missed``-th."""

    def __init__(self, landmarks=None, missed=None):
        self._face = Detection(Box(64, 64, 224, 224), 0.9, landmarks)
        self._missed = missed
        self._calls = -1

    def detect(self, frame):
        self._calls += 1
        return () if self._calls == self._missed else (self._face,)


@contextmanager
def _no_noise():
    """The converters warn about their own parts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made_up")
    rng = np.random.default_rng(0)
    rows = ["emotion,pixels,Usage"]
    for number in range(60):
        usage = "Training" if number < 32 else "PublicTest" if number < 46 else "PrivateTest"
        pixels = rng.integers(0, 256, 48 * 48)
        rows.append(f"{number % 7},{' '.join(map(str, pixels))},{usage}")
    (folder / "fer2013.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def artifact(data_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("exported")
    data = load_fer2013(data_folder)
    train.train_and_evaluate(CONFIG, data, root / "runs" / "tiny", verbose=0)
    with _no_noise():
        return export(CONFIG, data_folder, root / "runs" / "tiny", root / "artifacts" / "tiny")


def test_the_card_knows_the_images_that_the_run_never_saw(artifact, data_folder):
    assert load_card(artifact).data["fingerprints"] == load_fer2013(data_folder).fingerprints()


def test_all_forms_answer_alike(artifact, data_folder, tmp_path):
    crops = load_fer2013(data_folder).splits["private"].images
    model = keras.saving.load_model(artifact / KERAS_FILE)
    expected = np.asarray(model(crops.astype(np.float32), training=False)["emotion"])
    float32_file = tmp_path / "float32.tflite"
    float32_file.write_bytes(to_float32(model))
    assert LiteRTModel(float32_file.read_bytes()).predict(crops)["emotion"] == pytest.approx(expected, abs=1e-4)
    with _no_noise():
        quantize_dynamic(float32_file, tmp_path / "int8.tflite")
    int8 = LiteRTModel((tmp_path / "int8.tflite").read_bytes())
    assert int8.predict(crops)["emotion"] == pytest.approx(expected, abs=0.1)
    assert (tmp_path / "int8.tflite").stat().st_size < float32_file.stat().st_size


def test_the_artifact_is_complete_and_served(artifact, data_folder):
    card = load_card(artifact)
    assert set(card.files) == {SERVED_FILE, KERAS_FILE, "predictions.npz", "history.csv"}
    assert card.raw["exports"]["served"] in ("int8", "float32")
    splits = load_predictions(artifact / "predictions.npz")
    assert {split: len(one) for split, one in splits.items()} == {"public": 14, "private": 14}
    crops = load_fer2013(data_folder).splits["private"].images
    again = apply_temperature(LiteRTEstimator(artifact).predict(crops)["emotion"], card.temperature["emotion"])
    assert again == pytest.approx(splits["private"].probabilities, abs=1e-5)


def test_weights_are_what_16_bits_hold_and_the_keras_file_gives_the_same_answers(artifact, data_folder):
    model = keras.saving.load_model(artifact / KERAS_FILE, compile=False)
    for weight in model.get_weights():
        assert np.array_equal(weight, weight.astype(np.float16).astype(weight.dtype))
    crops = load_fer2013(data_folder).splits["private"].images
    served = LiteRTModel(to_float32(model, stored_bits=16)).predict(crops)["emotion"]
    assert np.asarray(model(crops.astype(np.float32), training=False)["emotion"]) == pytest.approx(served, abs=2e-3)


def test_storing_in_16_bits_halves_the_file(artifact):
    model = keras.saving.load_model(artifact / KERAS_FILE, compile=False)
    assert len(to_float32(model, stored_bits=16)) < len(to_float32(model))


def test_batch_sizes_do_not_change_the_answers(artifact, data_folder):
    crops = load_fer2013(data_folder).splits["private"].images
    estimator = LiteRTEstimator(artifact)
    together = estimator.predict(crops)["emotion"]
    alone = np.concatenate([estimator.predict(crops[row : row + 1])["emotion"] for row in range(len(crops))])
    assert together == pytest.approx(alone, abs=1e-5)
    assert estimator.predict(crops[:0])["emotion"].shape == (0, 7)


@pytest.mark.parametrize("bad", [np.zeros((1, 40, 40, 1), np.uint8), np.zeros((1, 48, 48, 1), np.float32)])
def test_other_crops_are_refused(artifact, bad):
    with pytest.raises(ValueError, match="crops must be"):
        LiteRTEstimator(artifact).predict(bad)


def test_evaluate_prints_every_figure_as_json(artifact, data_folder, capsys, monkeypatch):
    monkeypatch.setenv("FACET_ARTIFACTS", str(artifact.parent))
    assert evaluate.main(["tiny", "--data", str(data_folder), "--split", "public", "--json", "--store"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["split"], figures["n"], figures["dataset"]) == ("public", 14, "fer2013")
    assert {"accuracy", "accuracy_low", "accuracy_high", "macro_f1", "fingerprint"} <= set(figures)


def test_images_of_a_split_that_were_learnt_from_are_counted(artifact, data_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FACET_ARTIFACTS", str(artifact.parent))
    splits = load_fer2013(data_folder).splits
    names = [*splits["train"].ids[:3], *splits["private"].ids[:5]]
    file = tmp_path / "split.csv"
    file.write_text("\n".join(["file", *names]) + "\n")
    assert evaluate.main(["tiny", "--data", str(data_folder), "--split-file", str(file), "--json"]) == 0
    printed = capsys.readouterr()
    figures = json.loads(printed.out)
    assert (figures["n"], figures["images_learnt_from"]) == (8, 3)
    assert "was trained on 3 of these images" in printed.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent", "--data", "."], "installed are tiny"),
        (["tiny", "--data", "/nowhere"], "expected DIR/fer2013"),
        (["tiny", "--data", "DATA", "--split", "test"], "choose one of train, public, private"),
    ],
    ids=["artifact", "data", "split"],
)
def test_what_evaluate_cannot_do_is_one_line(artifact, data_folder, capsys, monkeypatch, arguments, words):
    monkeypatch.setenv("FACET_ARTIFACTS", str(artifact.parent))
    arguments = [str(data_folder) if argument == "DATA" else argument for argument in arguments]
    assert evaluate.main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_alignment_measures_what_the_detector_finds(artifact, data_folder):
    private = load_fer2013(data_folder).splits["private"]
    rows, images = alignment.detect_padded(private, CenteredFace(missed=3))
    assert rows.tolist() == [row for row in range(len(private)) if row != 3]
    found = private.take(rows)
    metrics = alignment.measure_aligned(LiteRTEstimator(artifact), found, images, alignment.AlignmentSpec(1.0))
    assert metrics["n"] == len(private) - 1


def test_alignment_uses_landmarks_where_there_are_any(artifact, data_folder):
    estimator, private = LiteRTEstimator(artifact), load_fer2013(data_folder).splits["private"]
    _, images = alignment.detect_padded(private, CenteredFace(POINTS))
    # 48 of the 288 pixels are padding on each side.
    expected = (np.array(POINTS.points) - 48) / 192
    expected[:, 0] = (expected[:, 0] + (1 - expected[[1, 0, 2, 4, 3], 0])) / 2
    assert alignment.mean_landmarks(images) == pytest.approx(expected)
    spec = alignment.choose_alignment(estimator, private, images, alignment.AlignmentSpec(1.3, 0.1))
    assert (spec.scale, spec.shift_y) == (1.3, 0.1)
    assert spec.points is not None
    rotated = alignment.measure_rotated(estimator, private, CenteredFace(POINTS), spec)
    assert list(rotated) == ["0", "15", "30", "45"]
    assert rotated["0"]["aligned"]["n"] == rotated["0"]["upright"]["n"] == rotated["0"]["found"] == len(private)


def test_alignment_without_landmarks_searches_scale_and_shift(artifact, data_folder):
    private = load_fer2013(data_folder).splits["private"]
    _, images = alignment.detect_padded(private, CenteredFace())
    start = alignment.AlignmentSpec(points=POINTS.points)
    spec = alignment.choose_alignment(LiteRTEstimator(artifact), private, images, start)
    assert spec.points == POINTS.points
    assert spec.scale in alignment.SCALES
    assert spec.shift_y in alignment.SHIFTS_Y
