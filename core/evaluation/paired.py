"""How far networks are apart that answered the same images: compared image by image, from their stored answers.

Each figure's own interval cannot tell: what is hard for one network is mostly hard for the others too, so two networks
whose intervals overlap may still differ for certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import PREDICTIONS_FILE
from core.errors import ArtifactError
from core.evaluation.intervals import MetricValue, mean_difference
from core.evaluation.leaderboard import Group
from core.evaluation.measures import Measure
from core.evaluation.predictions import Predictions, load_predictions


def differences_to_best(group: Group, root: Path) -> Mapping[str, MetricValue]:
    """Network -> its figure minus that of the first of ``group``, in the unit of the measure, with the interval of the
    difference. ``root`` has the artifacts; those whose answers cannot be read or are about other images are left out.
    """
    scores = {}
    for row in group.rows:
        try:
            splits = load_predictions(root / row.network.name / PREDICTIONS_FILE)
        except ArtifactError:
            continue
        predictions = splits.get(group.test_split.name)
        found = None if predictions is None else by_image(predictions, group.measure)
        if found is not None:
            scores[row.network.name] = found
    first = group.rows[0].network.name
    best = scores.pop(first, {})
    return {
        name: mean_difference(np.array([score - best[image] for image, score in one.items()]))
        for name, one in scores.items()
        if one.keys() == best.keys()
    }


def by_image(predictions: Predictions, measure: Measure) -> dict[str, float] | None:
    """Id of an image -> 1 for a right answer and 0 for a wrong one, or how many years the answer is off; ``None`` if
    the predictions are about something else."""
    scores: NDArray[np.bool_] | NDArray[np.float64]
    if measure.output in predictions.probabilities:
        scores = predictions.predicted(measure.output) == predictions.truth[measure.output]
    elif measure.output == "age" and predictions.age is not None:
        scores = np.abs(predictions.age_errors)
    else:
        return None
    return dict(zip(predictions.ids.tolist(), scores.astype(np.float64).tolist(), strict=True))
