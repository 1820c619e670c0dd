"""Strategies trained on photographs: what is kept becomes the answers and verdicts of the commands."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.strategies import analyse, networks
from results.strategies.report import Entry
from search_spaces.strategies.catalogue import QUESTIONS
from search_spaces.strategies.strategy import SCALINGS
from tests import synthetic

STRATEGIES = {each.name: each for question in QUESTIONS for each in question.strategies}
WORSE = {"start of the group": -3.0, "middle of the group": -2.0, "r = 0": 3.0}  # points, planted


def report() -> dict[str, Any]:
    """What `nas strategies --json` prints, with one network of each strategy."""
    entries = {
        name: Entry(
            scaling="tiny",
            network=strategy.network(SCALINGS["tiny"], 0.3),
            latency=synthetic.measurement(synthetic.LATENCY, 1.5, 0.01),
            missed_by=0.01,
            params=1.0,
            macs=0.5,
        ).to_dict()
        for name, strategy in STRATEGIES.items()
    }
    answers = [
        {
            "question": question.name,
            "strategies": [
                {"name": each.name, "entries": [entries[each.name]], "missing": []} for each in question.strategies
            ],
        }
        for question in QUESTIONS
    ]
    return {"at": 1.5, "answers": answers}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with networks, trained with two seeds, and the last with one alone."""
    (tmp_path / "strategies.json").write_text(json.dumps(report()))
    for module in (networks, analyse):
        monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr("sys.argv", ["networks.py", str(tmp_path / "strategies.json")])
    networks.main()
    genotypes = json.loads((tmp_path / "genotypes.json").read_text())
    random, lines = np.random.default_rng(0), []
    for seed in (0, 1, 2):
        for row in genotypes[: -1 if seed == 2 else None]:
            value = 60 + sum(WORSE.get(name, 0.0) for name in row["strategies"]) + random.normal(0, 0.2)
            job = {"genotype": row["id"], "seed": seed, "epochs": 6, "rate": 0.0007, "data": "cifar10"}
            lines.append(json.dumps({"job": job, "accuracies": {"class": value / 100}, "images": "photographs"}))
    (tmp_path / "results.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_every_strategy_has_a_network_once(kept: Path) -> None:
    genotypes = json.loads((kept / "genotypes.json").read_text())
    assert {name for row in genotypes for name in row["strategies"]} == STRATEGIES.keys()
    assert len({row["id"] for row in genotypes}) == len(genotypes)


def test_what_is_planted_is_found_and_judges_the_claims(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["analyse.py", "--page", str(kept / "page.html")])
    analyse.main()
    said = capsys.readouterr().out
    assert "Than CHHH, start of the group and middle of the group are worse." in said
    assert "| 3 | start and middle of the group are worse than its end | holds |" in said
    assert "| 5 | r = 0 and r = 1 are worse than r = 0.75 at one latency | fails |" in said
    assert "| 8 | convolution first is worse at one latency | cannot be told |" in said
    assert "| r = 0 | 1 | 63" in said.partition("### All strategies")[2]
    assert "2 seeds" in (kept / "page.html").read_text(), "the third is not complete"


def test_a_strategy_out_of_reach_is_named(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = report()
    for answer in made["answers"]:
        for standing in answer["strategies"]:
            if standing["name"] == "TTTT":
                standing |= {"entries": [], "missing": ["tiny: the nearest has 2 ms"]}
    (kept / "strategies.json").write_text(json.dumps(made))
    networks.main()
    assert "TTTT: tiny: the nearest has 2 ms" in capsys.readouterr().out
    rows = json.loads((kept / "genotypes.json").read_text())
    results = [json.loads(line) for line in (kept / "results.jsonl").read_text().splitlines()]
    stages = next(answer for answer in analyse.reported(rows, results).answers if answer.name == "stages")
    assert [each.value is None for each in stages.standings if each.name == "TTTT"] == [True]
