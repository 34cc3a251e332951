import pytest

from core.errors import ConfigError
from models.readme import BEGIN, END, README, renewed, replaced


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
