from core.datasets.samples import Rejected, describe_rejected


def test_rejections_are_counted_by_reason_with_examples():
    rejected = [Rejected(f"train/anger/{n}.png", "unreadable image") for n in range(3)]
    rejected += [Rejected("row 7", "wrong size")]
    assert describe_rejected(rejected) == (
        "left out: 4 files or rows: 3 unreadable image (train/anger/0.png, train/anger/1.png, ...); "
        "1 wrong size (row 7)"
    )
    assert describe_rejected([]) == ""


def test_rare_reasons_are_summed_up():
    rejected = [Rejected(f"row {n}", f"reason {n}") for n in range(11)]
    assert describe_rejected(rejected).endswith("1 reason 7 (row 7); 3 for 3 other reasons")
