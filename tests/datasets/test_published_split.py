import pytest

from core.datasets.published_split import FOLDER, load_utkface_published
from core.errors import DatasetError
from tests.datasets.test_splits import scene, write

COUNT = 60


def names():
    return [f"{20 + number}_0_1_{number}.jpg.chip.jpg" for number in range(COUNT)]


@pytest.fixture
def made_up(tmp_path):
    for number, name in enumerate(names()):
        # Every third image shows the picture of the one before it.
        write(tmp_path / "UTKFace" / name, scene(number - 1 if number % 3 == 2 else number, 200, 3))
    (tmp_path / FOLDER).mkdir()
    rows = {"train": [*names()[:45], "39_1_20170116174525125.jpg.chip.jpg"], "test": names()[45:55]}
    for split, files in rows.items():
        text = "".join(f"{number},{file},1\n" for number, file in enumerate(files))
        (tmp_path / FOLDER / f"{split}.csv").write_text(",file,age\n" + text)
    return tmp_path


def test_the_published_test_split_is_kept_and_validation_is_part_of_the_training_split(made_up):
    data = load_utkface_published(made_up, 32)
    splits = {split: samples.ids.tolist() for split, samples in data.splits.items()}
    assert splits["published_test"] == sorted(names()[45:55])
    assert sorted(splits["train"] + splits["published_validation"]) == sorted(names()[:45])
    assert 0 < len(splits["published_validation"]) < 15
    assert [rejected.where for rejected in data.rejected] == ["39_1_20170116174525125.jpg.chip.jpg"]


def test_a_file_in_both_published_splits_is_for_testing_only(made_up):
    file = made_up / FOLDER / "train.csv"
    file.write_text(file.read_text() + f"99,{names()[50]},1\n")
    data = load_utkface_published(made_up, 32)
    assert [split for split, samples in data.splits.items() if names()[50] in samples.ids] == ["published_test"]


def test_near_duplicates_are_all_in_training_or_all_in_validation(made_up):
    data = load_utkface_published(made_up, 80)
    split_of = {str(i): split for split in ("train", "published_validation") for i in data.splits[split].ids}
    assert data.near_duplicate_pairs == 20
    for number in range(1, 45, 3):
        assert split_of[names()[number]] == split_of[names()[number + 1]]


def test_the_split_does_not_depend_on_the_image_size(made_up):
    small, large = (load_utkface_published(made_up, size) for size in (32, 80))
    assert small.fingerprints() == large.fingerprints()


def test_a_split_without_its_images_or_files_says_so(made_up):
    (made_up / FOLDER / "test.csv").write_text("file\nnobody.jpg\n")
    with pytest.raises(DatasetError, match=FOLDER):
        load_utkface_published(made_up, 32)
    (made_up / FOLDER / "test.csv").unlink()
    with pytest.raises(DatasetError, match="no split file"):
        load_utkface_published(made_up, 32)
