from dataclasses import replace

import numpy as np

from core.artifacts.model_card import AlignmentSpec
from models.faces.packing import REFERENCE
from models.faces.teaching import answer_faces
from tests.fakes.core import EMOTION_CARD, FakeEstimator
from tests.fakes.faces import write_packed_faces


def test_training_faces_with_landmarks_are_answered_from_eight_views(tmp_path):
    faces, teacher = write_packed_faces(tmp_path), FakeEstimator()
    answers = answer_faces(faces, teacher)
    known = [row for row in range(24) if faces.split[row] == "train" and row % 3]
    assert answers.ids.tolist() == [f"{faces.source[row]}/{faces.name[row]}" for row in known]
    assert {len(batch) for batch in teacher.batches} == {8}
    np.testing.assert_allclose(answers.probabilities.sum(axis=1), 1, atol=1e-5)
    size = teacher.card.input_size
    assert answers.images.shape == (len(known), size, size, 1)


def test_the_crops_to_learn_from_differ_from_those_that_the_teacher_saw(tmp_path):
    aligned = AlignmentSpec(points=tuple((float(x), float(y)) for x, y in REFERENCE))
    faces, teacher = write_packed_faces(tmp_path), FakeEstimator(replace(EMOTION_CARD, crop=aligned))
    first, second = (answer_faces(faces, teacher, seed).images for seed in (0, 1))
    assert (first != second).any(axis=(1, 2, 3)).all()
    shown = np.stack([batch[0] for batch in teacher.batches[: len(first)]])
    assert (first != shown).any(axis=(1, 2, 3)).all()
