"""From a run to a served artifact and back through the command lines."""

import json
import shutil
import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest

from core.artifacts.model_card import KERAS_FILE, SERVED_FILE, is_served, load_card
from core.attributes.estimator import LiteRTEstimator, LiteRTModel
from core.attributes.postprocessing import apply_temperature
from core.datasets.splits import load_fer2013
from core.evaluation.predictions import load_predictions
from models import evaluate, export, registry
from models.exporting import model_card as cards
from models.exporting.keras_json import read_json_h5
from models.exporting.quantization import quantize_dynamic, round_to_float16, to_float32
from models.training import tasks
from models.training.baseline_recipes import BASELINE_CONFIGS
from tests.fakes.evaluation import age_gender_predictions, write_artifact
from tests.fakes.training import made_up_data

SMALL = {"input_size": 35, "filters": (8, 8, 8), "dense": 16}
BASELINE = replace(BASELINE_CONFIGS["levi_hassner"], architecture_arguments=SMALL, image_size=35, source_size=40)
STALE = ("several_views.npz", "speed.json")


@pytest.fixture(scope="module")
def faces(fer2013_dir):
    """(14, 48, 48, 1) images of the test split."""
    return load_fer2013(fer2013_dir).splits["private"].images


def refuse(float32_file, int8_file):
    raise KeyError("an operation that nobody knows")


@pytest.fixture(scope="module")
def made_up_faces():
    """Made-up faces in place of UTKFace."""
    data = made_up_data("age_gender", count=12, side=40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tasks.LOADERS, "utkface", lambda data_dir, image_size: data)
        yield


@pytest.fixture(scope="module")
def baseline(made_up_faces, tmp_path_factory):
    """The artifact of a baseline with two outputs, from an old kind of run, which cannot be quantised."""
    root = tmp_path_factory.mktemp("baseline")
    run, folder = root / "runs" / BASELINE.name, root / "artifacts" / BASELINE.name
    run.mkdir(parents=True)
    folder.mkdir(parents=True)
    keras.utils.set_random_seed(3)
    registry.build(BASELINE.architecture, **SMALL).save_weights(run / "best.weights.h5")
    (run / "history.csv").write_text("epoch,elapsed_s,loss\n1,2.0,3\n2,4.0,2\n")
    (run / "state.json").write_text(json.dumps({"epoch": 2, "best": {"epoch": 2}}))
    (run / "run.json").write_text(json.dumps({"config": {"name": BASELINE.name}, "backend": "torch"}))
    for name in STALE:
        (folder / name).write_text("of the network that was there before")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(export, "quantize_dynamic", refuse)
        return export.export(BASELINE, root, run, folder)


def test_artifact_is_complete_and_gives_its_stored_predictions(emotion_artifact, fer2013_dir, faces):
    card = load_card(emotion_artifact)
    assert card.data["fingerprints"] == load_fer2013(fer2013_dir).fingerprints()
    assert set(card.files) == {SERVED_FILE, KERAS_FILE, "predictions.npz", "history.csv"}
    assert card.raw["exports"]["served"] in ("int8", "float32")
    assert card.raw["exports"]["int8"]["bytes"] > 0
    splits = load_predictions(emotion_artifact / "predictions.npz")
    assert {split: len(predictions) for split, predictions in splits.items()} == {"public": 14, "private": 14}
    again = apply_temperature(LiteRTEstimator(emotion_artifact).predict(faces)["emotion"], card.temperature["emotion"])
    assert again == pytest.approx(splits["private"].probabilities["emotion"], abs=1e-5)


