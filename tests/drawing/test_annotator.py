"""Drawing: nothing outside the frame, nothing readable under a blur, the input left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.drawing import annotator as overlay
from core.drawing import palette
from core.drawing.annotator import draw, label_parts
from core.settings import OverlayStyle
from core.types import (
    EMOTIONS,
    AgeEstimate,
    Analysis,
    Box,
    Detection,
    Emotion,
    EmotionEstimate,
    Face,
    GenderEstimate,
)

HAPPY = EmotionEstimate((0.02, 0.02, 0.02, 0.87, 0.02, 0.02, 0.03))
FULL: dict[str, Any] = {
    "emotion": HAPPY,
    "age": AgeEstimate(31, 25, 38),
    "gender": GenderEstimate((0.2, 0.8)),
    "track_id": 1,
}
PLAIN = OverlayStyle(labels=False)


def face(x1: float, y1: float, x2: float, y2: float, **attributes: Any) -> Face:
    return replace(Face(Detection(Box(x1, y1, x2, y2), 0.9)), **(attributes or FULL))


def grey(width: int, height: int, value: int = 120) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_label_says_number_emotion_age_interval_and_gender() -> None:
    assert " · ".join(label_parts(face(0, 0, 9, 9))) == "#1 happy 87% · 31 y (25-38) · female"


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        pytest.param(("track_id",), ("happy 87%", "31 y (25-38)", "female"), id="no number"),
        pytest.param(("emotion", "gender"), ("#1", "31 y (25-38)"), id="age only"),
        pytest.param(("emotion", "age", "gender", "track_id"), (), id="nothing"),
    ],
)
def test_label_leaves_out_what_was_not_read(removed: tuple[str, ...], expected: tuple[str, ...]) -> None:
    nothing: dict[str, Any] = dict.fromkeys(removed)
    assert label_parts(replace(face(0, 0, 9, 9), **nothing)) == expected


UNSURE = {
    **FULL,
    "emotion": EmotionEstimate((0.0, 0.0, 0.11, 0.1, 0.41, 0.0, 0.38), 0.5),
    "gender": GenderEstimate((0.45, 0.55), 0.6),
}


def test_label_says_what_is_uncertain_and_the_two_best_guesses() -> None:
    assert label_parts(face(0, 0, 9, 9, **UNSURE)) == (
        "#1 uncertain: sad 41% / neutral 38%",
        "31 y (25-38)",
        "uncertain: female 55% / male 45%",
    )


def test_an_uncertain_face_has_no_colour_of_an_emotion() -> None:
    result = draw(grey(640, 480), Analysis(640, 480, (face(100, 100, 300, 300, **UNSURE),)), PLAIN)
    assert tuple(result[200, 100]) == palette.hex_to_bgr(palette.FACE_HEX)


@pytest.mark.parametrize("size", [(640, 480), (320, 240)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_longest_uncertain_label_is_drawn(size: tuple[int, int]) -> None:
    longest = UNSURE | {"emotion": EmotionEstimate((0.0, 0.0, 0.0, 0.0, 0.0, 0.52, 0.48), 0.6), "track_id": 100}
    somebody = face(size[0] - 60, 100, size[0] - 20, 140, **longest)
    analysis = Analysis(*size, (somebody,))
    labelled, plain = draw(grey(*size), analysis), draw(grey(*size), analysis, PLAIN)
    assert not np.array_equal(labelled, plain)


def test_nobody_in_view_gives_an_equal_copy() -> None:
    frame = noise(64, 48)
    result = draw(frame, Analysis(64, 48))
    assert np.array_equal(result, frame)
    assert result is not frame
    assert not np.shares_memory(result, frame)


@pytest.mark.parametrize("mirror", [False, True], ids=["plain", "mirrored"])
@pytest.mark.parametrize("blur", [False, True], ids=["clear", "blurred"])
@pytest.mark.parametrize(
    "size", [(1, 1), (5, 3), (16, 400), (64, 48), (640, 480), (1920, 1080)], ids=lambda s: f"{s[0]}x{s[1]}"
)
def test_any_size_works_and_the_input_stays(size: tuple[int, int], blur: bool, mirror: bool) -> None:
    width, height = size
    frame = noise(width, height)
    before = frame.copy()
    faces = (
        face(-0.3 * width, -0.3 * height, 0.2 * width, 0.2 * height),
        face(0.8 * width, 0.8 * height, 9e6, 9e6),
        face(-500, -500, -400, -400),
    )
    style = OverlayStyle(blur_faces=blur, mirror=mirror)
    result = draw(frame, Analysis(width, height, faces), style)
    assert result.shape == frame.shape
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert np.array_equal(frame, before)


def test_a_read_only_frame_can_be_drawn() -> None:
    frame = grey(64, 48)
    frame.setflags(write=False)
    draw(frame, Analysis(64, 48, (face(10, 10, 30, 30),)))


def test_box_has_the_colour_of_its_emotion() -> None:
    result = draw(grey(320, 240), Analysis(320, 240, (face(100, 80, 180, 160, emotion=HAPPY),)), PLAIN)
    assert tuple(result[120, 100]) == palette.emotion_bgr(Emotion.HAPPY)


def test_box_lines_are_thicker_on_larger_frames() -> None:
    def painted(scale: int) -> int:
        size = (160 * scale, 120 * scale)
        box = face(40 * scale, 30 * scale, 80 * scale, 70 * scale)
        row = draw(grey(*size), Analysis(*size, (box,)), PLAIN)[50 * scale]
        return int((row != 120).any(axis=1).sum())

    assert painted(12) > painted(2)


def test_boxes_are_scaled_to_a_frame_of_another_size() -> None:
    analysis = Analysis(640, 480, (face(200, 160, 360, 320),))
    small = draw(grey(320, 240), analysis, PLAIN)
    same = draw(grey(320, 240), Analysis(320, 240, (face(100, 80, 180, 160),)), PLAIN)
    assert np.array_equal(small, same)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((0, 0, 60, 60), id="top left"),
        pytest.param((580, 0, 640, 60), id="top right"),
        pytest.param((580, 420, 640, 480), id="bottom right"),
        pytest.param((-40, 440, 20, 500), id="partly outside"),
        pytest.param((0, 0, 640, 480), id="whole frame"),
    ],
)
@pytest.mark.parametrize("size", [(640, 480), (160, 120)], ids=["VGA", "tiny"])
def test_labels_are_never_cut_off(box: tuple[float, ...], size: tuple[int, int]) -> None:
    scaled = tuple(v * size[0] / 640 for v in box)
    one = face(*scaled)
    label = overlay._fitting_label(label_parts(one), np.array(scaled), size)
    assert label is not None
    x1, y1, x2, y2 = overlay._place(label.wh, np.array(scaled), np.array([scaled]), size, [])
    assert 0 <= x1 < x2 <= size[0]
    assert 0 <= y1 < y2 <= size[1]
    border = np.concatenate([label.mask[:, 0], label.mask[:, -1], label.mask[0], label.mask[-1]])
    assert not border.any(), "ink touches the label's border"


def test_labels_of_close_faces_do_not_cover_each_other() -> None:
    first, second = np.array([200.0, 200, 260, 260]), np.array([230.0, 205, 290, 265])
    label = overlay._fitting_label(label_parts(face(*first)), first, (640, 480))
    assert label is not None
    both = np.stack([first, second])
    a = overlay._place(label.wh, first, both, (640, 480), [])
    b = overlay._place(label.wh, second, both, (640, 480), [a])
    assert a[3] <= b[1] or b[3] <= a[1]


def test_a_label_keeps_clear_of_one_that_hides_no_face() -> None:
    box = np.array([230.0, 205, 290, 265])
    label = overlay._fitting_label(label_parts(face(*box)), box, (640, 480))
    assert label is not None
    alone = overlay._place(label.wh, box, box[None], (640, 480), [])
    x1, y1, x2, y2 = overlay._place(label.wh, box, box[None], (640, 480), [alone])
    assert x2 <= alone[0] or alone[2] <= x1 or y2 <= alone[1] or alone[3] <= y1


@pytest.mark.parametrize(
    ("width", "alone", "lines"),
    [
        pytest.param(20, True, ("#1 happy 87% · 31 y (25-38)", "female"), id="alone"),
        pytest.param(70, False, ("#1 happy 87% · 31 y (25-38)", "female"), id="large"),
        pytest.param(30, False, ("#1 happy 87%",), id="small"),
        pytest.param(10, False, ("#1",), id="in a crowd"),
    ],
)
def test_labels_of_small_faces_beside_others_are_short(width: int, alone: bool, lines: tuple[str, ...]) -> None:
    box = np.array([300.0, 200, 300 + width, 200 + width])
    label = overlay._label(face(*box), box, (640, 480), alone)
    assert label is not None
    assert np.array_equal(label.mask, overlay._text_mask(lines, 16))


def test_a_label_that_cannot_be_shortened_to_a_number_keeps_its_beginning() -> None:
    box = np.array([300.0, 200, 310, 210])
    label = overlay._label(face(*box, emotion=HAPPY, age=FULL["age"]), box, (640, 480), alone=False)
    assert label is not None
    assert np.array_equal(label.mask, overlay._text_mask(("happy 87%",), 16))


@pytest.mark.parametrize("font_px", [10, 16, 31])
@pytest.mark.parametrize("lines", [("#1",), ("#1 happy 87% · 31 y (25-38)", "female")], ids=len)
def test_a_label_is_as_large_as_was_measured(lines: tuple[str, ...], font_px: int) -> None:
    height, width = overlay._text_mask(lines, font_px).shape
    assert overlay._Label(lines, font_px).wh == (width, height)


def test_no_label_where_none_could_be_read() -> None:
    assert overlay._fitting_label(("#1 happy 87%",), np.array([0.0, 0, 10, 10]), (20, 10)) is None


def test_mirror_flips_the_picture_and_moves_the_box_with_it() -> None:
    frame = noise(320, 240)
    analysis = Analysis(320, 240, (face(20, 80, 100, 160, emotion=HAPPY),))
    plain = draw(frame, analysis, PLAIN)
    mirrored = draw(frame, analysis, replace(PLAIN, mirror=True))
    assert np.array_equal(mirrored[200], frame[200, ::-1])
    assert tuple(mirrored[120, 320 - 100]) == palette.emotion_bgr(Emotion.HAPPY)
    assert np.array_equal(plain[:, 110:], mirrored[:, ::-1][:, 110:])


def test_text_is_not_flipped_by_the_mirror() -> None:
    """A face in the middle has its label at the same place, reading the same way, mirrored or not."""
    analysis = Analysis(320, 240, (face(120, 100, 200, 180),))
    plain = draw(grey(320, 240), analysis)
    assert np.array_equal(plain, draw(grey(320, 240), analysis, OverlayStyle(mirror=True)))


def test_blur_leaves_a_few_flat_squares_of_the_face() -> None:
    frame = noise(640, 480)
    result = draw(frame, Analysis(640, 480, (face(200, 150, 320, 270),)), OverlayStyle(False, blur_faces=True))
    inside = result[160:260, 210:310].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= overlay.BLUR_CELLS**2
    assert np.array_equal(result[:100], frame[:100]), "outside the face nothing changes"


def test_blur_hides_hair_ears_and_chin_too() -> None:
    frame = noise(640, 480)
    result = draw(frame, Analysis(640, 480, (face(200, 150, 320, 270),)), OverlayStyle(False, blur_faces=True))
    for outside in (np.s_[140:148, 210:310], np.s_[272:280, 210:310], np.s_[160:260, 190:198], np.s_[160:260, 322:330]):
        assert (result[outside] != frame[outside]).any(axis=-1).mean() > 0.9


def test_blur_hides_faces_that_were_just_lost() -> None:
    frame = noise(640, 480)
    style = OverlayStyle(blur_faces=True)
    hidden = draw(frame, Analysis(640, 480), style, extra_blur_boxes=[Box(200, 150, 320, 270)])
    shown = draw(frame, Analysis(640, 480), OverlayStyle(), extra_blur_boxes=[Box(200, 150, 320, 270)])
    assert not np.array_equal(hidden[200, 260], frame[200, 260])
    assert np.array_equal(shown, frame)


def test_pixelate_hides_the_whole_frame() -> None:
    frame = noise(640, 480)
    assert len(np.unique(overlay.pixelate(frame).reshape(-1, 3), axis=0)) <= overlay.BLUR_CELLS**2


@pytest.mark.parametrize(
    "frame",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)],
    ids=["grey", "alpha", "float"],
)
def test_other_arrays_are_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        draw(frame, Analysis(4, 4))


def test_palette_has_a_readable_colour_for_each_emotion() -> None:
    assert tuple(palette.EMOTION_HEX) == EMOTIONS
    assert len(set(palette.EMOTION_HEX.values())) == len(EMOTIONS)
    assert palette.hex_to_bgr("#0A141E") == (30, 20, 10)
    assert palette.readable_text_bgr((255, 255, 255)) == (0, 0, 0)
    assert palette.readable_text_bgr((0, 0, 0)) == (255, 255, 255)
    with pytest.raises(ValueError, match="#RRGGBB"):
        palette.hex_to_bgr("red")
