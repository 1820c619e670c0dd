"""The command `nas spaces`: the search spaces, with their sizes."""

from typing import Any

import search_spaces
from nas import console


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
