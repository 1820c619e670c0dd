"""Samplers compared: the share of a table's hypervolume that each reaches after n evaluations, over 30 seeds.

    python -m benchmarks.search_efficiency.compare --data ../shared/data
    python -m benchmarks.search_efficiency.compare --samplers gp --tables nhs --seeds 10
    python -m benchmarks.search_efficiency.report

Appends a line to results.jsonl for each search and leaves out those that are there already. A seed begins with the same
random networks for every sampler. The published tables are not part of this repository; `nhs` (make_nhs_table.py) and
`toy` are. A search takes one thread: up to three seconds for most samplers, minutes for the Gaussian process.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.search_efficiency import tables
from benchmarks.search_efficiency.samplers import SAMPLERS

RESULTS = Path(__file__).parent / "results.jsonl"
SEEDS, BUDGET = 30, 200
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
EVERY = 10  # evaluations between two points of a curve


class Job(NamedTuple):
    """One search."""

    table: str
    sampler: str
    seed: int
    budget: int


def asked(table: Any, sampler: str, seed: int, budget: int) -> tuple[list[int], tables.Array]:
    """The networks that a sampler evaluates, in order, and their costs (budget, 2)."""
    chosen = SAMPLERS[sampler]
    networks = table.seen(chosen.latency, seed)
    asking = chosen.ask(networks, seed)
    indices = next(asking)[:budget]
    while len(indices) < budget:
        indices = indices + asking.send(table.costs(networks, indices))
    asking.close()
    return indices[:budget], table.costs(networks, indices[:budget])


def shares(table: Any, costs: tables.Array) -> list[float]:
    """The share of the table's hypervolume that costs reach after every ten evaluations."""
    ends = range(EVERY, len(costs) + 1, EVERY)
    return [round(tables.volume(costs[:end], table.reference) / table.whole, 5) for end in ends]


def search(job: Job, folder: Path) -> dict[str, Any]:
    """The curve of one search, as a line of results.jsonl."""
    table, start = tables.table(job.table, folder), time.process_time()
    indices, costs = asked(table, job.sampler, job.seed, job.budget)
    seconds = time.process_time() - start
    assert len(set(indices)) == len(indices), f"{job} evaluated a network twice"
    return {
        "table": job.table,
        "digest": table.digest,
        "sampler": job.sampler,
        "seed": job.seed,
        "seconds": round(seconds, 1),
        "shares": shares(table, costs),
    }


def stored(path: Path = RESULTS) -> Iterator[dict[str, Any]]:
    """The lines of results.jsonl; without one that an interruption cut off."""
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            print(f"{path.name}: left out an incomplete line")


def missing(jobs: list[Job], digests: dict[str, str]) -> list[Job]:
    """The searches that results.jsonl lacks, or has of another table or for fewer evaluations."""
    done = {
        (line["table"], line["sampler"], line["seed"]): len(line["shares"]) * EVERY
        for line in stored()
        if line["digest"] == digests.get(line["table"])
    }
    return [job for job in jobs if done.get(job[:3], 0) < job.budget]


def main() -> None:
    """Runs what is missing, the searches of one seed before those of the next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=tables.DATA, help="the folder of the published tables")
    parser.add_argument("--tables", nargs="+", choices=tables.NAMES, default=list(tables.NAMES))
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    names = tables.available(arguments.tables, arguments.data)
    digests = {name: tables.table(name, arguments.data).digest for name in names}
    every = [
        Job(name, sampler, seed, arguments.budget)
        for seed in range(arguments.seeds)
        for sampler in arguments.samplers
        for name in names
        if SAMPLERS[sampler].open or name != "toy"
    ]
    jobs = missing(every, digests)
    print(f"{len(every) - len(jobs)} of {len(every)} searches are in {RESULTS.name}")
    os.environ.update(dict.fromkeys(THREADS, "1"))  # of each process: searches run side by side
    context = multiprocessing.get_context("spawn")  # imports NumPy anew, with one thread
    with ProcessPoolExecutor(arguments.processes, mp_context=context) as pool, RESULTS.open("a") as file:
        futures = {pool.submit(search, job, arguments.data): job for job in jobs}
        for number, future in enumerate(as_completed(futures), start=1):
            line = future.result()
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            file.flush()
            job = futures[future]
            print(f"{number}/{len(jobs)} {job.table} {job.sampler} {job.seed}: {line['shares'][-1]:.4f}", flush=True)


if __name__ == "__main__":
    main()
