from __future__ import annotations

from dataclasses import replace

from core.evaluation.detection.report import RaterScatter
from core.evaluation.detection.tables import scatter_table, share_table
from tests.fakes.detection import example_report

REPORT, _, _ = example_report()
COMPACT, HAAR = REPORT.detectors["compact"], REPORT.detectors["haar"]


def test_a_share_is_one_row_with_its_interval() -> None:
    table = share_table({"haar": HAAR}, lambda one: one.setups["as_is"].by_size)
    first = HAAR.setups["as_is"].by_size[0]
    assert len(table) == len(HAAR.setups["as_is"].by_size)
    assert table.iloc[0].tolist() == [
        HAAR.title,
        first.label,
        first.found.value,
        first.found.low,
        first.found.high,
        first.found.n,
    ]


def test_scatter_is_told_of_detectors_with_points_only() -> None:
    setup = replace(COMPACT.setups["as_is"], scatter=RaterScatter(0.1, 0.2, 0.3, 7))
    table = scatter_table({"compact": replace(COMPACT, setups={"as_is": setup}), "haar": HAAR}, "as_is")
    assert table.to_dict("records") == [
        {
            "detector": COMPACT.title,
            "people_share": 0.1,
            "machine_share": 0.2,
            "detector_share": 0.3,
            "faces": 7,
        }
    ]
    assert scatter_table({"haar": HAAR}, "as_is").empty
