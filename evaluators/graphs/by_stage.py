"""The time in each part of a network, from ONNX Runtime's profile of its operators."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evaluators.core.measurement import further_key
from search_spaces.common.errors import ROOM, InfrastructureFailed
from search_spaces.nextvit.architecture import PARTS

RUNS = 2  # runs that are profiled after the first one, which warms up


def operators(session: Any, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The profile of a session that has run once, operator by operator, each in the quicker of two runs.

    Another process may have taken the processor away in the other. Ends the profiling, after which the session runs as
    fast as one without it.

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
    nodes = [event for event in events if event.get("cat") == "Node"]
    count = len(nodes) // (RUNS + 1)
    runs = [nodes[run * count : (run + 1) * count] for run in range(1, RUNS + 1)]  # without the first
    return [min(repeats, key=lambda event: event["dur"]) for repeats in zip(*runs, strict=True)]


def shares(operators: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The percentage of the network's time in each part, by the keys of a measurement's `secondary`."""
    spent = by_part(operators)
    total = sum(spent.values())
    return {further_key(part, "%"): round(100 * time / total, 1) for part, time in spent.items()}


def by_part(operators: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds in each part. An operator without our name, added by optimisation, counts for the part before it."""
    spent, part = dict.fromkeys(PARTS, 0.0), PARTS[0]
    for operator in operators:
        prefix = operator["name"].partition("/")[0]
        part = prefix if prefix in spent else part
        spent[part] += operator["dur"]
    return spent
