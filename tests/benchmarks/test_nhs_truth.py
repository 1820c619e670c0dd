"""The truth of our own family: what is analysed of trainings that are finished in part."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.nhs_truth import analyse
from evaluators.statistics import ranking
from results.benchmark import truth

GENOTYPES = json.loads((Path(analyse.__file__).parent / "genotypes.json").read_text())


def line(genotype: dict[str, Any], seed: int, **job: Any) -> str:
    """A training run whose accuracy falls with the share of transformers."""
    share = genotype["notation"].count("T") / len(genotype["notation"])
    accuracy = 0.6 - 0.3 * share + 0.001 * np.random.default_rng([seed, int(genotype["macs"])]).normal()
    return json.dumps(
        {
            "job": {"data": "cifar10", "genotype": genotype["id"], "seed": seed, "rate": 0.002, "epochs": 8, **job},
            "skill": (accuracy - 0.1) / 0.9,
            "accuracies": {"class": accuracy},
            "seconds": 600.0,
            "images": "photographs",
            "device": "CPU, one thread",
        }
    )


@pytest.fixture
def analysed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Analyses lines of results in a folder of their own; returns what is printed."""
    (tmp_path / "genotypes.json").write_text(json.dumps(GENOTYPES))
    monkeypatch.setattr(analyse, "HERE", tmp_path)
    monkeypatch.setattr(analyse, "SCORES", ("structure",))
    monkeypatch.setattr(ranking, "BOOTSTRAPS", 20)
    monkeypatch.setattr("sys.argv", ["analyse.py", "cifar10"])

    def run(*lines: str) -> str:
        (tmp_path / "results.jsonl").write_text("".join(each + "\n" for each in lines))
        analyse.main()
        return capsys.readouterr().out

    return run


def test_a_truth_in_part_says_how_much_of_it_is_trained(analysed: Any, tmp_path: Path) -> None:
    mine = GENOTYPES[:20]
    longer = line(GENOTYPES[0], 0, epochs=24)
    printed = analysed(*(line(each, 0) for each in mine), *(line(each, 1) for each in mine[:3]), longer)
    assert "20 of 64 networks with seed 0, 3 of 64 networks with seed 1; used: seeds [0]" in printed
    assert "1 runs of other schedules left out" in printed
    assert "retest reliability: unknown, 3 networks have two seeds" in printed
    assert "transformer_share            -" in printed.split("partial tau")[1]
    assert "published, its mean" in printed
    table = truth.read(tmp_path / "cifar10.csv")
    assert table.accuracies.shape == (sum(each["role"] == "equal" for each in mine), 1)


def test_a_whole_truth_says_how_far_seeds_agree(analysed: Any, tmp_path: Path) -> None:
    printed = analysed(*(line(each, seed) for seed in (0, 1) for each in GENOTYPES))
    assert "used: seeds [0, 1]" in printed
    assert "between two seeds of 64 networks" in printed
    assert "separate the controls: class" in printed
    assert truth.read(tmp_path / "cifar10.csv").accuracies.shape == (48, 2)


def test_few_networks_are_not_ranked(analysed: Any, tmp_path: Path) -> None:
    printed = analysed(*(line(each, 0) for each in GENOTYPES[:4]))
    assert "4 networks are too few to rank: 10 are the least" in printed
    assert not (tmp_path / "cifar10.csv").exists()
    assert "nothing is trained" in analysed()
