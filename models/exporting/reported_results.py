"""Results that the authors of the baselines report, to stand beside the measured ones.

With those in ``core.evaluation`` they are the only numbers in the project that are typed in: they were measured by
others, mostly on other data and splits, and cannot be computed here. They are never mixed with measured numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNNAMED = "a report without a name"


@dataclass(frozen=True)
class ReportedResult:
    """One reported metric of one output.

    ``text`` is the wording of the source; ``low`` and ``high`` differ only where a range is reported: a share in [0, 1]
    for ``accuracy``, years for ``mae``.
    """

    output: str
    measure: str
    text: str
    low: float
    high: float
    source: str

    def __post_init__(self) -> None:
        if self.measure not in ("accuracy", "mae"):
            raise ValueError(f"a reported result's measure must be accuracy or mae, got {self.measure!r}")
        if not 0 <= self.low <= self.high or (self.measure == "accuracy" and self.high > 1):
            raise ValueError(f"a reported result needs 0 <= low <= high, shares at most 1, got {self.low}, {self.high}")


def _accuracy(output: str, text: str, value: float, source: str, high: float | None = None) -> ReportedResult:
    return ReportedResult(output, "accuracy", text, value, value if high is None else high, source)


_ARRIAGA = "Arriaga, Valdenegro-Toro & Plöger, arXiv:1710.07557"
_LEVI = "Levi & Hassner, CVPR workshops 2015"

REPORTED_RESULTS: Mapping[str, tuple[ReportedResult, ...]] = {
    "six_conv_emotion": (_accuracy("emotion", "about 50 %", 0.50, UNNAMED),),
    "six_conv_gender": (_accuracy("gender", "94 %", 0.94, UNNAMED),),
    "three_conv_emotion": (_accuracy("emotion", "58.2 %", 0.582, UNNAMED),),
    "three_conv_gender": (_accuracy("gender", "94.5 % on 200 images", 0.945, UNNAMED),),
    "mobilenet_transfer_emotion": (_accuracy("emotion", "40 %", 0.40, UNNAMED),),
    "mobilenet_transfer_gender": (_accuracy("gender", "92 %", 0.92, UNNAMED),),
    "five_emotions": (_accuracy("emotion", "66 % on five classes", 0.66, UNNAMED),),
    "four_conv": (
        _accuracy("emotion", "61.6 % on validation", 0.616, UNNAMED),
        _accuracy("emotion", "85 %, elsewhere", 0.85, UNNAMED),
    ),
    "tflearn_cnn": (
        _accuracy("emotion", "67 %", 0.67, "Correa, Jonker, Ozo & Stolk, TU Delft 2016; their repository's README"),
    ),
    "mini_xception_emotion": (_accuracy("emotion", "66 % on FER2013", 0.66, _ARRIAGA),),
    "mini_xception_gender": (_accuracy("gender", "95-96 % on IMDB", 0.95, _ARRIAGA, 0.96),),
    "ssr_net_age": (ReportedResult("age", "mae", "MAE 3.16 on MORPH2", 3.16, 3.16, "Yang et al., IJCAI 2018"),),
    # The authors report no result for gender.
    "ssr_net_gender": (),
    "vgg16_age": (_accuracy("age", "64 % right, not said of what", 0.64, UNNAMED),),
    "levi_hassner": (
        _accuracy("age_group", "50.7 % on Adience", 0.507, _LEVI),
        _accuracy("gender", "86.8 % on Adience", 0.868, _LEVI),
    ),
}
