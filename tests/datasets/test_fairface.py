import cv2
import numpy as np
import pytest

from core.datasets.fairface import FAIRFACE_RACES, list_fairface, read_fairface
from core.errors import DatasetError

HEADING = "file,age,gender,race,service_test"


def scene(size):
    return cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8), (size, size))


def write(root, name, image):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / name), image)


def write_table(file, *rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(rows))


@pytest.mark.parametrize(
    ("tables", "images"),
    [
        ("fairface", "fairface"),
        ("FairFace", "FairFace/fairface-img-margin025-trainval"),
        ("", "archive/FairFace"),
    ],
    ids=["side by side", "as unpacked", "table outside"],
)
def test_the_distributed_form(tmp_path, tables, images):
    write_table(tmp_path / tables / "fairface_label_train.csv", HEADING, "train/1.jpg,50-59,Male,East Asian,True")
    write_table(
        tmp_path / tables / "fairface_label_val.csv", HEADING, "val/1.jpg,more than 70,Female,Latino_Hispanic,False"
    )
    for name in ("train/1.jpg", "val/1.jpg"):
        write(tmp_path / images, name, scene(224))
    dataset = read_fairface(tmp_path, 32)
    samples = dataset.samples
    assert samples.ids.tolist() == ["train/1.jpg", "val/1.jpg"]
    assert samples.images.shape == (2, 32, 32, 3)
    assert samples.labels["split"].tolist() == ["train", "test"]
    assert samples.labels["age_low"].tolist() == [50, 70]
    assert samples.labels["age_high"].tolist() == [59, 100]
    assert samples.labels["gender"].tolist() == [0, 1]
    assert [FAIRFACE_RACES[race] for race in samples.labels["race"]] == ["East Asian", "Latino_Hispanic"]
    assert dataset.files["val/1.jpg"] == tmp_path / images / "val/1.jpg"
    assert dataset.rejected == ()


def test_one_table_with_splits(tmp_path):
    write_table(
        tmp_path / "fairface/labels.csv",
        "file,split,age_low,age_high,gender,race",
        "train/9.jpg,train,0,2,female,Black",
        "val/9.jpg,test,70,,male,White",
    )
    for name in ("train/9.jpg", "val/9.jpg"):
        write(tmp_path / "fairface", name, scene(224))
    listed, rejected = list_fairface(tmp_path)
    assert [(i.id, i.split, i.age_low, i.age_high) for i in listed] == [
        ("train/9.jpg", "train", 0, 2),
        ("val/9.jpg", "test", 70, 100),
    ]
    assert rejected == ()
    named = read_fairface(tmp_path, 32, ["val/9.jpg", "val/10.jpg"])
    assert named.samples.ids.tolist() == ["val/9.jpg"]
    assert [(r.where, r.reason) for r in named.rejected] == [("val/10.jpg", "not in this copy of the data set")]


def test_the_large_margin_is_cut_to_the_small_one(tmp_path):
    wide = np.zeros((448, 448, 3), np.uint8)
    wide[128:320, 128:320] = 200
    write_table(tmp_path / "fairface_label_val.csv", HEADING, "val/1.jpg,3-9,Male,White,True")
    write(tmp_path / "fairface-img-margin125-trainval", "val/1.jpg", wide)
    assert read_fairface(tmp_path, 48).samples.images[0, 2:-2, 2:-2].min() > 190
    write(tmp_path / "fairface-img-margin025-trainval", "val/1.jpg", np.full((224, 224, 3), 90, np.uint8))
    assert read_fairface(tmp_path, 48).samples.images.max() < 100, "the small margin is preferred"


def test_rejected_rows_have_a_reason(tmp_path):
    write_table(
        tmp_path / "fairface/val_labels.csv",
        HEADING,
        "val/1.jpg,20-29,Male,White,True",
        "val/1.jpg,20-29,Male,White,True",
        "val/2.jpg,9-Mar,Male,White,True",
        "val/3.jpg,3-9,,White,True",
        "val/4.jpg,3-9,Male,Martian,True",
        "val/5.jpg,3-9,Male,White,True",
        "val/6.jpg,3-9,Male,White,True",
        "../7.jpg,3-9,Male,White,True",
    )
    write(tmp_path / "fairface", "val/1.jpg", scene(224))
    write(tmp_path / "fairface", "val/6.jpg", scene(100))
    dataset = read_fairface(tmp_path, 32)
    assert dataset.samples.ids.tolist() == ["val/1.jpg"]
    assert {rejected.where: rejected.reason for rejected in dataset.rejected} == {
        "val/1.jpg": "name occurs twice",
        "val/2.jpg": "unknown age bracket 9-Mar",
        "val/3.jpg": "unknown gender ",
        "val/4.jpg": "unknown race Martian",
        "val/5.jpg": "not in this copy of the data set",
        "val/6.jpg": "size is neither 224x224 nor 448x448",
        "../7.jpg": "file is not in train/ or val/",
    }


@pytest.mark.parametrize("table", [False, True], ids=["nothing", "no images"])
def test_no_samples_say_what_was_expected(tmp_path, table):
    if table:
        write_table(tmp_path / "fairface_label_val.csv", HEADING, "val/1.jpg,20-29,Male,White,True")
    with pytest.raises(DatasetError, match="expected DIR/fairface"):
        read_fairface(tmp_path, 32)
