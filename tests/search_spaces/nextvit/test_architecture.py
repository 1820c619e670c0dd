"""Architectures: the same bytes for the same network, and no network that cannot be built."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import PAPER, Architecture, Stage
from search_spaces.common.errors import InvalidArchitecture, UnknownName
from search_spaces.nextvit.architecture import VARIANTS
from search_spaces.nextvit.reading import find
from search_spaces.nextvit.stage import LETTERS, attention_width
from tests.networks import CORNERS, EVERY, TINY, small

S = PAPER["next-vit-s"]
GOLDEN = Path(__file__).parents[2] / "golden"
IDS = {"next-vit-s": "a962a89c252d", "next-vit-b": "b1026ac705a3", "next-vit-l": "ca32f8f9dd62"}
CORNER_IDS = {  # as they were before there were variants and other blocks
    "all convolution": "5dad48f9fb38",
    "all transformer": "43a8bf2db805",
    "transformer first": "e2635c215948",
    "no attention": "3d0863a211f7",
    "attention alone": "7713fe4af9e9",
    "half": "0ebc34b717a1",
}

widths = st.integers(4, 32).map(lambda n: 32 * n)
stages = st.builds(
    Stage,
    blocks=st.text("CT", min_size=1, max_size=8) | st.text(LETTERS, min_size=1, max_size=8),
    zoo_widths=st.dictionaries(st.sampled_from(LETTERS), widths),
    conv_width=st.integers(1, 32).map(lambda n: 32 * n),
    transformer_width=widths,
    mix_block_ratio=st.sampled_from([0, 0.25, 0.5, 0.75, 1]),
    sr_ratio=st.sampled_from([1, 2, 4, 8]),
)
architectures = st.builds(
    Architecture,
    stages=st.tuples(stages, stages, stages, stages),
    **{name: st.sampled_from(choices) for name, choices in VARIANTS.items()},
)


def test_the_notation_of_the_papers_networks() -> None:
    assert str(S) == "CCC-CCCT-CCCCTCCCCT-CCT"
    assert Architecture.from_notation("ccc-ccct-cccctcccct-cct") == S
    assert [len(PAPER[name].blocks[2]) for name in PAPER] == [10, 20, 30]


@pytest.mark.parametrize("name", PAPER)
def test_names_ids_and_bytes_never_change(name: str) -> None:
    text = (GOLDEN / f"{name}.json").read_text()
    assert find(name).to_json() == text
    assert Architecture.from_json(text) == PAPER[name]
    assert PAPER[name].id == IDS[name]


def test_variants_and_other_blocks_changed_no_id() -> None:
    assert {name: corner.id for name, corner in CORNERS.items()} == CORNER_IDS
    assert TINY.id == "336aea37b404"
    assert set(S.to_dict()) == {"schema", "stages", "stem", "head_dim", "conv_mlp_ratio", "transformer_mlp_ratio"}


def test_a_variant_is_in_the_json_of_the_networks_that_have_it() -> None:
    for name, choices in VARIANTS.items():
        for choice in choices[1:]:
            variant = replace(S, **{name: choice})
            assert variant.to_dict() == S.to_dict() | {name: choice}
            assert variant.id != S.id


def test_a_variant_that_changes_nothing_is_none() -> None:
    """So that equal networks have one id."""
    without, alone = CORNERS["all convolution"], CORNERS["attention alone"]
    for name, choice, network in (
        ("transformer_order", "convolution-first", without),
        ("transformer_order", "convolution-first", alone),
        ("transformer_order", "convolution-first", CORNERS["no attention"]),
        ("attention_pooling", "squares", without),
        ("attention_pooling", "squares", Architecture.from_notation("C-C-C-T")),
        ("conv_kernel", 7, small(("T", "T", "T", "T"), ratio=1)),
    ):
        assert replace(network, **{name: choice}) == network
    assert replace(alone, conv_kernel=7) != alone, "it has NCBs"


@given(architectures)
def test_json_round_trip(architecture: Architecture) -> None:
    again = Architecture.from_json(architecture.to_json())
    assert again == architecture
    assert hash(again) == hash(architecture)
    assert again.id == architecture.id
    assert Architecture.from_json(architecture.canonical_json()) == architecture


@given(architectures)
def test_blocks_fit_together(architecture: Architecture) -> None:
    channels = architecture.stem[-1]
    for block in (block for row in architecture.blocks for block in row):
        assert block.in_channels == channels
        assert block.attention_channels % block.head_dim == block.conv_channels % block.head_dim == 0
        channels = block.out_channels


def test_equal_networks_are_equal_whatever_was_said_of_absent_blocks() -> None:
    assert Stage(blocks="CC", conv_width=64) == Stage(blocks="CC", conv_width=64, transformer_width=96, sr_ratio=4)
    transformer = {"transformer_width": 128, "mix_block_ratio": 0.5, "sr_ratio": 1}
    assert Stage(blocks="T", **transformer) == Stage(blocks="T", conv_width=999, **transformer)
    blind = {"transformer_width": 128, "mix_block_ratio": 0}
    assert Stage(blocks="T", sr_ratio=2, **blind) == Stage(blocks="T", sr_ratio=8, **blind)


def test_the_ratio_is_the_one_that_attention_really_gets() -> None:
    wide = Stage(blocks="T", transformer_width=192, mix_block_ratio=0.75, sr_ratio=1)
    assert wide.mix_block_ratio == 160 / 192
    assert wide.attention_channels == 160
    assert replace(wide) == wide, "settled once, settled for ever"
    assert attention_width(256, 0.75) == 192
    assert attention_width(96, 0.5) == 64


@given(st.integers(2, 128).map(lambda n: 32 * n), st.floats(0, 1))
def test_settling_a_ratio_twice_changes_nothing(width: int, ratio: float) -> None:
    attention = attention_width(width, ratio)
    if attention < width:
        assert attention_width(width, attention / width) == attention


def test_it_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        S.head_dim = 64  # type: ignore[misc]


STAGE = {"blocks": "CT", "conv_width": 96, "transformer_width": 128, "mix_block_ratio": 0.75, "sr_ratio": 1}


@pytest.mark.parametrize(
    ("change", "field", "nearest"),
    [
        ({"blocks": ""}, "blocks", "CCCT"),
        ({"blocks": "CQT"}, "blocks", "CCCT"),
        ({"blocks": 3}, "blocks", "CCCT"),
        ({"blocks": "C" * 101}, "blocks", 100),
        ({"conv_width": None}, "conv_width", 32),
        ({"conv_width": 100}, "conv_width", 96),
        ({"conv_width": 96.5}, "conv_width", 96),
        ({"conv_width": "96"}, "conv_width", 32),
        ({"conv_width": math.inf}, "conv_width", 4096),
        ({"conv_width": math.nan}, "conv_width", 32),
        ({"conv_width": 10**5000}, "conv_width", 4096),
        ({"conv_width": True}, "conv_width", 32),
        ({"conv_width": -5}, "conv_width", 32),
        ({"conv_width": 10**9}, "conv_width", 4096),
        ({"transformer_width": 130}, "transformer_width", 128),
        ({"mix_block_ratio": 1.5}, "mix_block_ratio", 1.0),
        ({"mix_block_ratio": -0.1}, "mix_block_ratio", 0.0),
        ({"mix_block_ratio": "half"}, "mix_block_ratio", 0.75),
        ({"mix_block_ratio": math.nan}, "mix_block_ratio", None),
        ({"mix_block_ratio": None}, "mix_block_ratio", 0.75),
        ({"sr_ratio": 3}, "sr_ratio", 2),
        ({"sr_ratio": 100}, "sr_ratio", 8),
        ({"sr_ratio": None}, "sr_ratio", 1),
        ({"sr_ratio": True}, "sr_ratio", 1),
        ({"sr_ratio": "2"}, "sr_ratio", 1),
        ({"sr_ratio": 2.5}, "sr_ratio", 2),
        ({"sr_ratio": -(10**5000)}, "sr_ratio", 1),
    ],
)
def test_what_cannot_be_built_is_refused_by_field_with_the_nearest_value(
    change: dict[str, Any], field: str, nearest: object
) -> None:
    with pytest.raises(InvalidArchitecture) as refusal:
        Stage(**{**STAGE, **change})
    assert refusal.value.field == field
    if nearest is not None:
        assert refusal.value.nearest == nearest


def test_an_ntb_without_convolution_channels_is_refused_unless_it_was_asked_for() -> None:
    with pytest.raises(
        InvalidArchitecture, match=r"rounds to 96 attention channels.*\n.*0.667, or transformer_width 128"
    ):
        Stage(**{**STAGE, "transformer_width": 96})
    assert Stage(**{**STAGE, "transformer_width": 96, "mix_block_ratio": 0.667}).attention_channels == 64
    assert Stage(**{**STAGE, "transformer_width": 96, "mix_block_ratio": 1}).attention_channels == 96
    assert Stage(**{**STAGE, "transformer_width": 96, "mix_block_ratio": 0}).attention_channels == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stages": S.stages[:3]}, "stages"),
        ({"stem": (64, 32)}, "stem"),
        ({"stem": (0, 32, 64)}, "stem"),
        ({"head_dim": 48}, "head_dim"),
        ({"head_dim": 64}, "stages[0].conv_width"),
        ({"conv_mlp_ratio": 0}, "conv_mlp_ratio"),
        ({"transformer_mlp_ratio": "2"}, "transformer_mlp_ratio"),
        ({"transformer_mlp_ratio": math.nan}, "transformer_mlp_ratio"),
        ({"conv_mlp_ratio": 10**5000}, "conv_mlp_ratio"),
        ({"stem": (True, 32, 64)}, "stem"),
        ({"head_dim": "32"}, "head_dim"),
        ({"head_dim": True}, "head_dim"),
        ({"normalization": "group"}, "normalization"),
        ({"activation": None}, "activation"),
        ({"transformer_order": "convolution first"}, "transformer_order"),
        ({"attention_pooling": 2}, "attention_pooling"),
        ({"conv_kernel": 4}, "conv_kernel"),
        ({"conv_kernel": "3"}, "conv_kernel"),
        ({"conv_kernel": True}, "conv_kernel"),
    ],
)
def test_a_whole_that_does_not_fit_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArchitecture) as refusal:
        replace(S, **change)
    assert refusal.value.field == field


def rewritten(value: object, data: st.DataObject) -> object:
    """The same JSON value as another program may write it: 2 as 2.0, 3.0 as 3, names in another order."""
    if isinstance(value, dict):
        names = data.draw(st.permutations(list(value)))
        return {name: rewritten(value[name], data) for name in names}
    if isinstance(value, list):
        return [rewritten(each, data) for each in value]
    if isinstance(value, int | float) and value == int(value):
        return data.draw(st.sampled_from([int(value), float(value)]))
    return value


@given(architectures, architectures, st.data())
def test_equal_means_the_same_id_and_the_same_bytes(
    one: Architecture, other: Architecture, data: st.DataObject
) -> None:
    """However its numbers are written: two files of one network are one network, in the database, too."""
    again = Architecture.from_json(json.dumps(rewritten(json.loads(one.to_json()), data)))
    for second, same in ((again, True), (other, asdict(one) == asdict(other))):
        assert (one == second) is same
        assert (one.id == second.id) is same
        assert (one.canonical_json() == second.canonical_json()) is same
        assert (hash(one) == hash(second)) is same


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where numbers stand in a document."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*path, key))
    elif isinstance(value, int | float):
        yield path


@pytest.mark.parametrize("path", list(places(json.loads(S.to_json()))), ids=str)
@pytest.mark.parametrize("wrong", [True, "text", 0.3, [], {}])
def test_what_only_looks_like_a_number_is_refused(path: tuple[Any, ...], wrong: object) -> None:
    document: Any = json.loads(S.to_json())
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if wrong == 0.3 and "ratio" in str(path[-1]) and path[-1] != "sr_ratio":
        wrong = 17  # beyond every ratio
    inner[path[-1]] = str(inner[path[-1]]) if wrong == "text" else wrong
    with pytest.raises(InvalidArchitecture):
        Architecture.from_json(json.dumps(document))


@pytest.mark.parametrize("change", [{"head_dim": 32.0}, {"stem": [64.0, 32, 64]}, {"conv_mlp_ratio": 3}])
def test_a_whole_number_may_be_written_with_a_point(change: dict[str, Any]) -> None:
    again = Architecture.from_json(changed(**change))
    assert again == S and again.id == S.id and again.canonical_json() == S.canonical_json()


def test_lists_are_as_good_as_tuples() -> None:
    again = Architecture(stages=list(S.stages), stem=[64, 32, 64])  # type: ignore[arg-type]
    assert again == S and hash(again) == hash(S)


def changed(**change: Any) -> str:
    return json.dumps({**S.to_dict(), **change})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        (S.to_json()[:200], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected a JSON object"),
        ("null", "expected a JSON object"),
        ("3", "expected a JSON object"),
        ('{"model": "resnet50"}', "unknown field 'model'"),
        ("{}", "'stages' is missing"),
        (changed(schema="nas.architecture/2"), "expected 'nas.architecture/1'"),
        (changed(stages="CCC"), "expected a list"),
        (changed(stages=[1, 2, 3, 4]), r"stages\[0\]: expected a JSON object"),
        (changed(stages=[{}] * 4), r"stages\[0\]: the field 'blocks' is missing"),
        (changed(stages=[{"blocks": "C", "width": 3}] * 4), r"stages\[0\]: unknown field 'width'"),
        (
            changed(stages=[*S.to_dict()["stages"][:2], {"blocks": "T", "conv_width": 1}, {}]),
            r"stages\[2\].transformer_width",
        ),
        (changed(stem=5), "stem"),
        (changed(head_dim=[]), "head_dim"),
        (changed(extra=1), "unknown field 'extra'"),
        (changed(provenance=math.nan), "NaN is not a number of JSON"),
        (changed(head_dim=-math.inf), "-Infinity is not a number of JSON"),
        (S.to_json().replace("64", "1e400", 1), "the number 1e400 is too large"),
        (S.to_json().replace("64", "6" * 5000, 1), "a number of 5000 digits"),
        (S.to_json().replace("{", '{"provenance": ' + "1" * 5000 + ",", 1), "a number of 5000 digits"),
        (S.to_json().replace("64", "6" * 900, 1), "stem: expected widths"),
        (S.to_json().replace("{", '{"stages": [],', 1), "'stages' occurs twice"),
        (json.dumps({"\x1b[31m": 1}), r"unknown field '\\x1b\[31m'"),
        (json.dumps({"\ud800": 1}), r"unknown field '\\ud800'"),
    ],
)
def test_a_broken_or_foreign_file_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(InvalidArchitecture, match=words):
        Architecture.from_json(text)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'next-vit-s'"):
        find("nextvit-s")


@pytest.mark.parametrize("architecture", EVERY.values(), ids=EVERY)
def test_every_corner_of_the_family_is_legal(architecture: Architecture) -> None:
    assert Architecture.from_json(architecture.to_json()) == architecture


def test_describing_a_network_needs_no_torch() -> None:
    code = (
        "import search_spaces, sys; search_spaces.get('nhs').size(); assert not {'torch', 'optuna'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
