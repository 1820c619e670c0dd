"""The command `nas merge`: brings measurements and runs of other databases into one."""

from collections.abc import Sequence
from dataclasses import asdict

from nas import console
from results.store import merge
from results.store.database_url import sqlite_path
from results.store.merge import Contents, Merged
from results.store.store import Store

MOST_LEFT_OUT = 20  # sentences about damaged rows that are printed


def merge_databases(into: str, sources: Sequence[str], *, as_json: bool) -> int:
    """Merges databases and reports what was added. Returns 1 where damaged rows were left out."""
    sqlite_path(_url(into))  # refuses what is no place for a database
    contents = {name: _contents(name) for name in sources}  # all of them, before anything is written
    target = Store(_url(into), writable=True)
    try:
        results = {name: merge.write(target, content) for name, content in contents.items()}
        merge.analyze(target)
    finally:
        target.close()
    if as_json:
        console.write_json({name: asdict(merged) for name, merged in results.items()})
    else:
        for name, merged in results.items():
            _report(name, merged)
    return int(any(merged.left_out for merged in results.values()))


def _contents(name: str) -> Contents:
    source = Store(_url(name))
    try:
        return merge.read(source)
    finally:
        source.close()


def _report(name: str, merged: Merged) -> None:
    console.say(f"{name}: {merged.measurements} new measurements, {merged.known} known")
    for line in merged.runs:
        console.say(f"  run {line}")
    for sentence in merged.left_out[:MOST_LEFT_OUT]:
        console.say(f"  left out: {sentence}")
    if (more := len(merged.left_out) - MOST_LEFT_OUT) > 0:
        console.say(f"  left out: {more} more rows; --json lists them all")


def _url(text: str) -> str:
    """A database URL as it is, a file as a SQLite URL."""
    return text if "://" in text else f"sqlite:///{text}"
