"""`--fix` and `--free` in real processes, and the space `free`."""

from contextlib import closing
from pathlib import Path

import pytest

from results.store.store import Store
from search_spaces import PAPER
from search_spaces.common import narrowed
from search_spaces.common.errors import InvalidArchitecture
from tests.conftest import QUICK, Program

FIX = ("--fix", "stage[234].t=1", "--fix", "stage3.L=2..3", "--fix", "stage2.mix_block_ratio=0.5,0.75")
RESOLVED = ("stage2.t=1", "stage2.mix_block_ratio=0.5,0.75", "stage3.t=1", "stage3.L=2,3", "stage4.t=1")


def test_a_narrowed_run_stays_inside_and_resumes_as_it_was(finished: Program) -> None:
    ended = finished("run", "--name", "narrow", "--budget", "6", *QUICK, *FIX)
    assert ended.code == 0, ended.err
    assert f"fixed        {', '.join(RESOLVED)}" in ended.err
    assert "of 1.27e+12 networks" in ended.err
    assert "anchors      next-vit-s: published" in ended.err
    assert "without next-vit-b: stage3.L: --fix leaves 2,3, and the network has 4" in ended.err
    shown = finished("show", "narrow", "--all", "--json").json
    assert shown["config"]["fix"] == list(RESOLVED)
    space = narrowed.get("nhs", RESOLVED)
    with closing(Store(f"sqlite:///{finished.folder}/runs/nas.db")) as store:
        run = store.run("narrow")
    assert [trial.anchor for trial in run.trials] == ["next-vit-s", "", "", "", "", ""]
    for trial in run.trials:
        space.params(trial.architecture)  # raises where a network is outside
    page = Path(finished.folder, "runs", "narrow.html").read_text()
    assert "nhs, stage2.t=1" in page
    assert "--fix stage3.L=2,3" in page
    assert "as much as next-vit-s" in page
    resumed = finished("run", "--name", "narrow", "--budget", "7", "--fix", "stage3.L=3,2", *FIX[:2], *FIX[4:])
    assert resumed.code == 0, resumed.err
    assert "resumed at 6 of 7" in resumed.err
    assert "narrow" in finished("show", "--runs").out


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (("--fix", "stage3.t=1"), f"fix: {', '.join(RESOLVED)} in the run, stage3.t=1 requested"),
        (("--free", "stage3.*"), f"in the run, {RESOLVED[0]}, {RESOLVED[1]}, {RESOLVED[4]} requested"),
        (("--space", "free"), "space: nhs in the run, free requested"),
    ],
)
def test_another_narrowing_is_refused_on_resume(finished: Program, options: tuple[str, ...], difference: str) -> None:
    if "narrow-2" not in finished("show", "--runs", "--json").out:
        assert finished("run", "--name", "narrow-2", "--budget", "1", *QUICK, *FIX).code == 0
    ended = finished("run", "--name", "narrow-2", *options)
    assert ended.code == 2
    assert difference in ended.err


@pytest.mark.slow
def test_a_narrowed_run_is_taught_only_by_networks_inside(finished: Program) -> None:
    with closing(Store(f"sqlite:///{finished.folder}/runs/nas.db")) as store:
        networks = [trial.architecture for trial in store.run("whole").succeeded()]
    space, inside = narrowed.get("nhs", ["stage2.t=1"]), 0
    for network in networks:
        try:
            inside += bool(space.params(network))
        except InvalidArchitecture:
            continue
    assert 0 < inside < len(networks)
    ended = finished("run", "--budget", "4", *QUICK, "--fix", "stage2.t=1", "--seed-from", "whole")
    assert ended.code == 0, ended.err
    assert f"taught by    {inside} networks" in ended.err


@pytest.mark.slow
def test_free_is_searched_and_taught_by_a_run_of_nhs(finished: Program) -> None:
    options = ("--latency", "ort:resolution=32", "--proxy", QUICK[1], "--seed-from", "whole")
    ended = finished("run", "--space", "free", "--budget", "5", *options)
    assert ended.code == 0, ended.err
    assert "taught by    14 networks" in ended.err
    trials = finished("show", "free-1", "--all", "--json").json["trials"]
    assert [trial["state"] for trial in trials] == ["ok"] * 5


@pytest.mark.slow
def test_a_space_smaller_than_the_budget_is_evaluated_whole(finished: Program) -> None:
    anchor = narrowed.get("nhs").params(PAPER["next-vit-s"])
    fixed = [f"--fix={name}={value}" for name, value in anchor.items() if name not in ("stage3.L", "stage1.N")]
    ended = finished(
        "run", "--name", "tiny", "--budget", "9", *QUICK, *fixed, "--fix", "stage3.L=2,4", "--fix=*1.N=2,3"
    )
    assert ended.code == 0, ended.err
    assert "budget       9 candidates: all 4 networks of the space" in ended.err
    shown = finished("show", "tiny", "--all", "--json").json["trials"]
    assert [trial["anchor"] for trial in shown] == ["next-vit-s", "next-vit-b", None, None]
    assert finished("run", "--name", "tiny").code == 0


def test_a_sample_of_a_narrowed_space_is_measured(nas: Program) -> None:
    fix = ("--fix", "stage*.N=1", "--fix", "stage*.L=1", "--fix", "stage*.t=1", "--free", "stage1.t")
    ended = nas("measure", "--sample", "2", "--latency", "ort:resolution=32", *fix)
    assert ended.code == 0, ended.err
    with closing(Store(f"sqlite:///{nas.folder}/runs/nas.db")) as store:
        ((_, pairs),) = store.measured("ort:resolution=32").items()
    assert {str(network).split("-", 1)[1] for network, _ in pairs} == {"CT-CT-CT"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("run", "--fix", "stage3.n=1"), "did you mean 'stage3.N'?"),
        (("run", "--fix", "stage3.N=10"), "stage3.N: 10 is outside its values, 0..9\n  nearest: 9"),
        (("run", "--fix", "stage3.conv_width=300"), "256..512 in steps of 64\n  nearest: 320"),
        (("run", "--fix", "stage3.t=1", "--fix", "*.t=0"), "stage3.t is fixed twice"),
        (("run", "--fix", "stage3.t"), "names no parameter with its values"),
        (("run", "--free", "stage3.t"), "no --fix fixes it"),
        (("run", "--fix", "*.N=1", "--fix", "*.t=1", "--fix", "*.L=1", "--fix", "*.mix_block_ratio=0.5",
          "--fix", "stage1.*width=128", "--fix", "stage2.*width=192", "--fix", "stage3.*width=384",
          "--fix", "stage4.*width=768"), "there is nothing to search"),
        (("measure", "next-vit-s", "--fix", "stage3.t=1"), "narrow the space of --sample"),
        (("measure", "--sample", "9", "--fix", "stage3.t=2"), "stage3.t: 2 is outside"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(nas: Program, options: tuple[str, ...], message: str) -> None:
    ended = nas(*options)
    assert ended.code == 2, ended.err
    assert message in ended.err
    assert not list(nas.folder.iterdir()), "nothing is written"


def test_parameters_are_listed(nas: Program) -> None:
    listed = {row["parameter"]: row["values"] for row in nas("spaces", "nhs", "--json").json}
    assert listed["stage3.N"] == "0..9"
    assert listed["stage3.t"] == "0, 1"
    assert listed["stage2.mix_block_ratio"] == "0..1 in steps of 0.25"
    assert "stage3.last30" in nas("spaces", "free").out
