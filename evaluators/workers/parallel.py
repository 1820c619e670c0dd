"""Evaluates several networks in parallel, because one small network does not fill a device."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from queue import SimpleQueue

from evaluators.core.evaluator import Evaluator
from evaluators.core.locks import exclusive
from evaluators.core.measurement import Measurement
from evaluators.workers.bench import Bench
from search_spaces import Network
from search_spaces.common.errors import MeasurementFailed

Job = tuple[Evaluator, Network]
Outcome = Measurement | MeasurementFailed
Result = tuple[Network, Outcome]


def together(evaluator: Evaluator, architectures: Sequence[Network], bench: Bench) -> Iterator[Result]:
    """Yields every network with its measurement or its failure, as soon as it is known.

    As many run at once as the evaluator allows, each in a separate process, while no other process measures on the
    device; in a lane, as many as serve it. An evaluator that allows one uses `bench` for one network after another.

    Raises:
        InfrastructureFailed: something around the networks failed; those that were not yielded are not evaluated.
    """
    for index, outcome in all_of([(evaluator, architecture) for architecture in architectures], bench):
        yield architectures[index], outcome


def all_of(jobs: Sequence[Job], bench: Bench) -> Iterator[tuple[int, Outcome]]:
    """The same for evaluators that differ in options alone: the index of every job with its outcome."""
    count = min(bench.at_once(jobs[0][0]), len(jobs)) if jobs else 0
    if count < 2:
        yield from ((index, _tried(bench, *job)) for index, job in enumerate(jobs))
        return
    with ExitStack() as stack:
        sent = bench.sends(jobs[0][0])
        if not sent:
            stack.enter_context(exclusive(jobs[0][0].physical(), bench.say))
        pool = ThreadPoolExecutor(count)
        stack.callback(pool.shutdown)
        free: SimpleQueue[Bench] = SimpleQueue()
        for _ in range(count):
            others = 0 if sent else count - 1
            free.put(stack.enter_context(Bench(bench.timeout, others=others, say=bench.say, lane=bench.lane)))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)  # runs first, on an interruption too

        def evaluated(job: Job) -> Outcome:
            own_bench = free.get()
            try:
                return _tried(own_bench, *job)
            finally:
                free.put(own_bench)

        futures = {pool.submit(evaluated, job): index for index, job in enumerate(jobs)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _tried(bench: Bench, evaluator: Evaluator, architecture: Network) -> Outcome:
    try:
        return bench.measure(evaluator, architecture)
    except MeasurementFailed as error:
        return error
