"""Narrowed spaces: every built-in space narrowed at random, and spaces of users that count and invert nothing."""

import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

import search_spaces
from search_spaces import PAPER, Architecture
from search_spaces.common import contract, fixes, narrowed
from search_spaces.common.errors import InvalidArchitecture, UnknownName, UsageError
from search_spaces.common.fixes import Interval

SPACES = search_spaces.names()


def drawn(name: str, count: int) -> Iterator[tuple[str, ...]]:
    """Random `--fix` of a space: some parameters at one value, some in a range, some in a list."""
    known = narrowed.values(narrowed.distributions(search_spaces.get(name)))
    for seed in range(count):
        draw = random.Random(f"{name}/{seed}")
        texts = []
        for parameter in draw.sample(sorted(known), draw.randrange(1, len(known))):
            values = known[parameter]
            assert not isinstance(values, Interval)
            left = draw.sample(list(values), draw.randrange(1, len(values)))
            texts.append(f"{parameter}={','.join(map(str, left))}")
        yield tuple(texts)


@pytest.mark.parametrize("name", SPACES)
def test_every_network_keeps_the_fixes_and_is_inverted(name: str) -> None:
    space = search_spaces.get(name)
    known = narrowed.values(narrowed.distributions(space))
    for texts in drawn(name, 12):
        left = fixes.remaining(known, texts)
        small = narrowed.get(name, texts)
        contract.asks_the_same(small)
        for network in contract.draw(small, 25, seed=len(texts)):
            params = small.params(network)
            assert not params.keys() & {parameter for parameter, values in left.items() if len(values) == 1}
            assert all(value in left.get(parameter, known[parameter]) for parameter, value in params.items())
            assert small.suggest(optuna.trial.FixedTrial(params)) == network
            whole = small.fixed | params  # the same network from the same parameters of the whole space
            assert space.suggest(optuna.trial.FixedTrial(whole)) == network
            assert small.params(network) == params
        assert small.is_counted
        assert 1 <= small.size() < space.size()
        assert all(small.params(network) is not None for network in small.anchors().values())


@pytest.mark.parametrize("name", SPACES)
def test_equal_narrowings_have_equal_texts(name: str) -> None:
    for texts in drawn(name, 12):
        resolved = narrowed.resolved(name, texts, ())
        assert narrowed.resolved(name, resolved, ()) == resolved
        assert narrowed.resolved(name, tuple(reversed(texts)), ()) == resolved


def test_a_network_outside_is_refused_by_the_name_of_the_parameter() -> None:
    small, large = PAPER["next-vit-s"], PAPER["next-vit-l"]
    space = narrowed.get("nhs", ["stage3.L=2..3", "stage1.transformer_width=160", "stage1.L=3"])
    assert space.params(small)["stage1.N"] == 1  # CCC as three groups of one; no transformer has a width there
    with pytest.raises(InvalidArchitecture, match=r"stage3.L: --fix leaves 2,3, and the network has 6") as refusal:
        space.params(large)
    assert refusal.value.field == "stage3.L"
    with pytest.raises(InvalidArchitecture, match="stem"):
        space.params(Architecture(stages=small.stages, stem=(32, 32, 64)))


def test_anchors_are_those_that_remain_and_the_others_are_named() -> None:
    space = narrowed.get("nhs", ["stage3.L=2..4"])
    assert list(space.anchors()) == ["next-vit-s", "next-vit-b"]
    assert space.left_out == {"next-vit-l": "stage3.L: --fix leaves 2..4, and the network has 6"}


def test_evenly_spaced_values_keep_their_order_for_a_model() -> None:
    space = narrowed.get("nhs", ["stage3.N=1,3,5", "stage3.L=1,2,5", "stage2.mix_block_ratio=0.5..1", "stage4.t=1"])
    kinds = {name: space.asked[name] for name in ("stage3.N", "stage3.L", "stage2.mix_block_ratio")}
    assert kinds == {
        "stage3.N": optuna.distributions.IntDistribution(1, 5, step=2),
        "stage3.L": optuna.distributions.CategoricalDistribution((1, 2, 5)),
        "stage2.mix_block_ratio": optuna.distributions.FloatDistribution(0.5, 1.0, step=0.25),
    }
    assert "stage4.t" not in space.asked


