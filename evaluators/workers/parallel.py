"""Evaluates several networks in parallel, because one small network does not fill a device."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from queue import SimpleQueue

from evaluators.core.evaluator import Evaluator
from evaluators.core.locks import exclusive
from evaluators.core.measurement import Measurement
from evaluators.workers.bench import Bench
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed

Result = tuple[Architecture, Measurement | MeasurementFailed]


def together(evaluator: Evaluator, architectures: Sequence[Architecture], bench: Bench) -> Iterator[Result]:
    """Yields every network with its measurement or its failure, as soon as it is known.

    As many run at once as the evaluator allows, each in a separate process, while no other process measures on the
    device. An evaluator that allows one uses `bench` for one network after another.

    Raises:
        InfrastructureFailed: something around the networks failed; those that were not yielded are not evaluated.
    """
    count = min(evaluator.at_once(), len(architectures))
    if count < 2:
        yield from ((architecture, _tried(bench, evaluator, architecture)) for architecture in architectures)
        return
    with ExitStack() as stack:
        stack.enter_context(exclusive(evaluator.physical(), bench.say))
        pool = ThreadPoolExecutor(count)
        stack.callback(pool.shutdown)
        free: SimpleQueue[Bench] = SimpleQueue()
        for _ in range(count):
            free.put(stack.enter_context(Bench(bench.timeout, others=count - 1, say=bench.say)))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)  # runs first, on an interruption too

        def evaluated(architecture: Architecture) -> Measurement | MeasurementFailed:
            own_bench = free.get()
            try:
                return _tried(own_bench, evaluator, architecture)
            finally:
                free.put(own_bench)

        futures = {pool.submit(evaluated, architecture): architecture for architecture in architectures}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _tried(bench: Bench, evaluator: Evaluator, architecture: Architecture) -> Measurement | MeasurementFailed:
    try:
        return bench.measure(evaluator, architecture)
    except MeasurementFailed as error:
        return error
