"""Drawing: nothing outside the frame, nothing recognisable when blurred, the input unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.drawing import annotator, palette
from core.drawing.annotator import annotate
from core.settings import OverlayStyle
from core.types import EMOTIONS, AgeEstimate, Analysis, Box, Detection, Emotion, EmotionEstimate, Face, GenderEstimate

HAPPY = EmotionEstimate((0.02, 0.02, 0.02, 0.87, 0.02, 0.02, 0.03))
UNCERTAIN = EmotionEstimate((0.0, 0.0, 0.11, 0.1, 0.41, 0.0, 0.38), 0.5)
NO_LABELS = OverlayStyle(labels=False)
BLUR = OverlayStyle(labels=False, blur_faces=True)
SOMEBODY = (200, 150, 320, 270)


def face(*xyxy: float, emotion: EmotionEstimate | None = HAPPY) -> Face:
    return Face(Detection(Box(*xyxy), 0.9), emotion, AgeEstimate(31, 25, 38), GenderEstimate((0.2, 0.8)), track_id=1)


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 120, dtype=np.uint8)


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_frame_without_faces_is_copied() -> None:
    frame = noise(64, 48)
    result = annotate(frame, Analysis(64, 48))
    assert np.array_equal(result, frame)
    assert not np.shares_memory(result, frame)


@pytest.mark.parametrize("mirror", [False, True], ids=["plain", "mirrored"])
@pytest.mark.parametrize("blur", [False, True], ids=["clear", "blurred"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (16, 400), (640, 480)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_annotates_any_size_without_changing_the_frame(size: tuple[int, int], blur: bool, mirror: bool) -> None:
    width, height = size
    frame = noise(width, height)
    before = frame.copy()
    frame.setflags(write=False)
    faces = (
        face(-0.3 * width, -0.3 * height, 0.2 * width, 0.2 * height),
        face(0.8 * width, 0.8 * height, 9e6, 9e6),
        face(-500, -500, -400, -400),
    )
    result = annotate(frame, Analysis(width, height, faces), OverlayStyle(blur_faces=blur, mirror=mirror))
    assert (result.shape, result.dtype) == (frame.shape, np.uint8)
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert np.array_equal(frame, before)


@pytest.mark.parametrize(
    ("emotion", "color"),
    [
        (HAPPY, palette.hex_to_bgr(palette.EMOTION_HEX[Emotion.HAPPY])),
        (UNCERTAIN, palette.hex_to_bgr(palette.FACE_HEX)),
    ],
    ids=["happy", "uncertain"],
)
def test_box_color_is_that_of_a_certain_emotion(emotion: EmotionEstimate, color: tuple[int, int, int]) -> None:
    result = annotate(grey(320, 240), Analysis(320, 240, (face(100, 80, 180, 160, emotion=emotion),)), NO_LABELS)
    assert tuple(result[120, 100]) == color


def test_box_lines_are_thicker_on_larger_frames() -> None:
    def painted(scale: int) -> int:
        size = (160 * scale, 120 * scale)
        box = face(40 * scale, 30 * scale, 80 * scale, 70 * scale)
        row = annotate(grey(*size), Analysis(*size, (box,)), NO_LABELS)[50 * scale]
        return int((row != 120).any(axis=1).sum())

    assert painted(12) > painted(2)


def test_boxes_are_scaled_to_a_frame_of_another_size() -> None:
    small = annotate(grey(320, 240), Analysis(640, 480, (face(200, 160, 360, 320),)), NO_LABELS)
    same = annotate(grey(320, 240), Analysis(320, 240, (face(100, 80, 180, 160),)), NO_LABELS)
    assert np.array_equal(small, same)


def test_mirror_flips_frame_and_boxes() -> None:
    frame = noise(320, 240)
    analysis = Analysis(320, 240, (face(20, 80, 100, 160),))
    plain = annotate(frame, analysis, NO_LABELS)
    assert np.array_equal(annotate(frame, analysis, replace(NO_LABELS, mirror=True)), plain[:, ::-1])


def test_mirror_does_not_flip_text() -> None:
    # A face in the middle: its label must be the same, mirrored or not.
    analysis = Analysis(320, 240, (face(120, 100, 200, 180),))
    plain = annotate(grey(320, 240), analysis)
    assert np.array_equal(plain, annotate(grey(320, 240), analysis, OverlayStyle(mirror=True)))


def test_numbers_replace_track_ids() -> None:
    def drawn(**arguments: Any) -> np.ndarray:
        return annotate(grey(320, 240), Analysis(320, 240, (face(120, 100, 200, 180),)), **arguments)

    assert np.array_equal(drawn(), drawn(numbers=[1]))
    assert not np.array_equal(drawn(), drawn(numbers=[None]))


def test_blurred_face_is_a_few_flat_squares() -> None:
    frame = noise(640, 480)
    result = annotate(frame, Analysis(640, 480, (face(*SOMEBODY),)), BLUR)
    inside = result[160:260, 210:310].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= annotator.PIXELATE_CELLS**2
    assert np.array_equal(result[:100], frame[:100]), "outside the face nothing changes"


def test_blur_covers_hair_ears_and_chin() -> None:
    frame = noise(640, 480)
    result = annotate(frame, Analysis(640, 480, (face(*SOMEBODY),)), BLUR)
    for outside in (np.s_[140:148, 210:310], np.s_[272:280, 210:310], np.s_[160:260, 190:198], np.s_[160:260, 322:330]):
        assert (result[outside] != frame[outside]).any(axis=-1).mean() > 0.9


def test_extra_boxes_are_blurred_only_with_blur_faces() -> None:
    frame = noise(640, 480)
    hidden = annotate(frame, Analysis(640, 480), BLUR, extra_blur_boxes=[SOMEBODY])
    shown = annotate(frame, Analysis(640, 480), extra_blur_boxes=[SOMEBODY])
    assert not np.array_equal(hidden[200, 260], frame[200, 260])
    assert np.array_equal(shown, frame)


def test_pixelate_hides_the_whole_frame() -> None:
    frame = noise(640, 480)
    assert len(np.unique(annotator.pixelate(frame).reshape(-1, 3), axis=0)) <= annotator.PIXELATE_CELLS**2


@pytest.mark.parametrize(
    "frame",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)],
    ids=["grey", "alpha", "float"],
)
def test_annotate_rejects_other_arrays(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        annotate(frame, Analysis(4, 4))


def test_palette_has_a_color_per_emotion_and_readable_text() -> None:
    assert tuple(palette.EMOTION_HEX) == EMOTIONS
    assert len(set(palette.EMOTION_HEX.values())) == len(EMOTIONS)
    assert palette.hex_to_bgr("#0A141E") == (30, 20, 10)
    assert palette.readable_text_bgr((255, 255, 255)) == (0, 0, 0)
    assert palette.readable_text_bgr((0, 0, 0)) == (255, 255, 255)
    with pytest.raises(ValueError, match="#RRGGBB"):
        palette.hex_to_bgr("red")
