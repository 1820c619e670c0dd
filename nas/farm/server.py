"""Serves a lane: does its jobs one after another, says that it is alive, and takes over what dead workers left.

A worker may be killed at any time. Its job is done again by another, or by the next one here, unless it was answered; a
job during which three workers died is answered as failed. A server of the database that goes away is waited for.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, LiteralString

import procrastinate
import procrastinate.worker
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from psycopg import AsyncConnection
from psycopg import Error as PostgresError

import evaluators
from evaluators import Evaluator
from evaluators.core.locks import Say
from evaluators.core.source_digest import code
from evaluators.datasets import data
from evaluators.training.fidelity import Fidelity
from evaluators.workers import jobs
from evaluators.workers.bench import Bench
from evaluators.workers.worker import describe, failed
from nas.exit_codes import INTERRUPTED
from nas.farm import tables
from nas.signals import SIGNALS
from search_spaces.common.errors import InfrastructureFailed, UsageError

BEAT_SECONDS = 5.0
MOST_ATTEMPTS = 3  # workers that may die of one job
MOST_SECONDS = 3600.0  # of one evaluation, whatever a driver asks for
RETRY_SECONDS = 2.0  # between attempts to reach the database
KEPT_DAYS = 7  # answers that nobody fetched
POLL_SECONDS = 2.0  # for jobs, where a notice was missed
BEAT = """
INSERT INTO nas_lanes (lane, worker, host, offers, code, done, failed) VALUES
    (%(lane)s, %(worker)s, %(host)s, %(offers)s, %(code)s, %(done)s, %(failed)s)
ON CONFLICT (lane, host, worker) DO UPDATE SET seen = now(), done = %(done)s, failed = %(failed)s
"""
ANSWER = """
WITH kept AS (
    INSERT INTO nas_answers (key, answer) VALUES (%(key)s, %(answer)s) ON CONFLICT (key) DO NOTHING),
