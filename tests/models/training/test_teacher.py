from dataclasses import replace

import numpy as np
import pytest

from core.datasets.samples import Samples
from core.errors import DatasetError
from models.training.pipeline import Augmentation
from models.training.recipes import CONFIGS
from models.training.tasks import TASKS
from models.training.teacher import (
    TeacherAnswers,
    count_sources,
    join_unlabelled,
    mix_with_teacher,
    read_answers,
    save_answers,
    unlabelled_weights,
)
from tests.fakes.training import made_up_data

SIZE, CLASSES = 24, 7


def answers(count, prefix, images=True):
    rng = np.random.default_rng(count)
    crops = rng.integers(0, 256, (count if images else 0, SIZE, SIZE, 1), np.uint8)
    ids = np.array([f"{prefix}{row}" for row in range(count)])
    return TeacherAnswers(ids, crops, rng.dirichlet(np.ones(CLASSES), count).astype(np.float32))


def test_answers_survive_the_file(tmp_path):
    given = answers(5, "train_", images=False), answers(3, "aaf/")
    save_answers(tmp_path / "teacher_emotion.npz", *given)
    for read, written in zip(read_answers(tmp_path), given, strict=True):
        for name in ("ids", "images", "probabilities"):
            np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DatasetError, match="models teach"):
        read_answers(tmp_path)


def test_the_teacher_has_its_share_where_it_answers():
    targets = np.eye(CLASSES, dtype=np.float32)[:3]
    known = answers(2, "s")
    mixed = mix_with_teacher(np.array(["s1", "other", "s0"]), targets, known, 0.25)
    np.testing.assert_allclose(mixed[0], 0.75 * targets[0] + 0.25 * known.probabilities[1], atol=1e-6)
    np.testing.assert_array_equal(mixed[1], targets[1])
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)


def test_sure_and_rare_answers_are_drawn_more_often():
    probabilities = np.full((9, 3), 0.05, np.float32)
    probabilities[:, 0] = 0.9
    probabilities[7] = (0.4, 0.3, 0.3)
    probabilities[8] = (0.05, 0.9, 0.05)
    weights = unlabelled_weights(probabilities, 30.0)
    assert weights.sum() == pytest.approx(30)
    assert weights[7] < weights[0] < weights[8]


def test_crops_of_another_size_are_refused():
    train = made_up_data("emotion").splits["train"]
    other = Samples(np.array(["a"]), np.zeros((1, 8, 8, 1), np.uint8), {"emotion": np.array([0])})
    with pytest.raises(DatasetError, match="write it again"):
        join_unlabelled(train, other)


def test_unlabelled_faces_make_up_their_share_of_an_epoch():
    data, added = made_up_data("emotion", side=SIZE), answers(60, "aaf/")
    config = replace(
        CONFIGS["emotion"],
        image_size=SIZE,
        batch_size=12,
        unlabelled_share=0.5,
        augmentation=Augmentation(0, 0, 0, 0, 0, erase_probability=0, flip=False),
    )
    one_hot = np.eye(CLASSES, dtype=np.float32)
    train = data.splits["train"]
    soft = {"emotion_probabilities": one_hot[train.labels["emotion"]]}
    labels = {"emotion": added.probabilities.argmax(1), "emotion_probabilities": added.probabilities}
    splits = {
        "train": replace(train, labels={**train.labels, **soft}),
        "unlabelled": Samples(added.ids, added.images, labels),
    }
    batches = TASKS["emotion"].batches(config, replace(data, splits={**data.splits, **splits}), 0)
    drawn = [batches[number] for number in range(len(batches))]
    images = np.concatenate([crops for crops, _ in drawn]).astype(np.uint8)
    targets = np.concatenate([wanted["emotion"] for _, wanted in drawn])
    answer_of = {crop.tobytes(): answer for crop, answer in zip(added.images, added.probabilities, strict=True)}
    taught = [row for row, crop in enumerate(images) if crop.tobytes() in answer_of]
    assert len(taught) / len(images) == pytest.approx(0.5, abs=0.03)
    for row in taught:
        np.testing.assert_allclose(targets[row], answer_of[images[row].tobytes()], atol=1e-6)


def test_sources_are_counted():
    assert count_sources(np.array(["fairface/train/1.jpg", "fairface/val/1.jpg", "aaf/2.jpg"])) == {
        "fairface": 2,
        "aaf": 1,
    }
