"""How `nas` bears many trials: seconds for a proposal, a resumption, `nas show` and the page; bytes and memory.

    python -m benchmarks.scaling.measure --trials 200 --trials 2000 --trials 10000 -o scaling.json
    python -m benchmarks.scaling.measure --trials 10000 --postgresql    the same on a server: ask, store and tell

At 10,000 trials a proposal with its outcome must take 0.5 s at most, `nas show` 3 s, resuming up to the first proposal
5 s, and the page 6.5 MB; memory must stay flat while trials are added. `model` is the time inside the sampler itself;
`gp` is left out beyond 500 trials. On PostgreSQL, what is beyond the sampler must take 30 ms at 10,000 trials. On a
machine with other work, compare CPU seconds.
"""

import argparse
import gc
import json
import multiprocessing
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna

from benchmarks.scaling.large_store import RUN, MadeUp, grow
from nas.commands.merge import merge_databases
from nas.commands.run import _Report
from nas.search import proposals
from nas.search.search import Search
from results.store.store import Store
from tests.postgresql import Server

GP_LIMIT = 500  # trials
ASKS = {
    "random": 20,
    "nsga2": 6,
    "tpe": 4,
    "screen": 4,
    "gp": 4,
}  # how many are timed; the first loads all trials, and is given apart


class Timed(optuna.samplers.BaseSampler):
    """A sampler, and the seconds spent in it."""

    def __init__(self, sampler: optuna.samplers.BaseSampler) -> None:
        self.sampler, self.seconds = sampler, 0.0

    def _timed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self.seconds += time.perf_counter() - start

    def infer_relative_search_space(self, *arguments: Any) -> Any:
        return self._timed(self.sampler.infer_relative_search_space, *arguments)

    def sample_relative(self, *arguments: Any) -> Any:
        return self._timed(self.sampler.sample_relative, *arguments)

    def sample_independent(self, *arguments: Any) -> Any:
        return self._timed(self.sampler.sample_independent, *arguments)


def asked(url: str, sampler: str, count: int) -> dict[str, float]:
    """The median seconds of a proposal with its outcome, of the sampler within it, and what each added to memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    store, made = Store(url, writable=True), list[Timed]()
    config = store.config(RUN)
    store.configure(RUN, {**config, "sampler": sampler, "budget": config["budget"] + count})
    original = proposals.SAMPLERS[sampler]

    def make(seed: int, knowledge: proposals.Knowledge) -> Timed:
        made.append(Timed(original.make(seed, knowledge)))
        return made[-1]

    proposals.SAMPLERS[sampler] = replace(original, make=make)
    start = time.perf_counter()
    search = Search(store, RUN, MadeUp(len(sampler)))
    loading = time.perf_counter() - start
    candidates, seconds, used, memory = iter(search), list[float](), list[float](), list[int]()
    for _ in range(count):
        start, before = time.perf_counter(), time.process_time()
        next(candidates)
        seconds.append(time.perf_counter() - start)
        used.append(time.process_time() - before)
        gc.collect()
        memory.append(resident())
    report = _Report(search, as_json=False, began=0.0, resumed=True)
    report.done = count
    start = time.perf_counter()
    report._line(search.run.trials[-1])
    line = time.perf_counter() - start
    store.close()
    typical, model = statistics.median(seconds[1:]), statistics.median(each.seconds for each in made[1:])
    return {
        "load": loading,
        "first": seconds[0],
        "ask and tell": typical,
        "CPU": statistics.median(used[1:]),
        "without model": typical - model,
        "model": model,
        "store": search.seconds["store"] / count,
        "line": line,
        "bytes a trial": (memory[-1] - memory[1]) / (count - 2),
        "peak MB": peak(),
    }


def on_a_server(database: Path) -> dict[str, float]:
    """Seconds of a proposal with its outcome on PostgreSQL that keeps every commit, after the run was merged there."""
    server = Server.start(Path(tempfile.mkdtemp(prefix="nas-postgresql-")))
    try:
        for setting in ("fsync", "full_page_writes"):  # which servers for tests do without
            server.execute(f"ALTER SYSTEM SET {setting} = on")
        server.stop("fast")
        server.resume()
        url, start = server.create("scaling"), time.perf_counter()
        merge_databases(url, [str(database)], as_json=False)
        return {"merge": time.perf_counter() - start} | apart(asked, url, "random", ASKS["random"])
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def loaded(url: str) -> dict[str, float]:
    """The seconds and the memory of a run with all its trials, read by a fresh process."""
    store = Store(url)
    start, before = time.perf_counter(), time.process_time()
    store.run(RUN)
    found = {"seconds": time.perf_counter() - start, "CPU": time.process_time() - before, "peak MB": peak()}
    store.close()
    return found


def command(*arguments: str) -> dict[str, float]:
    """The seconds, the CPU seconds and the memory of a command as a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "nas", *arguments], stdout=subprocess.DEVNULL)
    return _ended(process, start)


