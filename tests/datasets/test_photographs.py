"""Photographs of other data sets, from small made-up copies."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.datasets.photographs import list_photographs
from core.datasets.samples import Rejected
from core.errors import DatasetError


def write(file: Path, size: int = 224) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.full((size, size, 3), 90, np.uint8))


def test_fairface_is_the_first_2500_of_the_validation_side(tmp_path: Path) -> None:
    rows = ["file,age,gender,race,service_test"]
    rows += [f"val/{number}.jpg,more than 70,Female,Indian,True" for number in (2501, 2502, 2500, 1, 3)]
    (tmp_path / "fairface").mkdir()
    (tmp_path / "fairface/fairface_label_val.csv").write_text("\n".join([*rows, "val/2.jpg,0-2,Male,White,True"]))
    for number, size in ((1, 448), (2, 100), (2500, 224), (2501, 224)):
        write(tmp_path / f"fairface/val/{number}.jpg", size)
    listed, rejected = list_photographs("fairface", tmp_path)
    photographs = {photograph.id: photograph for photograph in listed}
    assert rejected == [Rejected("val/3.jpg", "not in this copy of the data set")]
    assert list(photographs) == ["val/2500.jpg", "val/1.jpg", "val/2.jpg"]
    assert photographs["val/1.jpg"].labels == {"age_low": 70, "gender": 1, "fairface_race": 5}
    large = photographs["val/1.jpg"].read()
    assert isinstance(large, np.ndarray)
    assert large.shape == (192, 192, 3), "what the small margin shows"
    assert photographs["val/2.jpg"].read() == "size is neither 224x224 nor 448x448"


def test_all_age_faces_are_its_rows_val(tmp_path: Path) -> None:
    rows = ["file,split,age,gender", "a.jpg,val,2,female", "b.jpg,train,30,male", "c.jpg,val,old,male", "d.jpg,val,9,"]
    write(tmp_path / "aaf/a.jpg", 30)
    (tmp_path / "aaf/labels.csv").write_text("\n".join(rows))
    (photograph,), rejected = list_photographs("all_age_faces", tmp_path)
    assert rejected == [Rejected("c.jpg", "unknown age old"), Rejected("d.jpg", "unknown gender ")]
    assert (photograph.id, photograph.labels) == ("a.jpg", {"age": 2, "gender": 1})
    image = photograph.read()
    assert isinstance(image, np.ndarray)
    assert image.shape == (30, 30, 3)
    (tmp_path / "aaf/a.jpg").unlink()
    assert photograph.read() == "unreadable image"


@pytest.mark.parametrize("split", ["fairface", "all_age_faces"])
def test_missing_data_sets_are_named(tmp_path: Path, split: str) -> None:
    with pytest.raises(DatasetError, match="expected DIR"):
        list_photographs(split, tmp_path)
