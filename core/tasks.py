"""The test sets that figures are reported on, what each was used for, and which networks are measured on which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluationSide:
    """One side of a data set, for the networks of one task: ``task`` and ``side`` as on the card and in
    ``predictions.npz``. Sides with the same ``title`` hold the same images."""

    task: str
    side: str
    title: str
    chosen_on: bool
    """True if training chose its checkpoint here, which makes the figures slightly too good."""
    caveat: str = ""
    """An exception to what ``role`` says of all reporting sides."""

    @property
    def role(self) -> str:
        if self.chosen_on:
            return (
                f"{self.title} is the choosing set: the version of the network that did best on these images was kept, "
                "so that figures are slightly too good here. Quote the reporting set instead."
            )
        return (
            f"{self.title} is the reporting set: no network learnt from its images, and no setting was chosen by "
            f"looking at them. {self.caveat}".rstrip()
        )


@dataclass(frozen=True, slots=True)
class DatasetSides:
    """Names and titles of a data set's two sides: the one for reporting, and the one that training chooses on."""

    reporting: str
    reporting_title: str
    choosing: str
    choosing_title: str
    caveat: str = ""

    def for_task(self, task: str) -> tuple[EvaluationSide, EvaluationSide]:
        return (
            EvaluationSide(task, self.reporting, self.reporting_title, chosen_on=False, caveat=self.caveat),
            EvaluationSide(task, self.choosing, self.choosing_title, chosen_on=True),
        )


DATASET_OF: Mapping[str, str] = {
    "emotion": "fer2013",
    "emotion_five": "fer2013_five",
    "age_gender": "utkface",
    "gender": "utkface",
    "age": "utkface",
    "age_group_gender": "utkface",
    "age_gender_published": "utkface_published",
}
"""Task of a network -> the data set that it learns from and is measured on, by the name of its ``SplitDataset``."""
DATASET_SIDES: Mapping[str, DatasetSides] = {
    "fer2013": DatasetSides("private", "FER2013 PrivateTest", "public", "FER2013 PublicTest"),
    "fer2013_five": DatasetSides(
        "five_private", "FER2013 PrivateTest, five emotions", "five_public", "FER2013 PublicTest, five emotions"
    ),
    "utkface": DatasetSides(
        "test",
        "UTKFace test",
        "validation",
        "UTKFace validation",
        "One thing was decided after a look at it: that people from 60 on are drawn more often in the last rounds of "
        "our own network.",
    ),
    "utkface_published": DatasetSides(
        "published_test",
        "UTKFace, published split: test",
        "published_validation",
        "UTKFace, published split: validation",
        "Some of its images have a near-duplicate among the training images, which others leave in as well.",
    ),
}
EVALUATION_SIDES: tuple[EvaluationSide, ...] = tuple(
    side for task, dataset in DATASET_OF.items() for side in DATASET_SIDES[dataset].for_task(task)
)


def side_for(task: str, *, chosen_on: bool) -> EvaluationSide:
    """Of the networks of ``task``: the side that training chose on, or the one for reporting."""
    return next(one for one in EVALUATION_SIDES if (one.task, one.chosen_on) == (task, chosen_on))


def side_titled(task: str, side: str) -> str:
    """The title of a side of the networks of ``task``; its name where there is no such side."""
    return next((one.title for one in EVALUATION_SIDES if (one.task, one.side) == (task, side)), side)


def sides_titled(title: str) -> tuple[EvaluationSide, ...]:
    """The same images for the networks of every task that is measured on them."""
    return tuple(one for one in EVALUATION_SIDES if one.title == title)


DETECTOR_SIDE = EvaluationSide("face_detector", "test", "Finding faces: test photographs", chosen_on=False)
"""For the detectors, which have a report of their own instead of predictions."""
