"""Tasks that networks are trained for: what a network predicts, and which splits of a data set measure it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.age_groups import AGE_GROUP_LABELS
from core.types import EMOTIONS, GENDERS, Emotion

CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"emotion": EMOTIONS, "age_group": AGE_GROUP_LABELS, "gender": GENDERS}
)
"""Output of a classifier -> its class names, in the order of the probabilities. The output ``age`` has no classes."""
FIVE_EMOTIONS: tuple[Emotion, ...] = (
    Emotion.ANGRY,
    Emotion.HAPPY,
    Emotion.SAD,
    Emotion.SURPRISE,
    Emotion.NEUTRAL,
)


@dataclass(frozen=True, slots=True)
class Split:
    """Images that models are measured on. ``name``: as in ``predictions.npz`` and on cards; ``title``: for people."""

    name: str
    title: str
    is_validation: bool = False
    note: str = ""
    """An exception to what ``description`` says about every test split."""

    @property
    def description(self) -> str:
        if self.is_validation:
            return (
                "Validation split: used for model selection, so these scores are slightly optimistic. Quote the test "
                "split."
            )
        return f"Held-out test split: not used for training or model selection. {self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of network.

    ``outputs``: heads of the network, none for a detector; ``dataset``: name of the data set; ``metrics``: keys of the
    metrics that sum a model up, as on its card. ``emotions``: the classes of the output ``emotion`` that occur in the
    data set. ``comparison_only``: whether the networks exist to be compared with published results, not to be used.
    """

    name: str
    title: str
    outputs: tuple[str, ...]
    dataset: str
    test_split: Split
    validation_split: Split
    metrics: tuple[str, ...]
    emotions: tuple[Emotion, ...] = EMOTIONS
    comparison_only: bool = False
    photo_splits: tuple[Split, ...] = ()
    """Test splits of other data sets: whole photographs, in which the detector finds the faces."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is known about each face afterwards: the outputs, with an age that follows from age groups."""
        return tuple("age" if output == "age_group" else output for output in self.outputs)

    @property
    def splits(self) -> tuple[Split, Split]:
        """The test split, then the validation split."""
        return self.test_split, self.validation_split

    def is_photo_split(self, name: str) -> bool:
        """Return whether ``name`` is one of ``photo_splits``."""
        return any(split.name == name for split in self.photo_splits)

    def classes(self, output: str) -> tuple[str, ...]:
        """Return the class names that a network of this task tells apart, in the order of ``CLASSES``."""
        return self.emotions if output == "emotion" else CLASSES[output]


_FACES = Split("test", "Face detection: test photographs"), Split("validation", "Face detection: validation", True)
_FER2013 = Split("private", "FER2013 PrivateTest"), Split("public", "FER2013 PublicTest", is_validation=True)
_FER2013_FIVE = (
    Split("five_private", "FER2013 PrivateTest, five emotions"),
    Split("five_public", "FER2013 PublicTest, five emotions", is_validation=True),
)
_UTKFACE = (
    Split(
        "test",
        "UTKFace test",
        note="One exception: an early stage drew people over 60 more often after a look at this split.",
    ),
    Split("validation", "UTKFace validation", is_validation=True),
)
_UTKFACE_PUBLISHED = (
    Split(
        "published_test",
        "UTKFace, published split: test",
        note="Some images have a near-duplicate in the training split, as in other published results.",
    ),
    Split("published_validation", "UTKFace, published split: validation", is_validation=True),
)
_PHOTOS_NOTE = "Whole photographs: detector and model together, one view per face."
FAIRFACE = Split("fairface", "FairFace, 2,500 images", note=_PHOTOS_NOTE)
ALL_AGE_FACES = Split("all_age_faces", "All-Age-Faces, 6,518 images", note=_PHOTOS_NOTE)
_AGE_GENDER = Task(
    "age_gender",
    "Age and perceived gender",
    ("age", "gender"),
    "utkface",
    *_UTKFACE,
    metrics=("age_mae", "gender_accuracy"),
    photo_splits=(FAIRFACE, ALL_AGE_FACES),
)
_ALL = (
    Task("detection", "Face detector, five landmarks", (), "faces", *_FACES, ("recall", "false_boxes_all")),
    Task("emotion", "Emotion", ("emotion",), "fer2013", *_FER2013, ("accuracy",)),
    Task(
        "emotion_five",
        "Emotion, five of seven",
        ("emotion",),
        "fer2013_five",
        *_FER2013_FIVE,
        ("accuracy",),
        emotions=FIVE_EMOTIONS,
    ),
    _AGE_GENDER,
    Task("gender", "Perceived gender", ("gender",), "utkface", *_UTKFACE, ("gender_accuracy",)),
    Task("age", "Age", ("age",), "utkface", *_UTKFACE, ("age_mae",)),
    replace(
        _AGE_GENDER,
        name="age_group_gender",
        title="Age group and perceived gender",
        outputs=("age_group", "gender"),
        metrics=("age_mae", "age_group_accuracy", "gender_accuracy"),
        photo_splits=(),
    ),
    Task(
        "age_gender_published",
        "Age from 21 to 60 and perceived gender",
        ("age", "gender"),
        "utkface_published",
        *_UTKFACE_PUBLISHED,
        ("age_mae", "gender_accuracy"),
        comparison_only=True,
    ),
)
TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in _ALL})
"""Name of a task, as on the card of a model -> the task."""
ATTRIBUTE_TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in _ALL if task.outputs})
"""The tasks of networks that read aligned faces: all except detection."""
