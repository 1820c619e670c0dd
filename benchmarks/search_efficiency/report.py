"""What came out: tables in Markdown with intervals, and the curves as a picture.

    python -m benchmarks.search_efficiency.report            prints the tables
    python -m benchmarks.search_efficiency.report --picture  also writes curves.svg (needs Chromium)

A cell is the mean share over seeds with its 95 % bootstrap interval. Differences are paired: a seed begins with the
same random networks for both samplers.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.search_efficiency import tables
from benchmarks.search_efficiency.compare import BUDGET, EVERY, stored
from benchmarks.search_efficiency.samplers import SAMPLERS

PICTURE = Path(__file__).parent / "curves.svg"
AT = (20, 60, 100, 200, 1000)
OURS, RIVAL = "screen", "gp"
TARGETS = {60: 0.975, 100: 0.990, 200: 0.998}  # of ours on Accel-NASBench
DRAWS = 2000
Array = NDArray[np.float64]
Curves = dict[int, list[float]]  # by seed: the share after every ten evaluations


def curves() -> dict[str, dict[str, Curves]]:
    """The stored curves by table and sampler; of a search that was repeated, the last line."""
    found: dict[str, dict[str, Curves]] = defaultdict(lambda: defaultdict(dict))
    lines = list(stored())
    current = {line["table"]: line["digest"] for line in lines}
    for line in lines:
        if line["digest"] == current[line["table"]]:
            found[line["table"]][line["sampler"]][line["seed"]] = line["shares"]
    return {name: dict(found[name]) for name in tables.NAMES if name in found}


def at(of: Curves, evaluations: int) -> dict[int, float]:
    """By seed: the share after so many evaluations, where the search went that far."""
    place = evaluations // EVERY - 1
    return {seed: shares[place] for seed, shares in sorted(of.items()) if len(shares) > place}


def interval(values: Array) -> tuple[float, float, float]:
    """The mean of values (n,) with its 95 % bootstrap interval."""
    drawn = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def difference(one: Curves, after: int, other: Curves, after_other: int) -> Array:
    """Share of one minus share of the other for the seeds (n,) that both have."""
    first, second = at(one, after), at(other, after_other)
    return np.array([first[seed] - second[seed] for seed in first if seed in second])


def last(of: Curves) -> int:
    """The evaluations that every search made, at the most the usual budget."""
    return min(BUDGET, EVERY * min(map(len, of.values())))


def reached(of: Curves, rival: Curves) -> str:
    """After how many evaluations the mean over common seeds is that of the rival's last."""
    end = last(rival)
    for evaluations in range(EVERY, BUDGET + 1, EVERY):
        gains = difference(of, evaluations, rival, end)
        if len(gains) and gains.mean() >= 0:
            return str(evaluations)
    return "-"


def cell(values: Array) -> str:
    """A mean with its interval; too few seeds have none."""
    if len(values) < 3:
        return f"{values.mean():.4f}" if len(values) else ""
    mean, low, high = interval(values)
    return f"{mean:.4f} [{low:.4f}, {high:.4f}]"


def print_table(name: str, by_sampler: dict[str, Curves]) -> None:
    """One table in Markdown."""
    rival = by_sampler.get(RIVAL)
    columns = [n for n in AT if any(at(of, n) for of in by_sampler.values())]
    beaten = f" | has {RIVAL}'s share of {last(rival)} after |" if rival else " |"
    print(f"\n**{tables.NAMES[name]}**\n\n| sampler | seeds | {' | '.join(map(str, columns))}{beaten}")
    print("|---" * (2 + len(columns) + bool(rival)) + "|")
    for sampler in SAMPLERS:
        if of := by_sampler.get(sampler):
            cells = [cell(np.array(list(at(of, n).values()))) for n in columns]
            end = f" | {reached(of, rival)} |" if rival else " |"
            print(f"| {SAMPLERS[sampler].words} | {len(of)} | {' | '.join(cells)}{end}")


def print_gains(name: str, by_sampler: dict[str, Curves]) -> None:
    """What ours gains on each other sampler, and which targets it meets."""
    ours = by_sampler.get(OURS)
    if not ours:
        return
    print()
    for sampler in SAMPLERS:
        if sampler != OURS and sampler in by_sampler:
            other = by_sampler[sampler]
            parts = [
                f"{n}: {cell(difference(ours, n, other, n))}" for n in (60, 100, 200) if at(ours, n) and at(other, n)
            ]
            print(f"- {OURS} minus {sampler} after {', '.join(parts)}")
    if rival := by_sampler.get(RIVAL):
        print(f"- {OURS} after 60 minus {RIVAL} after {last(rival)}: {cell(difference(ours, 60, rival, last(rival)))}")
    for evaluations, target in TARGETS.items() if name.startswith("accel") else ():
        if not (values := at(ours, evaluations)):
            continue
        mean, low, high = interval(np.array(list(values.values())))
        verdict = "met" if low >= target else "missed" if high < target else "undecided"
        print(f"- target after {evaluations}: {target} {verdict}, {mean:.4f} [{low:.4f}, {high:.4f}]")


def main() -> None:
    """Prints the tables, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", action="store_true")
    arguments = parser.parse_args()
    found = curves()
    for name, by_sampler in found.items():
        print_table(name, by_sampler)
        print_gains(name, by_sampler)
    if arguments.picture:
        from benchmarks.drawing import draw
        from benchmarks.search_efficiency import picture

        draw(picture.figure(found), PICTURE)


if __name__ == "__main__":
    main()
