"""The user's own Caffe files, read and run by the real ``cv2.dnn``."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.analyzer import FaceAnalyzer
from core.attributes.caffe import FOLDER, PAIRS, SIDE_PX, CaffeEstimator, caffe_folder
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.types import Box
from tests.fakes.caffe import expected_answers, weights_of, write_pair
from tests.fakes.core import FakeDetector

BOTH = pytest.mark.parametrize("attribute", PAIRS)


@pytest.fixture
def folder(tmp_path):
    for attribute in PAIRS:
        write_pair(tmp_path, attribute)
    return tmp_path


def crops(count, seed=0):
    colours = np.random.default_rng(seed).integers(0, 256, (count, 1, 1, 3), dtype=np.uint8)
    noise = np.random.default_rng(seed).integers(0, 32, (count, SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    return np.minimum(colours, 223) + noise


@BOTH
@pytest.mark.parametrize("count", [0, 1, 17])
def test_answers_are_for_bgr_minus_the_mean(folder, attribute, count):
    pair, seen = PAIRS[attribute], crops(count)
    before = seen.copy()
    (answers,) = CaffeEstimator(attribute, folder).predict(seen).values()
    assert answers.dtype == np.float32
    assert answers.shape == (count, pair.classes)
    assert answers == pytest.approx(expected_answers(seen, pair.classes), abs=1e-3)
    assert np.array_equal(seen, before)


@BOTH
def test_the_card_says_how_crops_are_made(tmp_path, attribute):
    write_pair(tmp_path, attribute)
    card = CaffeEstimator(attribute, tmp_path).card
    assert (card.name, card.task, card.attributes) == (f"caffe_{attribute}", attribute, (attribute,))
    assert (card.input_size, card.channels, card.crop.points) == (227, 3, None)
    assert card.crop.scale > 1, "the demonstrations leave a margin"
    assert card.parameters == weights_of(PAIRS[attribute].classes).size + PAIRS[attribute].classes
    assert (card.temperature, card.min_confidence) == ({}, {})


def test_faces_are_read_from_the_square_with_its_margin(folder):
    frame = np.full((300, 300, 3), (200, 90, 30), np.uint8)
    frame[100:200, 100:200] = (20, 160, 240)
    networks = {attribute: CaffeEstimator(attribute, folder) for attribute in PAIRS}
    (face,) = FaceAnalyzer(FakeDetector(Box(100, 100, 200, 200)), networks).analyze(frame).faces
    inside = 1 / networks["gender"].card.crop.scale ** 2
    mean = inside * frame[150, 150] + (1 - inside) * frame[0, 0]
    expected = expected_answers(mean.reshape(1, 1, 1, 3), 2)[0]
    assert face.gender.probabilities == pytest.approx(tuple(expected), abs=0.01)
    assert face.emotion is None
    assert face.age.low <= face.age.years <= face.age.high


def test_threads_get_the_answers_of_one(folder):
    estimator = CaffeEstimator("age", folder)
    batches = [crops(1 + number % 3, seed=number) for number in range(4)]
    expected = [estimator.predict(batch)["age_group"] for batch in batches]
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda batch: estimator.predict(batch)["age_group"], batches * 10)
        assert all(np.array_equal(*answers) for answers in zip(found, expected * 10, strict=True))


@pytest.mark.parametrize(
    "bad",
    [np.zeros((1, 48, 48, 3), np.uint8), np.zeros((1, 227, 227, 1), np.uint8), np.zeros((1, 227, 227, 3), np.float32)],
    ids=["small", "grey", "float"],
)
def test_other_crops_are_refused(folder, bad):
    with pytest.raises(ValueError, match="crops must be"):
        CaffeEstimator("gender", folder).predict(bad)


@BOTH
@pytest.mark.parametrize("part", [0, 1], ids=["architecture", "weights"])
def test_a_missing_file_says_what_to_put_where(folder, attribute, part):
    names = PAIRS[attribute].file_names
    (folder / names[part]).unlink()
    with pytest.raises(ArtifactMissingError) as caught:
        CaffeEstimator(attribute, folder)
    message = str(caught.value)
    assert message.startswith(f"{folder / names[part]} is missing.")
    assert f"put {names[0]} and {names[1]}" in message
    assert "models/caffe" in message
    assert "FACET_CAFFE_DIR" in message


@pytest.mark.parametrize("part", [0, 1], ids=["architecture", "weights"])
@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1", None], ids=["empty", "lfs", "cut"]
)
def test_a_broken_file_is_told(folder, part, content):
    file = folder / PAIRS["age"].file_names[part]
    whole = file.read_bytes()
    # Cut in the middle of a layer, or of its weights.
    file.write_bytes(whole[: -len(whole) // 4] if content is None else content)
    with pytest.raises(ArtifactCorruptError, match=r"age_deploy.prototxt and age_net.caffemodel in .* not a network"):
        CaffeEstimator("age", folder)


def test_a_folder_in_place_of_a_file_is_told(folder):
    file = folder / PAIRS["age"].file_names[1]
    file.unlink()
    file.mkdir()
    with pytest.raises(ArtifactCorruptError, match="cannot be read"):
        CaffeEstimator("age", folder)


@pytest.mark.parametrize("wrong", [{"classes": 3}, {"softmax": False}], ids=["other classes", "no probabilities"])
def test_another_network_is_refused(tmp_path, wrong):
    write_pair(tmp_path, "gender", **wrong)
    with pytest.raises(ArtifactCorruptError, match="not a network with 2 probabilities"):
        CaffeEstimator("gender", tmp_path)


def test_the_environment_names_the_folder(folder, monkeypatch):
    monkeypatch.delenv("FACET_CAFFE_DIR", raising=False)
    assert caffe_folder() == FOLDER
    monkeypatch.setenv("FACET_CAFFE_DIR", str(folder))
    assert caffe_folder() == folder
    assert CaffeEstimator("gender").card.name == "caffe_gender"
