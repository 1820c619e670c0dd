"""Strategies at one measured latency, trained on photographs: the tables of docs/evidence/strategies.md.

    python benchmarks/strategies/analyse.py                      prints tables in Markdown from what is kept here
    python benchmarks/strategies/analyse.py --page page.html     and writes the figures
    python -m benchmarks.strategies.analyse --picture docs/pictures/strategies.svg

A question is answered as `nas strategies` answers it, and a claim as `nas rediscover` judges it: by paired differences
to Next-ViT's strategy, whose intervals hold for all strategies of the question at once.
"""

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluators import Measurement, Metric
from evaluators.statistics.paired import Difference, differences
from nas.claims.trained import TRAINED, finding
from results.claims.catalogue import CLAIMS
from results.strategies import page, table
from results.strategies.report import Answer, Entry, Report, Standing
from search_spaces import Architecture
from search_spaces.strategies.catalogue import NEXT_VIT, QUESTIONS
from search_spaces.strategies.strategy import SCALINGS

HERE = Path(__file__).parent
ACCURACY = Metric(name="train", unit="%", direction="maximize", kind="trained")
SCALING = "tiny"
WIDTH = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, help="also write the figures, as nas strategies does")
    parser.add_argument("--picture", type=Path, help="write the picture of all strategies, and nothing else")
    options = parser.parse_args()
    genotypes = json.loads((HERE / "genotypes.json").read_text())
    results = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    report = reported(genotypes, results)
    if options.picture:
        picture(report, options.picture)
        return
    for answer in report.answers:
        print(f"\n### {answer.text}\n")
        markdown(table.headings(report), [table.row(answer, standing) for standing in answer.standings])
        print(f"\n{answer.sentence}")
    print("\n### All strategies\n")
    ranks(report)
    print("\n### Claims\n")
    claims(report)
    if options.page:
        page.write(report, options.page)


def reported(genotypes: list[dict[str, Any]], results: list[dict[str, Any]]) -> Report:
    """The comparison as far as it is trained; a seed counts once every network has it."""
    trained: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for result in results:
        trained[result["job"]["genotype"]][result["job"]["seed"]] = 100 * result["accuracies"]["class"]
    seeds = [seed for seed in range(100) if all(seed in trained[row["id"]] for row in genotypes)]
    standings = {
        name: _standing(name, row, [trained[row["id"]][seed] for seed in seeds])
        for row in genotypes
        for name in row["strategies"]
    }
    by_seed = {name: standing.entries[0].results for name, standing in standings.items()}
    latency = Measurement.from_dict(genotypes[0]["latency"])
    epochs = {(result["job"]["epochs"], result["images"]) for result in results}
    return Report(
        latency=latency.metric,
        device=latency.device.label,
        milliseconds=genotypes[0]["at"],
        metric=ACCURACY,
        fidelity="; ".join(f"{images}, {number} epochs" for number, images in sorted(epochs)) + f", {len(seeds)} seeds",
        scalings={SCALING: str(SCALINGS[SCALING])},
        answers=tuple(_answer(question, standings, by_seed) for question in QUESTIONS),
    )


def _standing(name: str, row: dict[str, Any], accuracies: list[float]) -> Standing:
    entry = Entry(
        scaling=SCALING,
        network=Architecture.from_dict(row["architecture"]),
        latency=Measurement.from_dict(row["latency"]),
        missed_by=row["missed_by"],
        params=row["params"] / 1e6,
        macs=row["macs"] / 1e9,
        results=tuple(accuracies),
    )
    return Standing(name=name, entries=(entry,), value=float(np.mean(accuracies)) if accuracies else None)


def _answer(question: Any, standings: dict[str, Standing], by_seed: dict[str, tuple[float, ...]]) -> Answer:
    mine = [standings.get(each.name, Standing(name=each.name, entries=())) for each in question.strategies]
    known = [each.name for each in mine if each.entries and each.value is not None]
    found: dict[str, Difference] = differences(by_seed, NEXT_VIT.name, known) if known else {}
    return Answer(
        name=question.name,
        text=question.text,
        reference=NEXT_VIT.name,
        standings=tuple(replace(each, difference=found.get(each.name)) for each in mine),
    )


def compared(report: Report) -> Answer:
    """All strategies together, the best first, each compared with Next-ViT's among all of them."""
    standings = {each.name: each for answer in report.answers for each in answer.standings if each.value is not None}
    found = differences({name: each.entries[0].results for name, each in standings.items()}, NEXT_VIT.name)
    order = sorted(standings.values(), key=lambda each: -(each.value or 0.0))
    return Answer(
        name="all",
        text="",
        reference=NEXT_VIT.name,
        standings=tuple(replace(each, difference=found.get(each.name)) for each in order),
    )


def ranks(report: Report) -> None:
    """Prints all strategies, the best first."""
    everything = compared(report)
    markdown(table.headings(report), [table.row(everything, standing) for standing in everything.standings])
    least = max(each.difference.detectable for each in everything.standings if each.difference)
    print(
        f"\n{everything.sentence} In 8 of 10 such experiments, a difference of {least:.2g} points would be told apart."
    )


def picture(report: Report, path: Path) -> None:
    """Draws all strategies, the best first."""
    from benchmarks.drawing import draw

    drawn = page.figure(report, compared(report))
    drawn.update_layout(width=WIDTH, paper_bgcolor="white", plot_bgcolor="white", title="")
    drawn.update_layout(xaxis_title="difference in accuracy to Next-ViT's strategy [points]")
    drawn.update_layout(margin={"l": 150, "r": 16, "t": 40, "b": 60})
    draw(drawn, path)


def claims(report: Report) -> None:
    """Prints what the trainings say of every claim that predicts something of strategies in classification."""
    answers = {answer.name: answer for answer in report.answers}
    rows = []
    for claim in CLAIMS:
        for part in claim.parts:
            if part.kind == "trained":
                prediction = TRAINED[claim.number, part.kind]
                found = finding(prediction, part.states, answers[prediction.question], "points")
                verdict = {True: "holds", False: "fails", None: "cannot be told"}[found.holds]
                rows.append(
                    [str(claim.number), part.states, verdict, "; ".join(map(str, found.numbers)) or found.remark]
                )
    markdown(["claim", "its part in classification", "here", "numbers"], rows)


def markdown(headings: list[str], rows: list[list[str]]) -> None:
    """Prints a table."""
    for row in (headings, ["---"] * len(headings), *rows):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
