import csv
import io

from models.cards import joined_history


def run_folder(root, name, elapsed_s):
    folder = root / name
    folder.mkdir()
    rows = ["epoch,elapsed_s,loss"] + [f"{n},{s},{1 / n}" for n, s in enumerate(elapsed_s, start=1)]
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_rounds_are_counted_on_also_where_the_clock_restarted(tmp_path):
    first = run_folder(tmp_path, "first", [10.0, 20.0, 9.0, 21.0])
    second = run_folder(tmp_path, "second", [5.0, 11.0])
    rows = list(csv.DictReader(io.StringIO(joined_history([first, second]))))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [float(row["elapsed_s"]) for row in rows] == [10, 20, 29, 41, 46, 52]
    assert [row["round"] for row in rows] == ["1", "1", "1", "1", "2", "2"]
    assert rows[4]["loss"] == "1.0"
