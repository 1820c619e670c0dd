"""The made-up store of the scaling benchmark is one that the program takes for its own."""

from pathlib import Path

from benchmarks.scaling import large_store
from tests.conftest import Program


def test_a_run_of_some_hundred_trials_is_shown_and_drawn(nas: Program) -> None:
    path = nas.folder / "runs" / "nas.db"
    for trials in (120, 400):  # grown in two steps, as the benchmark does
        large_store.grow(path, trials)
    shown = nas("show", "--all", "--json")
    assert shown.code == 0, shown.err
    trials = shown.json["trials"]
    assert [trial["trial"] for trial in trials] == list(range(400))
    assert {trial["measurements"]["ort"]["device"]["label"] for trial in trials} == {large_store.LABEL}
    points = {
        trial["trial"]: (-trial["measurements"]["published"]["value"], trial["measurements"]["ort"]["value"])
        for trial in trials
    }
    front = [
        number
        for number, point in points.items()
        if not any(other != point and other[0] <= point[0] and other[1] <= point[1] for other in points.values())
    ]
    best = nas("show", "--json").json["trials"]
    assert [trial["trial"] for trial in best] == sorted(front, key=points.__getitem__)
    page = Path(nas("dashboard").out.strip())
    assert "400 of 400: 400 ok" in (nas.folder / page).read_text()
