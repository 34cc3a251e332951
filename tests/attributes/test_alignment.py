import cv2
import numpy as np
import pytest

from core.artifacts.model_card import AlignmentSpec
from core.attributes.alignment import View, align_faces, align_views, alignment_square, make_views
from core.types import Box, Detection, Landmarks


def face(box, landmarks=None):
    return Detection(box, 1.0, landmarks)


def gradient(height=120, width=160):
    ys, xs = np.mgrid[:height, :width]
    return np.stack([xs, ys, np.zeros_like(xs)], axis=2).astype(np.uint8)


def test_box_of_the_crop_size_is_copied():
    frame = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    before = frame.copy()
    aligned = align_faces(frame, [face(Box(20, 30, 68, 78))], AlignmentSpec(1.0), 48, 3)
    assert np.array_equal(aligned.crops[0], frame[30:78, 20:68])
    assert aligned.sides_px.tolist() == [48]
    grey = align_faces(frame, [face(Box(20, 30, 68, 78))], AlignmentSpec(1.0), 48, 1).crops
    assert grey.shape == (1, 48, 48, 1)
    assert np.array_equal(grey[0, ..., 0], cv2.cvtColor(frame[30:78, 20:68], cv2.COLOR_BGR2GRAY))
    assert np.array_equal(frame, before)


@pytest.mark.parametrize(
    ("spec", "center"),
    [(AlignmentSpec(1.0), (60, 50)), (AlignmentSpec(1.5), (60, 50)), (AlignmentSpec(1.0, 0.25), (60, 60))],
    ids=["plain", "wider", "lower"],
)
def test_spec_places_the_crop(spec, center):
    crop = align_faces(gradient(), [face(Box(40, 30, 80, 70))], spec, 32, 3).crops[0].astype(float)
    assert crop[..., 0].mean() + 0.5 == pytest.approx(center[0], abs=0.6)
    assert crop[..., 1].mean() + 0.5 == pytest.approx(center[1], abs=0.6)
    assert np.ptp(crop[..., 0]) == pytest.approx(40 * spec.scale * 31 / 32, abs=1.5)


def test_crop_is_a_square_of_the_longer_side():
    crop = align_faces(gradient(), [face(Box(60, 20, 80, 60))], AlignmentSpec(1.0), 40, 3).crops[0].astype(int)
    assert np.ptp(crop[..., 0]) == np.ptp(crop[..., 1]) == 39


def test_large_faces_do_not_alias():
    frame = np.zeros((512, 512, 3), np.uint8)
    frame[1::4, 1::4] = 255
    crop = align_faces(frame, [face(Box(0, 0, 512, 512))], AlignmentSpec(1.0), 32, 1).crops[0]
    assert np.ptp(crop.astype(int)) <= 3
    assert crop.mean() == pytest.approx(255 / 16, abs=3)


def test_border_is_repeated_outside_the_frame():
    frame = np.full((50, 50, 3), 7, np.uint8)
    assert (align_faces(frame, [face(Box(-40, -40, 30, 30))], AlignmentSpec(2.0), 24, 3).crops == 7).all()


def test_no_faces_give_an_empty_batch():
    assert align_faces(gradient(), [], AlignmentSpec(1.0), 48, 1).crops.shape == (0, 48, 48, 1)


def test_other_channel_counts_are_rejected():
    with pytest.raises(ValueError, match="channels"):
        align_faces(gradient(), [], AlignmentSpec(1.0), 48, 2)


POINTS = ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75))
ALIGNED = AlignmentSpec(1.0, 0.0, POINTS)


def tilted_landmarks(angle_deg, side=80.0, center=(110.0, 90.0), squeeze=(1.0, 1.0)):
    """The points of a crop of that side, turned clockwise about its centre."""
    angle = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offsets = (np.array(POINTS) - 0.5) * squeeze * side
    return Landmarks(*map(tuple, (offsets @ turn.T + center).tolist()))


@pytest.mark.parametrize("angle_deg", [0, 20, -35, 90, 180])
def test_square_follows_the_landmarks(angle_deg):
    center, side, angle = alignment_square(face(Box(70, 50, 150, 130), tilted_landmarks(angle_deg)), ALIGNED)
    assert center == pytest.approx([110, 90])
    assert side == pytest.approx(80)
    assert np.cos(angle) == pytest.approx(np.cos(np.deg2rad(angle_deg)))
    assert np.sin(angle) == pytest.approx(np.sin(np.deg2rad(angle_deg)), abs=1e-9)


