import json
import shutil

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, CARD_FILE
from core.errors import ArtifactMissingError, ConfigError
from models.results import BEGIN, END, README, render, renewed, replaced


def test_the_readme_shows_what_the_artifacts_give():
    text = README.read_text(encoding="utf-8")
    assert renewed(text) == text, "run `make readme`"


def test_only_what_is_between_the_markers_changes():
    assert replaced(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb"


def test_other_markers_can_be_given():
    assert replaced("a <b> c <d> e", "new", ("<b>", "<d>")) == "a <b>\n\nnew\n\n<d> e"


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ConfigError, match="lacks"):
        replaced("nothing", "new")


def test_a_readme_without_the_end_is_refused():
    with pytest.raises(ConfigError, match="lacks"):
        replaced(f"a\n{BEGIN}\nold", "new")


@pytest.mark.parametrize(
    ("key", "command"), [("framing", "models alignment"), ("two_views", "models evaluate --tta --store")]
)
def test_what_was_measured_with_an_older_export_is_not_shown(tmp_path, key, command):
    for name in ("emotion", "age_gender"):
        shutil.copytree(ARTIFACTS_DIR / name, tmp_path / name)
    file = tmp_path / "age_gender" / CARD_FILE
    card = json.loads(file.read_text())
    del card[key]
    file.write_text(json.dumps(card))
    with pytest.raises(ArtifactMissingError, match=f"python -m {command} age_gender"):
        render(tmp_path)
