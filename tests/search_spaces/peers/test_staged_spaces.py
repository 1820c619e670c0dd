"""The spaces over timm's families: what they build is timm's own, and it is counted from parts without an error."""

from itertools import islice

import optuna
import pytest

import evaluators
import search_spaces
from evaluators.counts import layer_tracing, networks, staged
from nas.search.proposals import Knowledge, propose
from nas.search.sampling.known_trials import Told
from nas.search.screening.space_view import SpaceView
from search_spaces import PAPER, TimmNetwork, fastvit, maxxvit, metaformer
from search_spaces.common import contract, narrowed
from search_spaces.common.errors import InvalidArchitecture
from search_spaces.peers import timm_models
from search_spaces.peers.stages import named_stages

PEER = TimmNetwork(model="test_coatnet")
SPACES = {"fastvit": fastvit, "maxxvit": maxxvit, "metaformer": metaformer}


@pytest.mark.parametrize(("space", "name"), [(s, n) for s, module in SPACES.items() for n in module.SPACE.published])
def test_a_published_network_is_what_its_options_would_build(space: str, name: str) -> None:
    plan = SPACES[space].SPACE.published[name]
    by_options, by_name = SPACES[space].SPACE.build(plan), TimmNetwork(model=name)
    shapes = [
        {key: tuple(value.shape) for key, value in timm_models.on_paper(network).state_dict().items()}
        for network in (by_options, by_name)
    ]
    assert shapes[0] == shapes[1]
    assert SPACES[space].SPACE.network(plan) == by_name and by_options != by_name


@pytest.mark.parametrize("space", SPACES)
def test_a_network_is_counted_from_parts_as_it_is_block_by_block(space: str) -> None:
    for network in islice(contract.draw(search_spaces.get(space), 100, seed=3), 4):
        assert isinstance(network, TimmNetwork) and (plan := named_stages(network))
        whole = layer_tracing.trace(timm_models.on_paper(network, resolution=64), 64)
        assert staged.trace(network, plan, 64) == whole
        assert networks.total(network, 64).params == whole.params


def test_metaformers_widths_grow_or_timm_would_leave_a_stage_at_its_resolution() -> None:
    for network in contract.draw(search_spaces.get("metaformer"), 300):
        plan = named_stages(network) or metaformer.SPACE.published[network.model]  # type: ignore[arg-type, attr-defined]
        assert list(plan.widths) == sorted(set(plan.widths))


def test_fastvits_widths_double_or_it_is_not_in_the_space() -> None:
    stages = {"depths": (2, 2, 6, 2), "token_mixers": tuple("CCCA")}
    inside = TimmNetwork(model="fastvit_sa12", options=(*stages.items(), ("dims", (48, 96, 192, 384))))
    assert fastvit.params(inside)["stage1.width"] == 48
    outside = TimmNetwork(model="fastvit_sa12", options=(*stages.items(), ("dims", (48, 192, 192, 384))))
    with pytest.raises(InvalidArchitecture, match=r"stage2.width: the space has \[96\], not 192"):
        fastvit.params(outside)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "network",
    [
        PAPER["next-vit-s"],
        TimmNetwork(model="resnet18"),
        TimmNetwork(model="caformer_s18", options=(("drop", 0.5),)),
        TimmNetwork(
            model="caformer_s18",
            options=(("depths", (9, 3, 9, 3)), ("dims", (64, 128, 320, 512)), ("token_mixers", tuple("CCAA"))),
        ),
    ],
    ids=str,
)
def test_what_a_space_does_not_hold_is_refused(space: str, network: search_spaces.Network) -> None:
    with pytest.raises(InvalidArchitecture):
        search_spaces.get(space).params(network)
    assert search_spaces.parameters(search_spaces.get(space), network) is None
    for other in ("nhs", "free"):
        assert network in PAPER.values() or search_spaces.parameters(search_spaces.get(other), network) is None


def test_the_sampler_screen_searches_a_space_of_another_family() -> None:
    """With the models of a run; narrowed, so that few stages are traced."""
    space = narrowed.get("metaformer", ["stage1.width=64", "stage2.width=128", "stage3.width=320", "stage4.width=512"])
    objectives = [evaluators.get("published"), evaluators.get("ort")]
    view, trials = SpaceView(space, objectives, lambda _: ""), []
    for number in range(13):
        made = propose(
            space,
            "screen",
            0,
            Told(trials),
            ("maximize", "minimize"),
            lambda _: "",
            Knowledge(view=view),
            {"peer": PEER},
        )
        assert (made.params == {}) == (number == 0)
        values = [objectives[0].measure(made.architecture).value, networks.total(made.architecture).all_macs / 1e8]
        trials.append(optuna.trial.create_trial(params=made.params, distributions=made.distributions, values=values))
    assert len(view.values) > 100, "a pool was judged"