def user_space(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """A user's space `own`: two kinds of parameters, one of them without steps, and no counts by parts."""

    def suggest(trial: optuna.trial.BaseTrial) -> Architecture:
        kind = trial.suggest_categorical("kind", ("C", "CT", "TC"))
        depth = trial.suggest_int("depth", 1, 40, log=True)
        trial.suggest_int("unused", 0, 9)
        ratio = trial.suggest_float("ratio", 0.2, 1.0) if more.get("smooth") else 0.75
        first, second, third, fourth = Architecture.from_notation(f"C-C-{kind * depth}-T").stages
        last = type(fourth)(blocks="T", transformer_width=1024, mix_block_ratio=ratio, sr_ratio=1)
        return Architecture(stages=(first, second, third, last))

    def params(network: Architecture) -> dict[str, Any]:
        blocks = network.stages[2].blocks
        kind = blocks[:2] if "T" in blocks else "C"
        smooth = {"ratio": network.stages[3].mix_block_ratio} if more.get("smooth") else {}
        return {"kind": kind, "depth": len(blocks) // len(kind), "unused": 0, **smooth}

    space = SimpleNamespace(suggest=suggest, params=params, size=lambda: 3 * 40, anchors=dict)
    monkeypatch.setattr(search_spaces, "get", lambda name: space)
    monkeypatch.setattr(narrowed, "_narrowed", narrowed._narrowed.__wrapped__)


def test_a_space_of_a_user_is_narrowed_and_counted_by_building_it(monkeypatch: pytest.MonkeyPatch) -> None:
    user_space(monkeypatch)
    space = narrowed.get("own", ["kind=CT,TC", "depth=2,3,9", "unused=7"])
    assert isinstance(space.asked["depth"], optuna.distributions.CategoricalDistribution)
    assert (space.size(), space.is_counted) == (6, True)
    for network in contract.draw(space, 50):
        assert space.suggest(optuna.trial.FixedTrial(space.params(network))) == network
    with pytest.raises(InvalidArchitecture, match="depth: --fix leaves 2,3,9, and the network has 4"):
        space.params(Architecture.from_notation("C-C-CTCTCTCT-T"))
    unused = narrowed.get("own", ["unused=2..8"])
    assert (unused.size(), unused.is_counted) == (120, True), "equal networks count once"
    assert unused.asked["depth"] == optuna.distributions.IntDistribution(1, 40, log=True)
    assert narrowed.get("own", ["depth=2..8"]).asked["depth"] == optuna.distributions.IntDistribution(2, 8, log=True)


def test_what_cannot_be_counted_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    user_space(monkeypatch, smooth=True)
    space = narrowed.get("own", ["ratio=0.5..0.7", "kind=C"])
    assert (space.size(), space.is_counted) == (120, False)
    assert space.asked["ratio"] == optuna.distributions.FloatDistribution(0.5, 0.7)
    single = narrowed.get("own", ["ratio=0.5", "kind=C", "depth=5"])
    assert (single.size(), single.is_counted) == (1, True)
    assert narrowed.resolved("own", ["ratio=0.5..0.70"], ()) == ("ratio=0.5..0.7",)


def test_all_parameters_fixed_are_one_network() -> None:
    network = PAPER["next-vit-b"]
    space = search_spaces.get("nhs")
    one = narrowed.get("nhs", [f"{name}={value}" for name, value in space.params(network).items()])
    assert one.asked == {} and one.size() == 1
    assert one.params(network) == {}
    assert one.suggest(optuna.trial.FixedTrial({})) == network
    assert list(one.anchors()) == ["next-vit-b"]


def test_unknown_names_and_values_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'stage3\.N'"):
        narrowed.get("nhs", ["stage3.n=1"])
    with pytest.raises(UsageError, match=r"stage3\.L: 11 is outside its values, 1\.\.10"):
        narrowed.get("nhs", ["stage3.L=2..11"])
    assert narrowed.get("nhs") is search_spaces.get("nhs")