def test_all_formats_predict_alike_from_16_bit_weights(emotion_artifact, faces, tmp_path):
    model = keras.saving.load_model(emotion_artifact / KERAS_FILE, compile=False)
    for weight in model.get_weights():
        assert np.array_equal(weight, weight.astype(np.float16).astype(weight.dtype))
    expected = np.asarray(model(faces.astype(np.float32), training=False)["emotion"])
    float32 = tmp_path / "float32.tflite"
    float32.write_bytes(to_float32(model))
    assert LiteRTModel(float32.read_bytes()).predict(faces)["emotion"] == pytest.approx(expected, abs=1e-4)
    float16 = to_float32(model, stored_bits=16)
    assert LiteRTModel(float16).predict(faces)["emotion"] == pytest.approx(expected, abs=2e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantize_dynamic(float32, tmp_path / "int8.tflite")
    int8 = (tmp_path / "int8.tflite").read_bytes()
    assert LiteRTModel(int8).predict(faces)["emotion"] == pytest.approx(expected, abs=0.1)
    assert max(len(int8), len(float16)) < float32.stat().st_size


def test_weights_beyond_16_bits_are_not_rounded():
    weights = [np.float32([1.00001, 7e4]), np.float32([1.00001]), np.empty(0, np.float32)]
    rounded = round_to_float16(weights)
    assert np.array_equal(rounded[0], weights[0])
    assert rounded[1].tolist() == [1.0]
    assert len(rounded[2]) == 0


def test_batch_sizes_do_not_change_the_outputs(emotion_artifact, faces):
    estimator = LiteRTEstimator(emotion_artifact)
    together = estimator.predict(faces)["emotion"]
    alone = np.concatenate([estimator.predict(faces[row : row + 1])["emotion"] for row in range(len(faces))])
    assert together == pytest.approx(alone, abs=1e-5)
    assert estimator.predict(faces[:0])["emotion"].shape == (0, 7)
    for bad in (np.zeros((1, 40, 40, 1), np.uint8), faces.astype(np.float32)):
        with pytest.raises(ValueError, match="crops must be"):
            estimator.predict(bad)


def test_the_artifact_of_a_baseline(baseline):
    card = load_card(baseline)
    assert set(load_predictions(baseline / "predictions.npz")) == {"validation", "test"}
    for output in ("age_group_accuracy", "gender_accuracy"):
        assert {output, f"{output}_low", f"{output}_high"} <= set(card.metrics["test"])
    assert card.raw["trainable_parameters"] + card.raw["frozen_parameters"] == card.parameters
    assert (card.epochs_run, card.recipe_epochs) == (2, BASELINE.epochs)
    assert is_served(baseline, card)
    assert not [name for name in STALE if (baseline / name).exists()]
    assert card.raw["exports"]["served"] == "float32"
    assert card.raw["exports"]["int8"] == {"failed": "KeyError: 'an operation that nobody knows'"}


def test_a_baseline_is_evaluated_like_the_others(baseline, monkeypatch, capsys):
    monkeypatch.setenv("FACET_ARTIFACTS", str(baseline.parent))
    assert evaluate.main([baseline.name, "--data", "made-up", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["split"] == "test"
    stored = load_card(baseline).metrics["test"]
    assert {name: printed[name] for name in stored} == pytest.approx(stored)


def test_excluded_files_are_explained_where_missing(baseline, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cards, "MAX_COMMITTED_BYTES", 1000)
    folder, name = tmp_path / baseline.name, baseline.name
    shutil.copytree(baseline, folder)
    cards.write_card(folder, cards.read_card(folder))
    card = load_card(folder)
    assert set(card.excluded_files) == {SERVED_FILE, KERAS_FILE}
    assert is_served(folder, card)
    for file_name in card.excluded_files:
        (folder / file_name).unlink()
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert evaluate.main([name, "--data", "made-up"]) == 2
    error = capsys.readouterr().err
    assert f"python -m models.train {name} --data data" in error
    assert f"python -m models export {name} --data data" in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "is_close"),
    [
        ({}, True),
        ({"bytes": 11}, False),
        ({"age_group_accuracy": 0.59}, False),
        ({"gender_accuracy": 0.85}, False),
        ({"age_mae": 6.1}, False),
        ({"age_group_accuracy": 0.61, "age_mae": 5.9}, True),
    ],
    ids=["alike", "larger", "worse groups", "worse gender", "worse years", "a little better"],
)
def test_int8_is_served_only_without_loss(changes, is_close):
    float32 = {"bytes": 10, "age_group_accuracy": 0.6, "gender_accuracy": 0.9, "age_mae": 6.0}
    assert export._is_close(float32, float32 | {"bytes": 9} | changes) is is_close
    assert not export._is_close(float32, {"failed": "x"})


def run_json_h5(name, root, output):
    places = ["--runs", str(root / "runs"), "--artifacts", str(root / "artifacts"), "--output", str(output)]
    return export.main([name, "--format", "json-h5", *places])


@pytest.mark.parametrize("source", ["artifacts", "runs"])
def test_json_and_h5_predict_like_the_network(baseline, tmp_path, monkeypatch, capsys, source):
    name, root = baseline.name, baseline.parents[1]
    if source == "runs":
        shutil.copytree(root / "runs", tmp_path / "runs")
        monkeypatch.setitem(export.load_trained_model.__globals__["CONFIGS"], name, BASELINE)
        root = tmp_path
    assert run_json_h5(name, root, tmp_path) == 0
    written = json.loads(capsys.readouterr().out)
    files = tmp_path / f"{name}.json", tmp_path / f"{name}.weights.h5"
    assert written == {"architecture": str(files[0]), "weights": str(files[1])}
    expected, found = keras.saving.load_model(baseline / KERAS_FILE, compile=False), read_json_h5(*files)
    images = np.random.default_rng(0).uniform(0, 255, (3, 35, 35, 3)).astype(np.float32)
    for output, values in expected(images, training=False).items():
        # The artifact's weights are rounded to 16 bits, those of the run are not.
        assert np.asarray(found(images, training=False)[output]) == pytest.approx(np.asarray(values), abs=2e-3)


def test_texts_of_a_card_are_renewed(emotion_artifact, tmp_path, monkeypatch):
    shutil.copytree(emotion_artifact, tmp_path / "tiny")
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    card = cards.read_card(tmp_path / "tiny")
    cards.write_card(tmp_path / "tiny", card | {"limits": "none"})
    assert export.main(["tiny", "--format", "texts"]) == 0
    assert cards.read_card(tmp_path / "tiny") == card


def test_export_names_what_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        export.main(["ssr_net_age"])
    assert "--data is needed" in capsys.readouterr().err
    assert run_json_h5("ssr_net_age", tmp_path, tmp_path) == 2
    assert "card.json is missing" in capsys.readouterr().err


@pytest.fixture
def installed(emotion_artifact, monkeypatch):
    """Make the artifact ``tiny`` known by its name."""
    monkeypatch.setenv("FACET_ARTIFACTS", str(emotion_artifact.parent))


def test_evaluate_prints_metrics_and_counts_training_images(installed, fer2013_dir, tmp_path, capsys):
    arguments = ["tiny", "--data", str(fer2013_dir), "--json"]
    assert evaluate.main([*arguments, "--split", "public"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["split"], metrics["n"], metrics["dataset"]) == ("public", 14, "fer2013")
    assert {"accuracy", "accuracy_low", "accuracy_high", "macro_f1", "fingerprint"} <= set(metrics)
    assert (metrics["left_out"], metrics["notes"], metrics["images_learnt_from"]) == (0, [], 0)
    splits = load_fer2013(fer2013_dir).splits
    file = tmp_path / "split.csv"
    file.write_text("\n".join(["file", *splits["train"].ids[:3], *splits["private"].ids[:5]]) + "\n")
    assert evaluate.main([*arguments, "--split-file", str(file)]) == 0
    printed = capsys.readouterr()
    metrics = json.loads(printed.out)
    assert (metrics["n"], metrics["images_learnt_from"]) == (8, 3)
    assert "was trained on 3 of these images" in printed.err


def test_images_that_a_partial_copy_moves_to_the_test_split_are_learnt_from(tmp_path):
    stored = age_gender_predictions(count=6)
    folder = write_artifact(tmp_path, "age_gender", "age_gender", {"test": stored.take(np.arange(4))})
    data = made_up_data("age_gender")
    assert set(evaluate.held_out_ids(folder, load_card(folder), data)) == set(stored.ids[:4])
    (folder / "predictions.npz").unlink()
    expected = {*data.splits["validation"].ids, *data.splits["test"].ids}
    assert set(evaluate.held_out_ids(folder, load_card(folder), data)) == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent", "--data", "."], "installed are tiny"),
        (["tiny", "--data", "/nowhere"], "expected DIR/fer2013"),
        (["tiny", "--data", "DATA", "--split", "test"], "choose one of train, public, private"),
    ],
    ids=["artifact", "data", "split"],
)
def test_an_error_of_evaluate_is_one_line(installed, fer2013_dir, capsys, arguments, words):
    arguments = [str(fer2013_dir) if argument == "DATA" else argument for argument in arguments]
    assert evaluate.main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert [line for line in error.splitlines() if not line.startswith("warning: ")] == [error.splitlines()[-1]]
