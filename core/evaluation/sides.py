"""The test sets that figures are reported on, and what each was used for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluationSide:
    """One side of a data set: ``task`` and ``side`` as on the card and in ``predictions.npz``."""

    task: str
    side: str
    title: str
    chosen_on: bool
    """True if training chose its checkpoint here, which makes the figures slightly too good."""

    @property
    def role(self) -> str:
        if self.chosen_on:
            return (
                f"{self.title} was used for choosing: the saved epoch is the one that did best here, so its "
                "figures are slightly optimistic. Quote the reporting set instead."
            )
        return f"{self.title} is the reporting set: no image of it took part in training or in any choice."


EVALUATION_SIDES: tuple[EvaluationSide, ...] = (
    EvaluationSide("emotion", "private", "FER2013 PrivateTest", chosen_on=False),
    EvaluationSide("emotion", "public", "FER2013 PublicTest", chosen_on=True),
    EvaluationSide("age_gender", "test", "UTKFace test", chosen_on=False),
    EvaluationSide("age_gender", "validation", "UTKFace validation", chosen_on=True),
)


def side_for(task: str, *, chosen_on: bool) -> EvaluationSide:
    """Of the networks of ``task``: the side that training chose on, or the one for reporting."""
    return next(one for one in EVALUATION_SIDES if (one.task, one.chosen_on) == (task, chosen_on))


DETECTOR_SIDE = EvaluationSide("face_detector", "test", "Finding faces: test photographs", chosen_on=False)
"""For the detectors, which have a report of their own instead of predictions."""
