"""What the runs of the study found, from their kept store: the tables of docs/evidence/study.md.

    python -m benchmarks.study.report                                  from study.db here
    python -m benchmarks.study.report --store sqlite:///runs/study.db  from runs of your own

Every family is also predicted from the others alone: Next-ViT's networks are in the table of published ones, and the
predictions of their relatives would otherwise be surer than those of other families.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np

from evaluators.core.measurement import further_key
from evaluators.counts.networks import total
from evaluators.prediction import published_features
from evaluators.prediction.published_prediction import FACTOR, as_trained_in_the_paper, family, known
from evaluators.prediction.published_process import PRIOR, Process, to_percent
from evaluators.prediction.published_table import table
from results.front import front
from results.rules import rules
from results.store.record import Run, Trial
from results.store.store import Store
from search_spaces import Architecture, Network

KEPT = Path(__file__).with_name("study.db")
BUDGETS = (40.0, 80.0, 160.0)  # ms
MEAN = further_key("mean", "%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=f"sqlite:///{KEPT}")
    with closing(Store(parser.parse_args().store)) as store:
        runs = [store.run(name) for name in store.names()]
    for run in runs:
        describe(run)
    for budget in BUDGETS:
        print(f"\n### At most {budget:g} ms\n")
        print("| space | network | latency [ms] | predicted [%] | by other families alone [%] | params [M] |")
        print("|---|---|---|---|---|---|")
        for run in runs:
            print(row(run, best(run, budget)))
    print("\n### Where attention stands\n")
    print("| space | networks | in stage 1 | 2 | 3 | 4 |\n|---|---|---|---|---|---|")
    for run in runs:
        print(places(run.name, "front", front(run)))
        print(places(run.name, "all", run.succeeded()))
    for run in runs:
        if any(trial.stages for trial in run.trials):
            print(f"\n### Rules of {run.name}\n")
            print(rules(run).summary, *rules(run).rules, sep="\n- ")


def describe(run: Run) -> None:
    """The size of a run, its front and its device."""
    first = run.succeeded()[0].measurements[run.objectives[1].name]
    print(
        f"{run.name}: {len(run.succeeded())} networks, {len(front(run))} on the front; {first.device.label}, "
        + ", ".join(f"{name} {version}" for name, version in first.versions.items())
    )


def best(run: Run, budget: float) -> Trial | None:
    """The network with the highest lower end up to a latency."""
    accuracy, latency = (metric.name for metric in run.objectives)
    fast = [trial for trial in run.feasible() if trial.value(latency) <= budget]
    return max(fast, key=lambda trial: trial.value(accuracy), default=None)


def row(run: Run, trial: Trial | None) -> str:
    """A line of the table of a budget."""
    if trial is None:
        return f"| `{run.name}` | none is as fast | | | | |"
    accuracy, latency = (trial.measurements[metric.name] for metric in run.objectives)
    low, mean, high = by_others(trial.architecture)
    return (
        f"| `{run.name}` | `{trial.anchor or trial.architecture}` | {latency.value:.1f} [{latency.low:.1f}, "
        f"{latency.high:.1f}] | {accuracy.secondary[MEAN]:.1f} [{accuracy.low:.1f}, {accuracy.high:.1f}] | "
        f"{mean:.1f} [{low:.1f}, {high:.1f}] | {total(trial.architecture).params / 1e6:.1f} |"
    )


def places(space: str, which: str, trials: Sequence[Trial]) -> str:
    """A line of the table of places: the share of networks that have attention in each stage."""
    known = [stages for trial in trials if (stages := attention(trial.architecture))]
    shares = (sum(stages[index] for stages in known) / len(known) for index in range(4))
    return f"| `{space}` | {which}, {len(known)} | {' | '.join(f'{share:.0%}' for share in shares)} |"


def attention(network: Network) -> tuple[bool, ...]:
    """Whether each stage has attention; nothing for a network that timm builds as published."""
    if isinstance(network, Architecture):
        return tuple("T" in stage.blocks for stage in network.stages)
    options = dict(network.options)
    return tuple(letter != "C" for letter in options.get("token_mixers") or options.get("block_type") or "")


def by_others(network: Network) -> Iterator[float]:
    """The ends and the middle of the prediction from all families but the network's own."""
    rows = np.array([list(published_features.of(network).values())])
    mean, spread = without(family(network)).predict(as_trained_in_the_paper(rows, [""]))
    yield from (float(to_percent(mean + FACTOR * sign * spread)[0]) for sign in (-1, 0, 1))


@cache
def without(left_out: str) -> Process:
    """The process of the published results of all other families."""
    results = table()
    kept = [row for row, name in enumerate(results.family) if name != left_out]
    return Process(known(results.rows(kept)), results.top1[kept], PRIOR)


if __name__ == "__main__":
    main()
