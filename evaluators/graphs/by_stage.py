"""Where a network's time goes, part by part, by ONNX Runtime's own profile of its operators."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evaluators.core.measurement import further_key
from search_spaces.common.errors import ROOM, InfrastructureFailed
from search_spaces.nextvit.architecture import PARTS

RUNS = 2  # that count; the first run of a session warms up


def operators(session: Any, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What two runs did, operator by operator; ends the profiling of a session that has run once.

    The runs of a session that has ended its profiling take as long as those of one that never began.

    Raises:
        InfrastructureFailed: ONNX Runtime could not write its profile.
    """
    for _ in range(RUNS):
        session.run(None, inputs)
    path = Path(session.end_profiling())
    try:
        events = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InfrastructureFailed(f"the profile '{path}' cannot be read: {error}", ROOM) from None
    found = [event for event in events if event.get("cat") == "Node"]
    return found[len(found) // (RUNS + 1) :]


def shares(operators: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The percentage of the network's time in each part, by the keys of a measurement's `secondary`."""
    spent = by_part(operators)
    total = sum(spent.values())
    return {further_key(part, "%"): round(100 * time / total, 1) for part, time in spent.items()}


def by_part(operators: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds in each part. An operator that optimisation put in, without a name of ours, counts where it runs."""
    spent, part = dict.fromkeys(PARTS, 0.0), PARTS[0]
    for each in operators:
        named = each["name"].partition("/")[0]
        part = named if named in spent else part
        spent[part] += each["dur"]
    return spent
