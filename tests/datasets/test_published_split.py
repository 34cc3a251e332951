import pytest

from core.datasets.published_split import FOLDER, load_utkface_published
from core.errors import DatasetError
from tests.datasets.test_splits import utkface_names, write_utkface

NAMES = utkface_names()


@pytest.fixture
def published(tmp_path):
    (write_utkface(tmp_path) / FOLDER).mkdir()
    rows = {"train": [*NAMES[:45], "39_1_20170116174525125.jpg.chip.jpg"], "test": NAMES[45:55]}
    for split, files in rows.items():
        text = "".join(f"{number},{file},1\n" for number, file in enumerate(files))
        (tmp_path / FOLDER / f"{split}.csv").write_text(",file,age\n" + text)
    return tmp_path


def test_validation_is_part_of_the_published_training_split(published):
    data = load_utkface_published(published, 32)
    splits = {split: samples.ids.tolist() for split, samples in data.splits.items()}
    assert splits["published_test"] == sorted(NAMES[45:55])
    assert sorted(splits["train"] + splits["published_validation"]) == sorted(NAMES[:45])
    assert 0 < len(splits["published_validation"]) < 15
    assert [rejected.where for rejected in data.rejected] == ["39_1_20170116174525125.jpg.chip.jpg"]


def test_a_file_in_both_published_splits_is_for_testing_only(published):
    file = published / FOLDER / "train.csv"
    file.write_text(file.read_text() + f"99,{NAMES[50]},1\n")
    data = load_utkface_published(published, 32)
    assert [split for split, samples in data.splits.items() if NAMES[50] in samples.ids] == ["published_test"]


def test_near_duplicates_stay_in_one_split(published):
    data = load_utkface_published(published, 80)
    split_of = {str(i): split for split in ("train", "published_validation") for i in data.splits[split].ids}
    assert data.near_duplicate_pairs == 20
    assert [split_of[name] for name in NAMES[1:45:3]] == [split_of[name] for name in NAMES[2:45:3]]


def test_the_split_does_not_depend_on_the_image_size(published):
    small, large = (load_utkface_published(published, size) for size in (32, 80))
    assert small.fingerprints() == large.fingerprints()


def test_a_split_without_its_images_or_files_says_so(published):
    (published / FOLDER / "test.csv").write_text("file\nnobody.jpg\n")
    with pytest.raises(DatasetError, match=FOLDER):
        load_utkface_published(published, 32)
    (published / FOLDER / "test.csv").unlink()
    with pytest.raises(DatasetError, match="no split file"):
        load_utkface_published(published, 32)
