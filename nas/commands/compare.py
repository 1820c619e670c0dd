"""The command `nas compare`: which of two runs covers more, and whether the measurements can tell."""

from pathlib import Path

from nas import console
from results import load
from results.pages import comparison
from search_spaces.common import files
from search_spaces.common.errors import UsageError


def compare_runs(store_url: str, first: str, second: str, output: Path | None, *, as_json: bool) -> int:
    """Compares the fronts of two runs in a sentence, and as a page or JSON on request."""
    if first == second:
        raise UsageError(f"'{first}' twice: name two runs", f"{console.command('show', '--runs')} lists them")
    if output:
        files.check_file(output)
    result = comparison.compare(load(first, store_url), load(second, store_url))
    if output:
        files.replace(output, comparison.page(result))
    if as_json:
        console.write_json(
            {
                "runs": [first, second],
                "volumes": result.volumes,
                "relative to the anchors": result.relative,
                "difference": vars(result.difference),
                "doubts": result.doubts,
            }
        )
    console.say(result.sentence)
    return 0