def resumed(path: Path) -> dict[str, float]:
    """`nas run --name` with a larger budget, until its first proposal stands in the database; then it is killed."""
    count = "SELECT count(*) FROM trials WHERE state = 'RUNNING'"
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nas", "run", "--name", RUN, "--budget", "1000000", "--store", f"sqlite:///{path}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with closing(sqlite3.connect(path)) as database:
        while not database.execute(count).fetchone()[0]:
            if process.poll() is not None:
                raise SystemExit(f"the run ended with {process.returncode} before its first proposal")
            time.sleep(0.01)
    seconds = time.perf_counter() - start
    process.kill()
    return _ended(process, start) | {"seconds": seconds}


def _ended(process: "subprocess.Popen[bytes]", start: float) -> dict[str, float]:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "seconds": time.perf_counter() - start, "CPU": usage.ru_utime + usage.ru_stime,
        "peak MB": usage.ru_maxrss / 1024, "exit code": process.returncode,
    }  # fmt: skip


def measured(database: Path, trials: int, samplers: list[str]) -> dict[str, Any]:
    """Everything about a store of so many trials. What changes it works on a copy."""
    found: dict[str, Any] = {"trials": trials, "database MB": database.stat().st_size / 1e6}
    url = f"sqlite:///{database}"
    found["load"] = apart(loaded, url)
    found["nas show"] = command("show", RUN, "--store", url)
    page = database.with_suffix(".html")
    found["nas dashboard"] = command("dashboard", RUN, "--store", url, "-o", str(page))
    found["page MB"] = page.stat().st_size / 1e6
    for sampler in samplers:
        if sampler == "gp" and trials > GP_LIMIT:
            continue
        found[sampler] = apart(asked, f"sqlite:///{copied(database)}", sampler, ASKS[sampler])
    copy = copied(database)
    with closing(Store(f"sqlite:///{copy}", writable=True)) as store:
        store.configure(RUN, {**store.config(RUN), "sampler": "random"})
    found["resume"] = resumed(copy)
    return found


def copied(database: Path) -> Path:
    """A copy, without what a killed process left behind of the last one."""
    for left in database.parent.glob("copy.db*"):
        left.unlink()
    return Path(shutil.copy(database, database.with_name("copy.db")))


def apart(function: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """A function's result, from a fresh process: its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """A row for each number, a column for each size."""
    yield "| | " + " | ".join(f"{result['trials']} trials" for result in results) + " |"
    yield "|---|" + "---|" * len(results)
    for name, value in results[0].items():
        for part in value if isinstance(value, dict) else [""]:
            cells = [result.get(name, {}).get(part, "") if part else result[name] for result in results]
            shown = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells)
            yield f"| {name} {part} | {' | '.join(shown)} |".replace("  ", " ")


def main() -> None:
    """Grows one store from size to size, measures at each, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, action="append")
    parser.add_argument("--sampler", action="append", choices=list(ASKS))
    parser.add_argument("--postgresql", action="store_true", help="time nothing but ask and tell on a server")
    parser.add_argument("--keep", type=Path, help="folder for the databases, which are kept and taken up again")
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder, results = arguments.keep or Path(tempfile.mkdtemp()), list[dict[str, Any]]()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["NAS_LOCKS"] = str(folder)  # the run that is resumed disturbs no other
    last: Path | None = None
    for trials in sorted(arguments.trials or [200, 2000, 10_000]):
        database = folder / f"{trials}.db"
        if not database.exists():
            start = time.perf_counter()
            if last:
                shutil.copy(last, database)
            grow(database, trials)
            print(f"{trials} trials made in {time.perf_counter() - start:.0f} s", flush=True)
        last = database
        if arguments.postgresql:
            results.append({"trials": trials, "on PostgreSQL": on_a_server(database)})
        else:
            results.append(measured(database, trials, arguments.sampler or list(ASKS)))
        print(json.dumps(results[-1]), flush=True)
    print("\n".join(table(results)))
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
