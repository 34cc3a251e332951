import numpy as np
import pytest

from core.evaluation.detection.landmarks import rater_scatter, scatter_of_three
from core.evaluation.detection.matching import match_photo
from tests.fakes.detection import example_marks, example_runs, five_points, found, marked_face, photo_marks, square


def rated(scatters, faces=4000, offsets=(0.0, 0.0, 0.0), seed=1):
    """(F, 3, 4, 2): the same true points, with independent normal errors of the given root mean square length."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 1, (faces, 1, 4, 2))
    errors = rng.standard_normal((faces, 3, 4, 2)) * np.array(scatters)[:, None, None] / np.sqrt(2)
    return truth + errors + np.array(offsets)[:, None, None]


def test_each_raters_scatter_is_told_apart():
    assert scatter_of_three(rated((0.04, 0.08, 0.02))) == pytest.approx((0.04, 0.08, 0.02), abs=0.003)


def test_constant_differences_of_opinion_do_not_count():
    plain, moved = rated((0.04, 0.08, 0.02)), rated((0.04, 0.08, 0.02), offsets=(0.0, 0.2, -0.1))
    assert scatter_of_three(moved) == pytest.approx(scatter_of_three(plain))


def test_two_raters_that_agree_leave_all_scatter_to_the_third():
    points = rated((0.0, 0.0, 0.05))
    assert scatter_of_three(points) == pytest.approx((0, 0, 0.05), abs=0.003)


def test_a_slip_counts_as_half_an_eye_distance_at_most():
    points = rated((0.0, 0.0, 0.0), faces=100)
    points[0, 0] += 40.0
    # One of 100 faces, 4 points each: sqrt(0.25 / 100).
    assert scatter_of_three(points) == pytest.approx((0.05, 0, 0), abs=1e-6)


def faces_of_three(count):
    marks = [
        photo_marks(f"web_{n}.jpg", [marked_face(60 + n, 60)], machine=[square(60 + n, 60, 50)]) for n in range(count)
    ]
    answers = [found([square(60 + n, 60, 50)], [0.9], five_points(marked_face(60 + n, 60))[None]) for n in range(count)]
    return marks, answers, [match_photo(*pair) for pair in zip(answers, marks, strict=True)]


def test_only_faces_that_all_three_marked_count():
    marks, answers, matches = faces_of_three(3)
    scatter = rater_scatter(marks, answers, matches)
    # The made-up machine marks every point at the centre: always the same difference.
    assert (scatter.people, scatter.machine, scatter.detector, scatter.n) == (0, 0, 0, 3)


def test_no_scatter_without_landmarks_or_with_a_single_face():
    marks = example_marks()
    for runs in (example_runs(marks, with_points=False), example_runs(marks)):
        faces = runs["as_is"]
        matches = [match_photo(*pair) for pair in zip(faces, marks, strict=True)]
        assert rater_scatter(marks, faces, matches) is None
