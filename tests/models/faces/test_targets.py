import numpy as np
import pytest

from models.faces.targets import YEARS, build_targets, sampling_weights
from tests.fakes.faces import write_packed_faces


@pytest.fixture
def faces(tmp_path):
    return write_packed_faces(tmp_path / "packed")


def test_known_ages_are_distributions_and_brackets_masks(faces):
    targets = build_targets(faces, None)
    exact = targets.exact > 0
    np.testing.assert_allclose(targets.age[exact].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(targets.age[exact].argmax(axis=1), faces.age_low[exact])
    for row in np.nonzero(~exact)[0]:
        inside = targets.age[row, faces.age_low[row] : faces.age_high[row] + 1]
        assert (inside == 1).all()
        assert (targets.age[row] == 1).sum() == len(inside)


def test_an_unknown_gender_has_no_target(faces):
    targets = build_targets(faces, None)
    known = faces.gender >= 0
    np.testing.assert_array_equal(targets.gender[known].argmax(axis=1), faces.gender[known])
    assert not targets.gender[~known].any()
    assert not targets.teacher_gender.any()


def test_the_teacher_is_matched_by_source_and_name(faces, tmp_path):
    row = int(np.nonzero(faces.source == "fairface")[0][0])
    age = np.zeros((2, YEARS), np.uint8)
    age[:, 30] = 255
    name = str(faces.name[row])
    file = tmp_path / "teacher.npz"
    part = np.array(["fairface_train", "utk_train"])
    np.savez(
        file, part=part, name=np.array([name, name]), age_sqrt255=age, female_65535=np.array([65535, 0], np.uint16)
    )
    targets = build_targets(faces, file)
    np.testing.assert_allclose(targets.teacher_gender[row], [0, 1])
    assert targets.teacher_age[row, 30] == 1
    assert (targets.teacher_gender.sum(axis=1) > 0).sum() == 1


def test_rare_kinds_are_drawn_more_often(faces):
    weights = sampling_weights(faces)
    assert weights.mean() == pytest.approx(1)
    faces.age_low[:], faces.age_high[:], faces.gender[:] = 25, 25, 0
    faces.age_low[0] = faces.age_high[0] = 80
    weights = sampling_weights(faces)
    assert weights[0] == weights.max() > 2 * np.median(weights)
