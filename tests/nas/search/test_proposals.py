"""Proposals are a function of the finished trials, the seed and the number of the trial."""

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest

import evaluators
import search_spaces
from evaluators.counts import networks
from nas.search.proposals import NOTHING, SAMPLERS, Knowledge, SpaceExhausted, propose
from nas.search.sampling import known_trials, nsga2
from nas.search.sampling.known_trials import Told
from nas.search.screening.space_view import SpaceView
from search_spaces import PAPER, Architecture, Network, nhs
from search_spaces.common import narrowed

DIRECTIONS = ("maximize", "minimize")


def finished(architecture: Network, proposal: Any) -> optuna.trial.FrozenTrial:
    """A finished trial, judged by how wide and how deep the network is."""
    if not isinstance(architecture, Architecture):
        work = networks.total(architecture, 32)
        return judged(proposal, [work.params / 1e6, work.all_macs / 1e7])
    blocks = [block for row in architecture.blocks for block in row]
    return judged(proposal, [sum(block.out_channels for block in blocks) ** 0.5, float(len(blocks))])


def judged(proposal: Any, values: list[float]) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        values=values,
        params=proposal.params,
        distributions=proposal.distributions,
        system_attrs=proposal.system_attrs,
    )


def asked(sampler: str, count: int, seed: int = 0, refuse: Any = None) -> list[Architecture]:
    """So many candidates of a search that never was."""
    trials: list[optuna.trial.FrozenTrial] = []
    networks: list[Architecture] = []

    def refusal(architecture: Architecture) -> str:
        return "asked before" if architecture in networks else (refuse(architecture) if refuse else "")

    for _ in range(count):
        proposal = propose(nhs, sampler, seed, Told(trials), DIRECTIONS, refusal)
        networks.append(proposal.architecture)
        trials.append(finished(proposal.architecture, proposal))
    return networks


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_anchors_come_first_then_new_networks_reproducibly(sampler: str) -> None:
    count = 13 if sampler == "gp" else 24
    networks = asked(sampler, count)
    assert networks[:3] == list(nhs.anchors().values())
    assert len(set(networks)) == count
    assert asked(sampler, count) == networks
    assert asked(sampler, 5, seed=1)[3:] != networks[3:5]


def test_refused_networks_are_replaced_and_counted() -> None:
    def refusal(architecture: Architecture) -> str:
        return "too deep" if sum(len(row) for row in architecture.blocks) > 15 else ""

    networks = asked("random", 20, refuse=refusal)
    assert all(not refusal(architecture) for architecture in networks[3:])
    trials = [finished(a, propose(nhs, "random", 0, Told(), DIRECTIONS, lambda _: "")) for a in networks[:3]]
    proposals = [propose(nhs, "random", seed, Told(trials), DIRECTIONS, refusal) for seed in range(8)]
    assert any(proposal.replaced.get("too deep") for proposal in proposals)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("size", [1, 13])
def test_an_exhausted_space_ends_the_run(sampler: str, size: int) -> None:
    tiny = SimpleNamespace(
        anchors=dict,
        params=nhs.params,
        suggest=lambda trial: Architecture.from_notation("C" * trial.suggest_int("depth", 1, size) + "-C-C-C"),
    )
    seen: list[Architecture] = []
    trials: list[optuna.trial.FrozenTrial] = []
    for _ in range(size):
        proposal = propose(tiny, sampler, 0, Told(trials), DIRECTIONS, lambda a: "asked before" if a in seen else "")
        seen.append(proposal.architecture)
        trials.append(finished(proposal.architecture, proposal))
    assert len(set(seen)) == size
    with pytest.raises(SpaceExhausted, match="2000 x asked before"):
        propose(tiny, sampler, 0, Told(trials), DIRECTIONS, lambda a: "asked before" if a in seen else "")


WHOLE = [(name, ()) for name in search_spaces.names() if PAPER.keys() <= search_spaces.get(name).anchors().keys()]
NARROWED = [
    ("nhs", ("stage[34].t=1", "stage3.N=1,2,5", "stage2.conv_width=128,192", "stage3.L=2..4")),
    ("metaformer", ("stage1.width=64", "stage2.width=128", "stage3.width=320", "stage4.width=512")),
    ("free", ("stage[12].last*=C", "stage3.last1=T", "stage3.depth=4..9")),
]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("name", "fix"), [*WHOLE, *NARROWED])
def test_every_sampler_stays_in_every_space(name: str, fix: tuple[str, ...], sampler: str) -> None:
    space = narrowed.get(name, fix)
    trials: list[optuna.trial.FrozenTrial] = []
    seen: list[Network] = []
    objectives = [evaluators.get("structure", "accuracy"), evaluators.get("ort", "latency")]

    def refusal(architecture: Network) -> str:
        return "asked before" if architecture in seen else ""

    knowledge = Knowledge(view=SpaceView(space, objectives, refusal))
    for number in range(15):
        by = sampler if number > 11 else "random"
        proposal = propose(space, by, 0, Told(trials), DIRECTIONS, refusal, knowledge)
        assert space.suggest(optuna.trial.FixedTrial(space.params(proposal.architecture))) == proposal.architecture
        seen.append(proposal.architecture)
        trials.append(finished(proposal.architecture, proposal))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_proposes_what_it_would_in_a_study_of_optuna_and_changes_no_trial(sampler: str) -> None:
    trials: list[optuna.trial.FrozenTrial] = []
    for _ in range(12):
        proposal = propose(nhs, "random", 0, Told(trials), DIRECTIONS, lambda _: "")
        trials.append(finished(proposal.architecture, proposal))
    before = copy.deepcopy(trials)
    theirs = optuna.create_study(directions=DIRECTIONS, sampler=SAMPLERS[sampler].make(7, NOTHING))
    theirs.add_trials(trials)
    ours = known_trials.study(DIRECTIONS, SAMPLERS[sampler].make(7, NOTHING), Told(trials))
    asked = [study.ask() for study in (theirs, ours)]
    networks = [nhs.suggest(trial) for trial in asked]
    assert networks[0] == networks[1]
    assert asked[0].number == asked[1].number == len(trials)
    assert trials == before


def test_nsga2_selects_the_parents_that_optuna_selects_and_survives_more_generations() -> None:
    theirs, random = optuna.samplers.NSGAIISampler(population_size=4), np.random.default_rng(0)
    trials = [
        optuna.trial.create_trial(
            params={"x": 0.5},
            distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
            values=random.uniform(size=2).tolist(),
            system_attrs={theirs._get_generation_key(): number // 4},
        )
        for number in range(2400)
    ]
    for generation in (0, 1, 2, 30):
        study = known_trials.study(DIRECTIONS, theirs, Told(trials[: 4 * generation]))  # Optuna keeps parents in it
        ours = nsga2.NSGAIISampler(0, population_size=4).get_parent_population(study, generation)
        assert ours == theirs.get_parent_population(study, generation)
    study = known_trials.study(DIRECTIONS, theirs, Told(trials))
    assert len(nsga2.NSGAIISampler(0, population_size=4).get_parent_population(study, 600)) == 4
