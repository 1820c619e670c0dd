"""The comparison with the script of a weekend: that both mean the same networks, and what the tables work out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from timm.models.nextvit import NextConvBlock, NextTransformerBlock, NextViT

import evaluators
from benchmarks import throughput, weekend_script
from benchmarks.throughput import NAS, SCRIPT, Candidate, Repeat
from search_spaces import PAPER, Architecture


@pytest.mark.parametrize("depths", throughput.DEPTHS)
def test_both_mean_the_same_network(depths: tuple[int, ...]) -> None:
    kinds = {NextConvBlock: "C", NextTransformerBlock: "T"}
    with torch.device("meta"):
        theirs: Any = NextViT(in_chans=3, depths=depths)
    ours = throughput.network(depths)
    for stage, blocks in zip(theirs.stages, ours.blocks, strict=True):
        assert [(kinds[type(each)], each.out_chs) for each in stage.blocks] == [
            (b.kind, b.out_channels) for b in blocks
        ]
    parameters = sum(each.numel() for each in theirs.parameters())
    assert parameters == evaluators.get("params").measure(ours).details["count"]


def test_the_script_begins_with_the_networks_of_the_paper() -> None:
    assert [throughput.network(depths) for depths in weekend_script.PUBLISHED] == list(PAPER.values())


def candidate(
    method: str, at: float, costs: tuple[float, float], blocks: str = "C-CT-CT-C", seed: int = 0
) -> Candidate:
    architecture = Architecture.from_notation(blocks)
    return Candidate(method=method, seed=seed, at=at, architecture=architecture, costs=costs, steps={"build": at})


def test_seconds_a_candidate_with_and_without_the_start() -> None:
    found = [candidate(NAS, at, (0, 0), seed=seed) for seed, at in ((0, 5), (0, 7), (0, 9), (1, 4), (1, 6))]
    assert throughput.pace(found, with_start=True) == 3
    assert throughput.pace(found, with_start=False) == 2


def test_variation_is_that_within_networks() -> None:
    def repeats(network: str, *values: float) -> list[Repeat]:
        return [Repeat(method=NAS, network=network, milliseconds=each, moment=1.0) for each in values]

    rows = [*repeats("small", 10.0, 10.2), *repeats("large", 100.0, 102.0)]
    assert throughput.variation(rows, "milliseconds") == pytest.approx(np.log(1.02) / 2**0.5)
    assert throughput.variation(rows, "moment") == 0


def test_the_interval_of_a_ratio_shrinks_with_repeats() -> None:
    few, many = throughput.ratio_interval(3.0, 4), throughput.ratio_interval(3.0, 400)
    assert few[0] < many[0] < 3 < many[1] < few[1]
    assert few[0] * few[1] == pytest.approx(9)


def test_a_front_holds_what_was_finished_in_time() -> None:
    slow, fast = candidate(SCRIPT, 5, (-2, 30)), candidate(SCRIPT, 9, (-1, 10), "C-CT-CT-T")
    worse, late = candidate(SCRIPT, 9, (-1, 40), "C-CT-CT-CT"), candidate(SCRIPT, 11, (-9, 1), "C-T-CT-CT")
    fronts = throughput.own_fronts([slow, worse, fast, late], seconds=10)
    assert fronts == {(SCRIPT, 0): [slow.architecture, fast.architecture]}
    with pytest.raises(SystemExit, match="evaluated 1 networks in 6 s"):
        throughput.own_fronts([slow, fast], seconds=6)


def test_what_fronts_cover_and_beat() -> None:
    ours, theirs = np.array([[-80.0, 10.0], [-82.0, 20.0]]), np.array([[-80.0, 11.0], [-81.0, 19.0]])
    everything = np.vstack([ours, theirs])
    assert throughput.covered(ours, everything) > throughput.covered(theirs, everything) > 0
    assert throughput.covered(np.array([[-82.0, 10.0]]), everything) == pytest.approx(1)
    assert throughput.beaten(theirs, ours) == 0.5
    assert throughput.beaten(ours, theirs) == 0


ENDLESS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
print('{"a": 1}', flush=True)
time.sleep(60)
"""


def test_a_program_is_ended_in_time_and_a_broken_one_is_reported(tmp_path: Path) -> None:
    ((at, line),) = throughput.stamped([sys.executable, "-c", ENDLESS], str(tmp_path), 2.0)
    assert line == {"a": 1}
    assert 0 < at < 60
    with pytest.raises(SystemExit, match="no such thing"):
        throughput.stamped([sys.executable, "-c", "raise ValueError('no such thing')"], str(tmp_path))


@pytest.mark.slow
def test_the_script_of_a_weekend_works() -> None:
    command = [sys.executable, weekend_script.__file__, "--budget", "1"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    first, last = map(json.loads, lines)
    assert first["depths"] == [3, 4, 10, 3]
    assert first["giga_macs"] == pytest.approx(evaluators.get("macs").measure(PAPER["next-vit-s"]).value, rel=0.02)
    assert list(first["seconds"]) == ["build", "giga_macs", "export", "session", "milliseconds"]
    assert first["milliseconds"] > 0
    assert last == {"front": [0]}
