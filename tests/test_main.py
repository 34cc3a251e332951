"""The command line with the installed artifacts and a public-domain photograph."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from core.__main__ import main
from core.detection import DETECTORS
from core.detection.yunet import YuNetDetector
from core.types import Box
from tests.fakes.caffe import write_pair
from tests.fakes.core import FakeDetector
from tests.fakes.networks import add_artifact, installed_copy


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory):
    file = tmp_path_factory.mktemp("images") / "astronaut.png"
    Image.fromarray(skimage.data.astronaut()).save(file)
    return file


def analyzed(capsys, *arguments):
    status = main(["analyze", *map(str, arguments)])
    return status, capsys.readouterr().out


def test_json_keys(capsys, astronaut):
    status, out = analyzed(capsys, astronaut, "--json")
    (result,) = json.loads(out)
    assert status == 0
    assert set(result) == {"file", "width", "height", "rotation", "views", "faces", "elapsed_ms", "networks"}
    assert result["networks"] == {"emotion": "emotion", "age": "age_gender", "gender": "age_gender"}
    assert (result["file"], result["width"], result["height"]) == (str(astronaut), 512, 512)
    face = max(result["faces"], key=lambda face: face["score"])
    assert set(face) == {"box", "score", "emotion", "age", "gender"}
    assert set(face["emotion"]["probabilities"]) == {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"}
    assert face["emotion"]["label"] == "happy"
    assert face["gender"]["label"] == "female"
    assert face["age"]["low"] <= face["age"]["years"] <= face["age"]["high"]
    assert 20 <= face["age"]["years"] <= 55
    x1, y1, x2, y2 = face["box"]
    assert x1 < 224 < x2
    assert y1 < 117 < y2


def test_predictions_below_the_threshold_are_uncertain(capsys, astronaut):
    minimums = ("--min-emotion", "1", "--min-gender", "1")
    _, out = analyzed(capsys, astronaut, *minimums, "--json")
    for face in json.loads(out)[0]["faces"]:
        for answer in (face["emotion"], face["gender"]):
            best = sorted(answer["probabilities"], key=answer["probabilities"].get, reverse=True)
            assert (answer["uncertain"], answer["guesses"], answer["label"]) == (True, best[:2], best[0])
    _, out = analyzed(capsys, astronaut, *minimums)
    assert re.search(r": emotion uncertain: happy \d+% / \w+ \d+%, age ", out)
    assert re.search(r"perceived gender uncertain: female \d+% / male \d+%", out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analyze", "image.png", "--min-emotion", "50"), "min_emotion_confidence must be in [0, 1], got 50.0"),
        (("analyze", "image.png", "--min-gender", "50"), "min_gender_confidence must be in [0, 1], got 50.0"),
        (("analyze", "image.png", "--sensitivity", "3"), "detector sensitivity must be in [0, 1], got 3.0"),
        (("benchmark", "--repeats", "0"), "repeats must be at least 1, got 0"),
    ],
    ids=["emotion", "gender", "sensitivity", "repeats"],
)
def test_invalid_values_are_one_line_and_status_2(capsys, arguments, message):
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_default_thresholds_call_a_good_portrait_certain(capsys, astronaut):
    status, out = analyzed(capsys, astronaut)
    assert status == 0
    assert re.search(r": happy \d+%, age \d+ \(\d+-\d+\), perceived gender female \d+%", out)


def test_unreadable_files_are_reported(capsys, astronaut, tmp_path):
    broken = tmp_path / "page.jpg"
    broken.write_text("<html></html>")
    status, out = analyzed(capsys, broken, tmp_path / "absent.png", astronaut, "--json")
    results = json.loads(out)
    assert status == 1
    assert [set(result) == {"file", "error"} for result in results] == [True, True, False]
    assert "cannot be read as an image" in results[0]["error"]


def test_broken_artifact_is_one_line_and_status_2(capsys, astronaut, tmp_path, monkeypatch):
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert main(["analyze", str(astronaut)]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert str(Path("face_detector") / "card.json") in error
    assert "Restore it with" in error


def test_detector_is_chosen(capsys, astronaut, monkeypatch):
    monkeypatch.setitem(DETECTORS, "found", lambda settings: FakeDetector(Box(174, 67, 274, 167), score=0.75))
    status, out = analyzed(capsys, astronaut, "--json", "--detector", "found")
    assert status == 0
    assert [face["score"] for face in json.loads(out)[0]["faces"]] == [0.75]


@pytest.mark.parametrize("command", [["analyze", "picture.png"], ["benchmark", "--repeats", "1"]], ids=lambda c: c[0])
def test_invalid_detector_is_one_line_and_status_2(capsys, monkeypatch, tmp_path, command):
    monkeypatch.setitem(DETECTORS, "yunet", YuNetDetector)
    monkeypatch.setenv("FACET_YUNET", str(tmp_path / "absent.onnx"))
    for name, message in (("eagle", "unknown detector 'eagle'"), ("yunet", "absent.onnx, which FACET_YUNET names, is")):
        assert main([*command, "--detector", name]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1
        assert message in error
    monkeypatch.setenv("FACET_DETECTOR", "owl")
    assert main(command) == 2
    assert "FACET_DETECTOR must be one of" in capsys.readouterr().err


@pytest.fixture
def baseline(tmp_path, monkeypatch):
    """Two more networks, one of which has no model file, and Caffe files for gender."""
    root = installed_copy(tmp_path / "artifacts")
    changes = {"recipe": "theirs", "temperature": {"gender": 4.0}, "several_views_calibration": None}
    add_artifact(root, "six_conv_gender", "age_gender", task="gender", **changes)
    add_artifact(root, "vgg16_age", "age_gender", served=False, recipe="theirs")
    write_pair(tmp_path / "caffe", "gender")
    monkeypatch.setenv("FACET_ARTIFACTS", str(root))
    monkeypatch.setenv("FACET_CAFFE_DIR", str(tmp_path / "caffe"))
    for name in ("EMOTION", "AGE", "GENDER"):
        monkeypatch.delenv(f"FACET_{name}_NETWORK", raising=False)


def test_networks_are_chosen(capsys, astronaut, baseline):
    _, out = analyzed(capsys, astronaut, "--json")
    ours = json.loads(out)[0]["faces"][0]
    status, out = analyzed(capsys, astronaut, "--json", "--gender-network", "six_conv_gender")
    (result,) = json.loads(out)
    assert status == 0
    assert result["networks"] == {"emotion": "emotion", "age": "age_gender", "gender": "six_conv_gender"}
    face = result["faces"][0]
    assert (face["emotion"], face["age"]) == (ours["emotion"], ours["age"])
    softer, plain = (found["gender"]["probabilities"]["female"] for found in (face, ours))
    assert 0.5 < softer < plain, "the same network behind a card that makes it less sure"


def test_caffe_network(capsys, astronaut, baseline):
    status, out = analyzed(capsys, astronaut, "--json", "--gender-network", "caffe")
    (result,) = json.loads(out)
    assert status == 0
    assert result["networks"]["gender"] == "caffe"
    assert len(result["faces"]) > 0
    assert all(sum(face["gender"]["probabilities"].values()) == pytest.approx(1) for face in result["faces"])


@pytest.mark.parametrize("command", [["analyze", "picture.png"], ["benchmark", "--repeats", "1"]], ids=lambda c: c[0])
@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        ("age", "../../emotion", "the age network must be one of age_gender, vgg16_age, caffe, got '../../emotion'"),
        ("emotion", "caffe", "the emotion network must be one of emotion, got 'caffe'"),
        ("gender", "vgg16_age", "python -m models.train vgg16_age --data data"),
    ],
    ids=["path", "not for emotion", "not included"],
)
def test_invalid_network_is_one_line_and_status_2(capsys, baseline, command, option, name, message):
    assert main([*command, f"--{option}-network", name]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert message in error


def test_benchmark_prints_stages_and_shares(capsys):
    assert main(["benchmark", "--json", "--repeats", "1"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert main(["benchmark", "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    assert all(text in out for text in ("median ms", "whole, 3 faces: detect", *stages))
    assert "emotion by emotion, age by age_gender, gender by age_gender" in out


def test_file_names_the_terminal_cannot_print(astronaut, tmp_path):
    odd = os.fsencode(tmp_path) + b"/a\xff.png"
    shutil.copyfile(astronaut, odd)
    command = [sys.executable, "-m", "core", "analyze", odd, str(tmp_path / "absent.png")]
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
    assert done.returncode == 1
    assert rb"a\udcff.png: " in done.stdout
    assert b"absent.png: error" in done.stdout
