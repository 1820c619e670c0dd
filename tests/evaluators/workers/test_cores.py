"""Threads share the cores: as many compute as there are cores, and a measurement comes first."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from evaluators.workers.cores import Cores


def entered(context: Callable[[], AbstractContextManager[None]]) -> tuple[threading.Thread, threading.Event]:
    """A thread that enters the context, says so, and leaves it again."""
    inside = threading.Event()

    def work() -> None:
        with context():
            inside.set()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, inside


def test_a_measurement_takes_the_next_core_before_work_that_waited_longer() -> None:
    cores, order = Cores(1), list[str]()
    with cores.beside():
        threads = []
        for name, context in (("work", cores.beside), ("measurement", cores.measuring)):

            def noted(name: str = name, context: Callable[[], AbstractContextManager[None]] = context) -> None:
                with context():
                    order.append(name)

            threads.append(threading.Thread(target=noted))
            threads[-1].start()
        while not cores._measurements:
            pass
    for thread in threads:
        thread.join()
    assert order == ["measurement", "work"]


def test_no_more_compute_than_there_are_cores() -> None:
    cores = Cores(2)
    with cores.measuring():
        with cores.beside():
            thread, inside = entered(cores.beside)
            assert not inside.wait(0.1)
        assert inside.wait(10), "the core is given back"
    thread.join()


def test_a_failure_gives_its_core_back() -> None:
    cores = Cores(1)
    for context in (cores.beside, cores.measuring, cores.beside):
        try:
            with context():
                raise ValueError
        except ValueError:
            pass