@pytest.mark.parametrize("squeeze", [(0.6, 1.0), (1.0, 0.5)], ids=["turned to the side", "looking down"])
def test_foreshortened_faces_are_not_enlarged(squeeze):
    _, side, _ = alignment_square(face(Box(70, 50, 150, 130), tilted_landmarks(10, squeeze=squeeze)), ALIGNED)
    assert side == pytest.approx(80)


def test_tilted_faces_are_straightened():
    upright = np.zeros((180, 220, 3), np.uint8)
    upright[60:120, 80:140] = cv2.resize(gradient(60, 60), (60, 60))
    turned = cv2.warpAffine(upright, cv2.getRotationMatrix2D((109.5, 89.5), -30, 1.0), (220, 180))
    plain, aligned = (
        align_faces(frame, [face(Box(70, 50, 150, 130), tilted_landmarks(angle))], ALIGNED, 40, 3).crops[0].astype(int)
        for frame, angle in ((upright, 0), (turned, 30))
    )
    assert np.abs(plain - aligned)[8:-8, 8:-8].mean() < 2


@pytest.mark.parametrize(
    ("landmarks", "spec", "expected"),
    [
        (Landmarks(*[(110.0 + i / 100, 90.0) for i in range(5)]), ALIGNED, ([110, 90], 80, 0)),
        (tilted_landmarks(30), AlignmentSpec(1.5, 0.1), ([110, 98], 120, 0)),
    ],
    ids=["implausible", "no reference landmarks"],
)
def test_landmarks_may_be_ignored(landmarks, spec, expected):
    center, side, angle = alignment_square(face(Box(70, 50, 150, 130), landmarks), spec)
    assert (center.tolist(), side, angle) == expected


@pytest.mark.parametrize("y", [-30, 30, 32_900])
def test_frames_beyond_the_warp_limit(y):
    short = np.random.default_rng(0).integers(0, 256, (200, 60, 3), dtype=np.uint8)
    frame = np.zeros((33_000, 60, 3), np.uint8)
    frame[:200] = frame[-200:] = short
    long, expected = (
        align_faces(image, [face(Box(10, top, 42, top + 32))], AlignmentSpec(1.3), 48, 3).crops
        for image, top in ((frame, y), (short, y if y < 200 else y - 32_800))
    )
    assert np.abs(long.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("view", "center", "width"),
    [(View(x=0.25), (70, 50), 39), (View(y=-0.5), (60, 30), 39), (View(scale=0.5), (60, 50), 19)],
    ids=["right", "up", "narrower"],
)
def test_views_are_moved_by_shares_of_the_side(view, center, width):
    crop = align_views(gradient(), [face(Box(40, 30, 80, 70))], AlignmentSpec(), 40, 3, [view]).crops[0].astype(float)
    assert [crop[..., axis].mean() + 0.5 for axis in (0, 1)] == pytest.approx(center, abs=0.6)
    assert np.ptp(crop[..., 0]) == pytest.approx(width, abs=0.6)


def test_views_may_be_rotated_and_mirrored():
    faces, spec = [face(Box(40, 30, 80, 70)), face(Box(60, 50, 100, 90))], AlignmentSpec()
    views = [View(), View(mirrored=True), View(angle=np.pi / 2)]
    crops = align_views(gradient(), faces, spec, 40, 3, views).crops
    assert len(crops) == 6, "the views of one face in a row"
    for first, aligned in zip((0, 3), align_faces(gradient(), faces, spec, 40, 3).crops, strict=True):
        assert np.array_equal(crops[first], aligned)
        assert np.array_equal(crops[first + 1], aligned[:, ::-1])
        # Clockwise on screen: what is right of the face becomes the crop's upper side.
        assert np.abs(crops[first + 2].astype(int) - np.rot90(aligned).astype(int)).max() <= 1


@pytest.mark.parametrize("count", range(1, 9))
def test_there_are_as_many_different_views_as_wanted(count):
    views = make_views(count)
    assert views[0] == View()
    assert len(set(views)) == count
    assert views == make_views(8)[:count]
