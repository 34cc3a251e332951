"""Which networks there are, which is chosen, and how they are opened; with the installed models under other names."""

import pytest

from core.attributes.caffe import CaffeEstimator
from core.attributes.catalog import (
    BASELINE,
    BUILT_IN,
    COMPARED,
    NOT_INCLUDED,
    OWN_FILES,
    list_networks,
    load_networks,
    network_choice,
    resolve_artifact,
)
from core.attributes.estimator import LiteRTEstimator
from core.errors import ArtifactMissingError, ConfigError
from core.settings import DEFAULT_NETWORKS, Attributes, NetworkChoice
from tests.fakes.caffe import write_pair
from tests.fakes.networks import add_artifact, installed_copy


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = installed_copy(tmp_path)
    add_artifact(folder, "ssr_net_age", "age_gender", task="age", recipe="theirs", title="SSR-Net")
    add_artifact(folder, "mini_xception_gender", "age_gender", task="gender", recipe="theirs")
    add_artifact(folder, "a_large_one", "age_gender", served=False, recipe="theirs")
    add_artifact(folder, "a_trial", "age_gender")
    add_artifact(folder, "five_emotions", "emotion", task="emotion_five", recipe="theirs")
    package = {"name": "a-package", "version": "1.0", "registry": "PyPI", "input": "64x64 grey"}
    add_artifact(folder, "a_package", "age_gender", served=False, package=package)  # in no list: it is never served
    add_artifact(folder, "published", "age_gender", task="age_gender_published")
    monkeypatch.setenv("FACET_ARTIFACTS", str(folder))
    monkeypatch.setenv("FACET_CAFFE_DIR", str(tmp_path / "caffe"))
    for name in ("EMOTION", "AGE", "GENDER"):
        monkeypatch.delenv(f"FACET_{name}_NETWORK", raising=False)
    return folder


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("emotion", [("emotion", BUILT_IN), ("five_emotions", BASELINE)]),
        (
            "age",
            [
                ("age_gender", BUILT_IN),
                ("a_trial", BUILT_IN),
                ("ssr_net_age", BASELINE),
                ("published", COMPARED),
                ("a_large_one", NOT_INCLUDED),
                ("caffe", OWN_FILES),
            ],
        ),
        (
            "gender",
            [
                ("age_gender", BUILT_IN),
                ("a_trial", BUILT_IN),
                ("mini_xception_gender", BASELINE),
                ("published", COMPARED),
                ("a_large_one", NOT_INCLUDED),
                ("caffe", OWN_FILES),
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_ours_come_first_and_the_users_own_last(root, attribute, expected):
    assert [(network.name, network.kind) for network in list_networks(attribute)] == expected


def test_titles_come_from_the_cards(root):
    assert {network.name: network.title for network in list_networks("age")}["ssr_net_age"] == "SSR-Net"


def test_the_default_is_listed_even_if_it_is_not_there(tmp_path):
    assert [network.name for network in list_networks("age", tmp_path)] == ["age_gender", "caffe"]


def test_a_broken_card_leaves_the_others(root):
    (root / "ssr_net_age" / "card.json").write_text("{", encoding="utf-8")
    assert "ssr_net_age" not in [network.name for network in list_networks("age")]


class TestChoice:
    def test_ours_by_default(self, root):
        assert network_choice() == DEFAULT_NETWORKS == NetworkChoice("emotion", "age_gender", "age_gender")

    def test_what_is_given_comes_before_the_environment(self, root, monkeypatch):
        monkeypatch.setenv("FACET_AGE_NETWORK", " ssr_net_age ")
        monkeypatch.setenv("FACET_GENDER_NETWORK", "owl")
        given = {"emotion": None, "gender": "caffe"}
        assert network_choice(given) == NetworkChoice("emotion", "ssr_net_age", "caffe")

    @pytest.mark.parametrize("attribute", ["emotion", "age", "gender"])
    def test_an_unknown_name_says_what_is_allowed(self, root, monkeypatch, attribute):
        ours = DEFAULT_NETWORKS.by_attribute[attribute]
        with pytest.raises(ConfigError, match=rf"the {attribute} network must be one of {ours}, .*, got 'owl'"):
            network_choice({attribute: "owl"})
        monkeypatch.setenv(f"FACET_{attribute.upper()}_NETWORK", "owl")
        with pytest.raises(ConfigError, match=rf"FACET_{attribute.upper()}_NETWORK must be one of {ours}, .*'owl'"):
            network_choice()

    @pytest.mark.parametrize("name", ["", "../emotion", "a/b", ".hidden", "a b"])
    def test_a_name_is_that_of_a_folder(self, name):
        with pytest.raises(ConfigError, match="age network must be the name of an artifact's folder"):
            NetworkChoice(age=name)

    @pytest.mark.parametrize("name", ["emotion.v2", "my-network", "a1"])
    def test_a_folder_may_be_called_so(self, name):
        assert NetworkChoice(age=name).age == name

    def test_only_attributes_that_are_read_are_answered(self):
        assert DEFAULT_NETWORKS.for_attributes(Attributes(age=False)) == {"emotion": "emotion", "gender": "age_gender"}


class TestOpening:
    def test_a_network_for_two_attributes_is_opened_once(self, root):
        networks = load_networks(DEFAULT_NETWORKS)
        assert list(networks) == ["emotion", "age", "gender"]
        assert networks["age"] is networks["gender"]
        assert [network.card.name for network in networks.values()] == ["emotion", "age_gender", "age_gender"]
        assert all(isinstance(network, LiteRTEstimator) for network in networks.values())

    def test_attributes_come_from_the_networks_chosen_for_them(self, root):
        choice = NetworkChoice("five_emotions", "ssr_net_age", "mini_xception_gender")
        cards = {attribute: network.card.name for attribute, network in load_networks(choice).items()}
        assert cards == choice.by_attribute

    def test_each_caffe_pair_is_a_network_of_its_own(self, root, tmp_path):
        for attribute in ("age", "gender"):
            write_pair(tmp_path / "caffe", attribute)
        networks = load_networks(NetworkChoice(age="caffe", gender="caffe"))
        assert isinstance(networks["age"], CaffeEstimator)
        assert (networks["age"].card.attributes, networks["gender"].card.attributes) == (("age",), ("gender",))

    def test_parts_are_opened_by_whoever_is_told_to(self, root):
        opened = []
        networks = load_networks(NetworkChoice(age="caffe"), lambda part: opened.append(part) or part)
        assert opened == ["emotion", "caffe_age", "age_gender"]
        assert networks == {"emotion": "emotion", "age": resolve_artifact("caffe", "age"), "gender": "age_gender"}

    @pytest.mark.parametrize(
        ("name", "advice"),
        [("a_large_one", "python -m models export a_large_one --data data"), ("caffe", "FACET_CAFFE_DIR")],
    )
    def test_what_is_not_there_says_what_to_do(self, root, name, advice):
        with pytest.raises(ArtifactMissingError, match=advice):
            load_networks(NetworkChoice(age=name))
