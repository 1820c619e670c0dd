"""Where a network's time goes, part by part, by ONNX Runtime's own profile of its operators."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evaluators.common.deployed import PARTS

RUNS = 2  # that count; the first run of a session warms up


def shares(session: Any, inputs: Mapping[str, Any]) -> dict[str, float]:
    """The share of each part in the network's time, in percent; ends the profiling of a session that has run once.

    The runs of a session that has ended its profiling take as long as those of one that never began.
    """
    for _ in range(RUNS):
        session.run(None, inputs)
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    operators = [event for event in events if event.get("cat") == "Node"]
    spent = by_part(operators[len(operators) // (RUNS + 1) :])
    total = sum(spent.values())
    return {f"{part} [%]": round(100 * time / total, 1) for part, time in spent.items()}


def by_part(operators: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds in each part. An operator that optimisation put in, without a name of ours, counts where it runs."""
    spent, part = dict.fromkeys(PARTS, 0.0), PARTS[0]
    for each in operators:
        named = each["name"].partition("/")[0]
        part = named if named in spent else part
        spent[part] += each["dur"]
    return spent
