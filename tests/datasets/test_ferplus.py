import csv

import numpy as np
import pytest

from core.datasets.ferplus import CHOICES, FILE, read_votes
from core.errors import DatasetError
from core.types import EMOTIONS

HEADER = ["Usage", "Image name", *CHOICES]


def write(folder, rows, header=HEADER):
    with (folder / FILE).open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def votes(**by_choice):
    return [by_choice.get(choice, 0) for choice in CHOICES]


ROWS = [
    ["Training", "fer0000000.png", *votes(neutral=4, sadness=6)],
    ["Training", "", *votes(NF=10)],
    # FER+'s own numbers leave rows out.
    ["Training", "fer0000001.png", *votes(happiness=10)],
    ["Training", "fer0000002.png", *votes(fear=9, surprise=1)],
    ["PublicTest", "fer0000005.png", *votes(fear=10)],
]
SAD, HAPPY, FEAR = (EMOTIONS.index(emotion) for emotion in ("sad", "happy", "fear"))


@pytest.mark.parametrize(
    "ids",
    [["Training_0", "Training_2", "Training_3"], ["Training_00000", "Training_00001", "Training_00002"]],
    ids=["rows of fer2013.csv", "FER+'s own names"],
)
def test_votes_are_found_by_row_or_by_name(tmp_path, ids):
    write(tmp_path, ROWS)
    found = read_votes(tmp_path, np.array(ids), np.array([SAD, HAPPY, FEAR]))
    assert found.dtype == np.float32
    assert found.tolist() == [votes(neutral=4, sadness=6), votes(happiness=10), votes(fear=9, surprise=1)]


def test_votes_are_found_in_a_clone_of_their_repository(tmp_path):
    clone = tmp_path / "FERPlus-master"
    clone.mkdir()
    with (clone / "fer2013new.csv").open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows([[f" {name} " for name in HEADER], *ROWS])
    ids = np.array(["Training_sad_fer0000000", "Training_happy_fer0000001"])
    found = read_votes(tmp_path, ids, np.array([SAD, HAPPY]))
    assert found.tolist() == [votes(neutral=4, sadness=6), votes(happiness=10)]


def test_an_image_that_is_not_there_has_no_votes(tmp_path):
    write(tmp_path, ROWS)
    ids, labels = ["Training_0", "Training_2"] * 9 + ["Training_1"], [SAD, HAPPY] * 9 + [FEAR]
    assert read_votes(tmp_path, np.array(ids), np.array(labels))[-1].tolist() == votes()


@pytest.mark.parametrize("name", ["Training_77", "Training_angry", "im5"])
def test_images_without_a_number_that_is_known_are_refused(tmp_path, name):
    write(tmp_path, ROWS)
    with pytest.raises(DatasetError, match="1 of 2 training images only"):
        read_votes(tmp_path, np.array(["Training_0", name]), np.array([SAD, SAD]))


def test_votes_for_other_images_are_refused(tmp_path):
    write(tmp_path, ROWS)
    with pytest.raises(DatasetError, match="other votes than labels: 0% of"):
        read_votes(tmp_path, np.array(["Training_0", "Training_2"]), np.array([FEAR, SAD]))


def test_a_table_says_what_it_lacks(tmp_path):
    with pytest.raises(DatasetError, match=FILE):
        read_votes(tmp_path, np.array(["Training_0"]), np.array([SAD]))
    write(tmp_path, [], header=["Usage", "Image name", "neutral"])
    with pytest.raises(DatasetError, match="contempt"):
        read_votes(tmp_path, np.array(["Training_0"]), np.array([SAD]))
