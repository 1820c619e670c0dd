"""Hybrid strategies compared as a user does it: measured on this machine, judged, stored, and shown."""

import pytest

from results.store.store import Store
from search_spaces import Architecture
from tests.conftest import Program

AT = ("--at", "4ms", "--latency", "ort:resolution=32", "--scaling", "shallow")


@pytest.mark.slow  # a minute or two: dozens of latencies are measured
def test_strategies_have_one_latency_and_resume(nas: Program) -> None:
    first = nas("strategies", "place", *AT, "--proxy", "entropy:resolution=32,seeds=2", "--json")
    assert first.code == 0, first.err
    report = first.json
    (answer,) = report["answers"]
    assert [each["name"] for each in answer["strategies"]] == ["start of the group", "middle of the group", "CHHH"]
    entries = [entry for each in answer["strategies"] for entry in each["entries"]]
    missing = [reason for each in answer["strategies"] for reason in each["missing"]]
    assert len(entries) + len(missing) == 3, "each is at the latency, or says why not: this machine may be busy"
    assert entries
    assert all(abs(entry["missed_by"]) <= 0.02 and entry["results"] for entry in entries)
    networks = [Architecture.from_dict(entry["architecture"]) for entry in entries]
    assert {network.stages[2].blocks for network in networks} <= {"TCCCC", "CCTCC", "CCCCT"}
    made = rows(nas)
    again = nas("strategies", "place", *AT, "--proxy", "entropy:resolution=32,seeds=2", "-o", "page.html")
    assert again.code == 0, again.err
    assert missing or rows(nas) == made, "what is stored is not measured again"
    assert "Where in its group does the transformer belong?" in again.out + again.err
    assert "entropy" in again.out
    page = (nas.folder / "page.html").read_text()
    assert "start of the group" in page and "at 4 ms" in page


def rows(nas: Program) -> int:
    store = Store(f"sqlite:///{nas.folder}/runs/nas.db")
    try:
        return len(store.all_rows())
    finally:
        store.close()


@pytest.mark.slow
def test_published_networks_say_what_they_cannot_tell(nas: Program) -> None:
    ended = nas("strategies", "place", *AT)
    assert ended.code == 0, ended.err
    assert "Cannot be told: its features do not say where in a stage a transformer stands." in ended.err


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["stage", "--at", "4ms"], "did you mean 'stages'", 2),
        (["--at", "4"], "--at 4 is not a latency", 2),
        (["--at", "0ms"], "--at 0ms is not a latency", 2),
        (["--at", "nanms"], "--at nanms is not a latency", 2),
        ([], "Missing option '--at'", 2),
        (["--at", "4ms", "--scaling", "as-l"], "known: as-b, as-s, shallow", 2),
        (["--at", "4ms", "--seeds", "2"], "add --data DIR", 2),
        (["--at", "4ms", "--proxy", "auto:data=digits"], "strategies differ too little", 2),
        (["--at", "4ms", "--data", "no-such-folder"], "there is no data 'no-such-folder'", 1),
    ],
)
def test_bad_input(nas: Program, arguments: list[str], message: str, code: int) -> None:
    ended = nas("strategies", *arguments)
    assert ended.code == code, ended.err
    assert message in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_a_latency_that_no_strategy_reaches_is_answered_with_one_that_a_network_has(nas: Program) -> None:
    ended = nas("strategies", "order", "--at", "1us", "--latency", "ort:resolution=32", "--scaling", "shallow")
    assert ended.code == 1, ended.err
    assert "no strategy reaches 0.001 ms: Next-ViT-S has" in ended.err
