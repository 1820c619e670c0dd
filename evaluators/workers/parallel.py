"""Several networks evaluated beside each other: small ones do not fill a device, each alone."""

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

Found = tuple[Architecture, Measurement | MeasurementFailed]


def together(evaluator: Evaluator, architectures: Sequence[Architecture], bench: Bench) -> Iterator[Found]:
    """Each network with its measurement, or why there is none, as soon as it is known.

    As many at once as the evaluator bears, in processes of their own, while nobody else measures on the device; where
    that is one, they follow each other on `bench`.

    Raises:
        InfrastructureFailed: what surrounds the networks failed; those that were not yielded have not been evaluated.
    """
    count = min(evaluator.at_once(), len(architectures))
    if count < 2:
        yield from ((each, _tried(bench, evaluator, each)) for each in architectures)
        return
    with ExitStack() as stack:
        stack.enter_context(exclusive(evaluator.physical(), bench.say))
        pool = ThreadPoolExecutor(count)
        stack.callback(pool.shutdown)
        free: SimpleQueue[Bench] = SimpleQueue()
        for _ in range(count):
            free.put(stack.enter_context(Bench(bench.timeout, beside=count - 1, say=bench.say)))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)  # first of all, when we are interrupted

        def evaluated(architecture: Architecture) -> Measurement | MeasurementFailed:
            mine = free.get()
            try:
                return _tried(mine, evaluator, architecture)
            finally:
                free.put(mine)

        futures = {pool.submit(evaluated, each): each for each in architectures}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _tried(bench: Bench, evaluator: Evaluator, architecture: Architecture) -> Measurement | MeasurementFailed:
    try:
        return bench.measure(evaluator, architecture)
    except MeasurementFailed as error:
        return error
