"""Networks that timm builds: described as data, named by people, and equal to timm's own models."""

import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluators.counts import networks as counts
from search_spaces import PAPER, TimmNetwork
from search_spaces.common import networks
from search_spaces.common.errors import InvalidArchitecture, MeasurementFailed, UsageError
from search_spaces.peers import timm_models

LETTERS = {"depths": (1, 2, 3, 1), "dims": (32, 64, 96, 128), "token_mixers": ("C", "C", "A", "A")}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-1000, 1000) | st.floats(-10, 10) | st.sampled_from(["C", "mbconv"]),
    lambda inner: st.lists(inner, min_size=1, max_size=4),
    max_leaves=6,
)


def test_describing_one_imports_neither_torch_nor_timm() -> None:
    code = (
        "import sys; from search_spaces import TimmNetwork; print(TimmNetwork(model='fastvit_sa24').id);"
        "print(sorted({'torch', 'timm'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["82455fd51363", "[]"], "the id of a stored network never changes"


def test_it_is_named_by_its_model_and_by_what_differs() -> None:
    assert str(TimmNetwork(model="fastvit_sa24")) == "timm:fastvit_sa24"
    network = TimmNetwork(model="caformer_s18", options=tuple(LETTERS.items()))
    assert str(network) == "timm:caformer_s18:depths=1-2-3-1,dims=32-64-96-128,token_mixers=CCAA"
    assert network == TimmNetwork(model="caformer_s18", options=tuple(reversed(LETTERS.items())))


@given(st.dictionaries(st.sampled_from(["depths", "dims", "act"]), VALUES))
def test_it_survives_json(options: dict[str, Any]) -> None:
    try:
        network = TimmNetwork(model="fastvit_sa24", options=tuple(options.items()))
    except InvalidArchitecture:
        return  # deeper than an option may be
    again = networks.from_json(network.to_json())
    assert again == network and again.id == network.id and hash(again) == hash(network)
    assert networks.from_dict(json.loads(network.canonical_json())) == network


def test_the_schema_of_a_file_says_which_family_it_is() -> None:
    for network in (PAPER["next-vit-s"], TimmNetwork(model="resnet50")):
        assert networks.from_dict(network.to_dict() | {"provenance": {"run": "x"}}) == network


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "../secret"}, "no name of a model"),
        ({"model": 5}, "no name of a model"),
        ({"options": []}, "expected a JSON object"),
        ({"options": {"pretrained": True}}, "'pretrained' is no option"),
        ({"options": {"depths": [[[[1]]]]}}, "no number, word or list"),
        ({"options": {"depths": 1e9}}, "no number, word or list"),
        ({"options": {"act": "__import__('os')"}}, "no number, word or list"),
        ({"weights": "x"}, "unknown field 'weights'"),
        ({"schema": "nas.timm/2"}, "schema"),
    ],
)
def test_what_is_none_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArchitecture, match=words):
        networks.from_dict(TimmNetwork(model="fastvit_sa24").to_dict() | change)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timm:fastvit_sa42", r"(?s)no model called 'fastvit_sa42'.*did you mean 'timm:fastvit_sa24'"),
        ("timm:fastvit_sa24.apple_in1k", r"(?s)asks for the weights 'apple_in1k'.*write timm:fastvit_sa24"),
        ("timm:", "no model called ''"),
        ("timm:hf_hub:x/y", "no model called"),
    ],
)
def test_a_name_that_timm_does_not_have_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        networks.find(text)


def test_a_model_without_options_is_timms_own() -> None:
    import timm

    torch.manual_seed(0)
    theirs = timm.create_model("test_coatnet", num_classes=10, img_size=64).eval()
    torch.manual_seed(0)
    ours = timm_models.build(networks.find("timm:test_coatnet"), classes=10, resolution=64)  # type: ignore[arg-type]
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(images), theirs(images))


def test_options_of_a_metaformer_build_what_timm_has_under_its_name() -> None:
    import timm

    options = {"depths": (3, 3, 9, 3), "dims": (64, 128, 320, 512)}
    for model, mixers in (("caformer_s18", "CCAA"), ("convformer_s18", "CCCC")):
        network = TimmNetwork(model=model, options=(*options.items(), ("token_mixers", tuple(mixers))))
        ours = timm_models.build(network, classes=10)
        theirs = timm.create_model(model, num_classes=10).eval()
        theirs.load_state_dict(ours.state_dict())
        images = torch.randn(1, 3, 64, 64)
        assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("model", ["test_coatnet", "test_vit"])
def test_a_size_that_a_model_does_not_take_is_refused_with_the_one_that_it_takes(model: str) -> None:
    with pytest.raises(MeasurementFailed, match=rf"(?s)cannot run timm:{model} on images of 100 px.*images of 160 px"):
        counts.total(TimmNetwork(model=model), 100)


def test_weights_of_another_network_are_refused() -> None:
    network = TimmNetwork(model="test_coatnet")
    module = timm_models.build(network, resolution=64)
    timm_models.load(network, module, module.state_dict())
    with pytest.raises(UsageError, match="not the weights of timm:test_coatnet"):
        timm_models.load(network, module, {"head.weight": torch.zeros(1)})