answered AS (UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %(job)s)
SELECT pg_notify(%(channel)s, %(key)s)
"""
LEAVE = "DELETE FROM nas_lanes WHERE lane = %(lane)s AND host = %(host)s AND worker = %(worker)s"
TIDY = "DELETE FROM nas_answers WHERE made < now() - make_interval(days => %(days)s)"
FORGET_DEAD = "DELETE FROM nas_lanes WHERE seen < now() - make_interval(days => %(days)s)"


class LaneServer:
    """Does the jobs of a lane with the evaluators that are offered, whose latencies are those of one physical device.

    `data` has the names here of the data sets that jobs may train on, by identity.
    """

    def __init__(
        self,
        url: str,
        lane: str,
        offers: Sequence[Evaluator],
        bench: Bench,
        say: Say,
        data: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        tables.create(url)
        self.lane, self.bench, self.say, self.data = lane, bench, say, data
        self.offers = {evaluator.name() for evaluator in offers}
        self.done = self.failed = 0
        self._conninfo, self._stopping = tables.conninfo(url), False
        self._me = {
            "lane": lane,
            "worker": f"process {os.getpid()}",
            "host": socket.gethostname(),
            "offers": ", ".join(sorted(self.offers)),
            "code": code(),
        }

    def serve(self, *, until_empty: bool = False) -> None:
        """Works until it is told to stop (Ctrl-C, SIGTERM, SIGHUP), which lets the present job end; a second time ends
        that, too."""
        while not self._stopping:
            try:
                asyncio.run(self._served(until_empty))
            except (ConnectorException, PostgresError, OSError) as error:
                cause = error.__cause__ or error
                self.say(f"  the database does not answer ({str(cause).partition(chr(10))[0]}): trying again")
                time.sleep(RETRY_SECONDS)
            else:
                if until_empty:
                    return

    async def _served(self, until_empty: bool) -> None:
        """Works until it is told to stop, or until the database goes away."""
        options, cut = {"application_name": f"nas worker {self.lane}"}, asyncio.Event()
        connector = _Connector(
            cut, conninfo=self._conninfo, min_size=1, max_size=1, kwargs=options, configure=_choose_plan
        )
        app = procrastinate.App(connector=connector)
        self._add_task(app)
        async with app.open_async():
            worker = procrastinate.worker.Worker(
                app,
                queues=[self.lane],
                wait=not until_empty,
                delete_jobs="always",
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=BEAT_SECONDS,
                stalled_worker_timeout=tables.ALIVE_SECONDS,
                install_signal_handlers=False,
            )
            self._listen_for_signals(worker)
            await self._beat(app)
            beside = self._always(self._beat, app), self._always(self._sweep, app), _stop_after(cut, worker)
            side = [asyncio.create_task(each) for each in beside]
            try:
                await worker.run()  # type: ignore[no-untyped-call]
            finally:
                await _ended(side)
            if cut.is_set():
                raise OSError("a connection was cut")
            await connector.execute_query_async(LEAVE, **self._me)

    def _listen_for_signals(self, worker: procrastinate.worker.Worker) -> None:
        def stop() -> None:
            if self._stopping:  # another worker does the present job again
                self.bench.kill()
                os._exit(INTERRUPTED)
            self.say("  stopping after the present job; again: at once")
            self._stopping = True
            worker.stop()  # type: ignore[no-untyped-call]

        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, stop)

    # Jobs

    def _add_task(self, app: procrastinate.App) -> None:
        @app.task(name=tables.TASK, pass_context=True)
        async def do(context: JobContext, key: str, job: dict[str, Any], seconds: float, code: str) -> None:
            if context.job.queueing_lock is None:  # it was answered, and the connection cut before its end was stored
                return
            answer = await asyncio.to_thread(self._answer, job, seconds, code)
            self.done, self.failed = self.done + 1, self.failed + ("cause" in answer)
            await self._store(app, context.job, answer)

    async def _store(self, app: procrastinate.App, job: Job, answer: dict[str, Any]) -> None:
        """Stores the answer to a job, however long the database is away."""
        found = {"key": job.task_kwargs["key"], "job": job.id, "answer": answer, "channel": tables.CHANNEL}
        while True:
            try:
                await app.connector.execute_query_async(ANSWER, **found)
                return
            except ConnectorException:
                await asyncio.sleep(RETRY_SECONDS)

    def _answer(self, job: dict[str, Any], seconds: float, theirs: str) -> dict[str, Any]:
        """The answer to a job; any failure is one."""
        before = sum(self.bench.held.values())
        try:
            if theirs != code():
                raise InfrastructureFailed(
                    f"another version of nas asks (code {theirs} there, {code()} here)", "install the same on both"
                )
            self.bench.timeout = min(max(1.0, float(seconds)), MOST_SECONDS)
            answer = self._done(jobs.parse(json.dumps(job).encode()))
        except Exception as error:
            answer = failed(error)
        return answer | {"took": sum(self.bench.held.values()) - before}

    def _done(self, job: dict[str, Any]) -> dict[str, Any]:
        evaluator = self._offered(job["evaluator"])
        if job["do"] == "describe":
            return describe(evaluator)
        if job["do"] == "compare":
            ratio = self.bench.ratio(evaluator, job["architecture"], job["other"], job.get("seed", 0))
            return {"ratio": ratio}
        if job["do"] != "measure":
            raise UsageError(f"a lane does not '{job['do']}'")
        try:
            return {"measurement": self.bench.measure(evaluator, job["architecture"]).to_dict()}
        finally:
            self.bench.prepare(evaluator)  # the next process starts meanwhile

    def _offered(self, spec: str) -> Evaluator:
        """The evaluator of a spec, if it is offered here; it names no file, and data only by their identity.

        Raises:
            UsageError: it is not, or does.
        """
        name, _, options = spec.partition(":")
        others = [each for each in options.split(",") if not each.startswith("data=")]
        if any(letter in text for text in (name, *others) for letter in "/\\@~") or name not in self.offers:
            raise UsageError(
                f"the lane '{self.lane}' does not offer '{spec}': it offers {self._me['offers']}",
                "start a worker that offers it: nas worker --offer NAME",
            )
        evaluator = evaluators.get(spec)
        return self._on_our_data(evaluator) if isinstance(evaluator, Fidelity) else evaluator

    def _on_our_data(self, evaluator: Fidelity) -> Evaluator:
        """The same with the data as they are called here.

        Raises:
            UsageError: this machine does not offer them.
        """
        if data.is_built_in(evaluator.data):
            return evaluator
        if evaluator.data not in self.data:
            raise UsageError(
                f"the lane '{self.lane}' does not have the data {evaluator.data}: it has "
                f"{', '.join(self.data) or 'none'}",
                "start its workers with --data and a folder of the same files",
            )
        return replace(evaluator, data=self.data[evaluator.data])

    # Beside the jobs

    async def _always(self, do: Callable[[procrastinate.App], Awaitable[None]], app: procrastinate.App) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            with contextlib.suppress(ConnectorException):  # whoever does the jobs notices it, too
                await do(app)

    async def _beat(self, app: procrastinate.App) -> None:
        await app.connector.execute_query_async(BEAT, **self._me, done=self.done, failed=self.failed)

    async def _sweep(self, app: procrastinate.App) -> None:
        """Gives the jobs of dead workers back, or answers them as failed; removes what nobody fetched."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=tables.ALIVE_SECONDS):
            if job.attempts + 1 < MOST_ATTEMPTS:
                await app.job_manager.retry_job(job)
                continue
            cause = f"{MOST_ATTEMPTS} workers died while they did it"
            answer = {"cause": cause, "detail": "see their logs", "took": 0.0}
            await self._store(app, job, answer)
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        for statement in (TIDY, FORGET_DEAD):
            await app.connector.execute_query_async(statement, days=KEPT_DAYS)


class _Connector(procrastinate.PsycopgConnector):
    """One connection, beside the one that listens; says when it was cut.

    Procrastinate then no longer hears of new jobs, and may leave a job of a living worker unfinished, which keeps all
    others of its lane waiting. A worker that begins anew does neither.
    """

    def __init__(self, cut: asyncio.Event, **options: Any) -> None:
        super().__init__(**options)
        self._cut = cut

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException:
            self._cut.set()
            raise

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """Executes a query."""
        with self._watched():
            await super().execute_query_async(query, **arguments)

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        """Executes a query; its row."""
        with self._watched():
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
            return row

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        """Executes a query; its rows."""
        with self._watched():
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
            return rows


async def _choose_plan(connection: AsyncConnection) -> None:
    """Lets the server find the next job by the order of jobs: what it knows of a table that fills and empties within
    a minute is wrong, and with thousands of waiting jobs it would go through all of them each time."""
    await connection.execute("SET enable_bitmapscan = off")
    await connection.commit()


async def _stop_after(cut: asyncio.Event, worker: procrastinate.worker.Worker) -> None:
    """Lets the worker end once a connection was cut, after its present job."""
    await cut.wait()
    worker.stop()  # type: ignore[no-untyped-call]


async def _ended(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Ends tasks. A cancellation is repeated, because over a dead connection it comes out as an error of the query."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=RETRY_SECONDS)
