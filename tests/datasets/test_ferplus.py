import csv

import numpy as np
import pytest

from core.datasets.ferplus import CHOICES, FILE, read_votes
from core.errors import DatasetError

HEADER = ["Usage", "Image name", *CHOICES]


def write(folder, rows, header=HEADER):
    with (folder / FILE).open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def votes(**by_choice):
    return [by_choice.get(choice, 0) for choice in CHOICES]


def test_votes_are_found_by_the_row_of_the_training_image(tmp_path):
    write(
        tmp_path,
        [
            ["Training", "fer0000000.png", *votes(neutral=4, sadness=6)],
            ["Training", "", *votes(NF=10)],
            ["Training", "fer0000012.png", *votes(happiness=10)],
            ["PublicTest", "fer0000005.png", *votes(fear=10)],
        ],
    )
    ids = ["Training_00012", "Training_0"] * 9 + ["Training_5", "Training_1"]
    found = read_votes(tmp_path, np.array(ids))
    assert found.dtype == np.float32
    assert found[:2].tolist() == [votes(happiness=10), votes(neutral=4, sadness=6)]
    assert found[-2:].tolist() == [votes(), votes()]


@pytest.mark.parametrize("name", ["Training_77", "Training_angry", "im5"])
def test_images_that_are_not_numbered_by_row_are_refused(tmp_path, name):
    write(tmp_path, [["Training", "fer0000000.png", *votes(neutral=10)]])
    with pytest.raises(DatasetError, match="1 of 2 training images only"):
        read_votes(tmp_path, np.array(["Training_0", name]))


def test_a_missing_file_says_which(tmp_path):
    with pytest.raises(DatasetError, match=FILE):
        read_votes(tmp_path, np.array(["Training_0"]))


def test_another_table_says_what_it_lacks(tmp_path):
    write(tmp_path, [], header=["Usage", "Image name", "neutral"])
    with pytest.raises(DatasetError, match="contempt"):
        read_votes(tmp_path, np.array(["Training_0"]))
