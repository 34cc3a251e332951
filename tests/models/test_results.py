import json
import shutil

import pandas as pd
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, CARD_FILE
from core.errors import ArtifactError, ArtifactMissingError, ConfigError
from models.results import BEGIN, END, main, render, replace_between_markers, to_markdown


def test_the_documents_show_what_the_artifacts_give():
    assert main(["--check"]) == 0, "run `make results`"


def test_a_table_has_display_names_units_and_intervals():
    table = pd.DataFrame(
        {
            "model": ["a"],
            "recall": [0.5],
            "recall_low": [0.4],
            "recall_high": [0.6],
            "age_mae": [4.567],
            "age_bias": [1.0],
            "ece": [0.0271],
            "people": [1234],
            "nme": [float("nan")],
        }
    )
    header, _, row = to_markdown(table).splitlines()
    assert header == "| Model | Recall | Age MAE (years) | Age bias (years) | " + header.split(" | ", 4)[-1]
    assert row == "| a | 50.0% (40.0% to 60.0%) | 4.57 | +1.00 | 0.027 | 1,234 | – |"


def test_only_what_is_between_the_markers_changes():
    assert replace_between_markers(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb"


@pytest.mark.parametrize("text", ["nothing", f"a\n{BEGIN}\nold"], ids=["no markers", "no end"])
def test_a_readme_without_markers_is_refused(text):
    with pytest.raises(ConfigError, match="lacks"):
        replace_between_markers(text, "new")


@pytest.fixture
def artifacts(tmp_path):
    for folder in ARTIFACTS_DIR.iterdir():
        if folder.is_dir():
            shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("model.keras"))
    return tmp_path


@pytest.mark.parametrize(
    ("key", "command"), [("framing", "models alignment"), ("two_views", "models evaluate age_gender --tta --store")]
)
def test_metrics_of_an_older_export_are_not_shown(artifacts, key, command):
    file = artifacts / "age_gender" / CARD_FILE
    card = json.loads(file.read_text())
    del card[key]
    file.write_text(json.dumps(card))
    with pytest.raises(ArtifactMissingError, match=f"python -m {command}"):
        render(artifacts)


def test_an_incomplete_leaderboard_is_refused(artifacts):
    (artifacts / "four_conv" / CARD_FILE).write_text("{")
    with pytest.raises(ArtifactError, match="not be complete"):
        render(artifacts)
