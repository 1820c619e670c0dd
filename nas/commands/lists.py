"""The commands `nas spaces` and `nas evaluators`: what can be searched, and by what it can be judged."""

from dataclasses import fields
from typing import Any

import evaluators
import search_spaces
from evaluators import Evaluator
from nas import console
from search_spaces.common import fixes, narrowed


def list_spaces(*, as_json: bool) -> None:
    """Lists the search spaces, a user's own included."""
    spaces: list[dict[str, Any]] = [
        {
            "name": name,
            "networks": search_spaces.get(name).size(),
            "anchors": list(search_spaces.get(name).anchors()),
            "summary": search_spaces.summary(name),
        }
        for name in search_spaces.names()
    ]
    if as_json:
        console.write_json(spaces)
    else:
        rows = (
            [space["name"], f"{space['networks']:.3g}", ", ".join(space["anchors"]), space["summary"]]
            for space in spaces
        )
        console.write_table(["space", "networks", "anchors", "what it varies"], rows)


def list_parameters(name: str, *, as_json: bool) -> None:
    """Lists the parameters of a space with their values, as `--fix` takes them."""
    known = narrowed.values(narrowed.distributions(search_spaces.get(name)))
    listing = {parameter: fixes.described(values) for parameter, values in known.items()}
    if as_json:
        console.write_json([{"parameter": parameter, "values": values} for parameter, values in listing.items()])
    else:
        console.write_table(["parameter", "values"], (list(row) for row in listing.items()))


def list_evaluators(*, as_json: bool) -> None:
    """Lists the evaluators, a user's own included, with the meaning of their numbers and their options."""
    listing = [_description(evaluators.get(name)) for name in evaluators.names()]
    if as_json:
        console.write_json(listing)
    else:
        headings = ["family", "evaluator", "unit", "better", "kind", "options", "what it finds out"]
        keys = ("family", "name", "unit", "better", "kind", "options", "summary")
        rows = ([_cell(description, key) for key in keys] for description in listing)
        console.write_table(headings, rows)


def _description(evaluator: Evaluator) -> dict[str, Any]:
    metric = evaluator.metric
    return {
        "family": evaluator.family(),
        "name": evaluator.name(),
        "unit": metric.unit,
        "better": "lower" if metric.direction == "minimize" else "higher",
        "kind": metric.kind,
        "options": {option.name: getattr(evaluator, option.name) for option in fields(evaluator)},
        "summary": evaluators.summary(evaluator.name()),
    }


def _cell(description: dict[str, Any], key: str) -> str:
    """One cell of the table; options with their defaults, except the data, which has no useful default."""
    if key != "options":
        return str(description[key])
    return ", ".join(f"{name}={'DATA' if name == 'data' else value}" for name, value in description["options"].items())
