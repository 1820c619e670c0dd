"""A latency that is measured at another location: over SSH, under another interpreter, or in a lane of a queue.

Its numbers are those that the evaluator would obtain there locally, so the store keeps them under the same key. Only
the objective's name in a run contains the location.
"""

import functools
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from evaluators.core.evaluator import Evaluator, Family
from evaluators.core.locations import Location
from evaluators.core.measurement import Device, Measurement, Metric, Reading, context
from evaluators.core.source_digest import code
from evaluators.workers.bench import Bench
from evaluators.workers.connection import ConnectionLost
from evaluators.workers.lanes import started
from search_spaces import Network
from search_spaces.common import plugins
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, Unavailable, UsageError

NEEDS = "it needs Python 3.10 or later with numpy, onnx and the run-time, and over SSH nas itself"
ANSWER_SECONDS = 60.0  # for a description: time to import a run-time


@dataclass(frozen=True, kw_only=True)
class Remote(Evaluator):
    """An evaluator that runs at another location."""

    inner: Evaluator
    where: Location

    def name(self) -> str:
        """The name of the evaluator that runs there."""
        return self.inner.name()

    def family(self) -> Family:  # type: ignore[override]  # an instance's: its inner evaluator decides
        """The family of the evaluator that runs there."""
        return self.inner.family()

    @property
    def location(self) -> Location:
        """Where it runs."""
        return self.where

    @property
    def local(self) -> Evaluator:
        """The evaluator as it is called there."""
        return self.inner

    @property
    def spec(self) -> str:
        """The evaluator's own spec with the location."""
        spec, python, host = self.inner.spec, self.where.python, self.where.host
        if self.where.lane:
            return f"{spec}@lane:{self.where.lane}"
        if python:
            spec += f"{',' if ':' in spec else ':'}python={python}"
        return spec + (f"@ssh:{host}" if host else "")

    @property
    def metric(self) -> Metric:
        """The meaning of its numbers; the name contains the location."""
        inner = self.inner.metric
        return Metric(name=self.spec, unit=inner.unit, direction=inner.direction, kind=inner.kind)

    def missing(self) -> Unavailable | None:
        """Why it cannot measure there: no answer, no nas, another version of nas, or no run-time."""
        try:
            description = self.description()
        except Unavailable as unavailable:
            return unavailable
        if (theirs := description.get("code")) != code():
            return Unavailable(
                f"another version of nas measures on {self.where} (code {theirs} there, {code()} here)",
                "install the same version on both",
            )
        ours, source = self.inner.source(), description["source"]
        if ours != source:
            digests = f"digest {source.get(self.name(), 'none')} there, {ours.get(self.name(), 'none')} here"
            return Unavailable(
                f"the plug-in '{self.name()}' is missing or another one on {self.where} ({digests})",
                f"copy the same file there, and name it in the environment variable {plugins.VARIABLE} there",
            )
        if reason := description.get("missing"):
            return Unavailable(f"{self.where}: {reason['message']}", reason["hint"])
        return None

    def description(self) -> dict[str, Any]:
        """The worker's description of the evaluator there, requested once in a process.

        Raises:
            Unavailable: the worker does not answer.
        """
        return _describe(self.where, self.inner.spec)

    def device(self) -> Device:
        """The device at the location."""
        return Device(**self.description()["device"])

    def versions(self) -> dict[str, str]:
        """The versions at the location."""
        versions: dict[str, str] = self.description()["versions"]
        return versions

    def protocol(self) -> dict[str, Any]:
        """The protocol, which is the same at every location."""
        return self.inner.protocol()

    def context(self) -> str:
        """The key under which its numbers are stored: the same as when they are measured locally there."""
        return context(self.inner.metric, self.device(), self.versions(), self.protocol())

    def refuses(self, network: Network) -> str:
        """Why the evaluator itself cannot evaluate a network of that family."""
        return self.inner.refuses(network)

    def measure(self, network: Network) -> Measurement:
        """One measurement, in a process at the location."""
        with Bench() as bench:
            return bench.measure(self, network)

    def _read(self, network: Any) -> Reading:
        raise NotImplementedError("it is read at the other location")


def check_lane(lane: str, evaluator: Evaluator) -> None:
    """Makes sure that whoever serves a lane would obtain the accuracies that this machine would.

    Raises:
        UsageError: nothing of it needs another machine.
        Unavailable: nobody serves the lane, or with other versions or without the data.
    """
    if not Bench.isolates(evaluator):
        raise UsageError(
            f"--lane {lane} is for trainings and scores, and {evaluator.spec} is computed here at once",
            "leave it out, or add --data DIR",
        )
    there = Remote(inner=evaluator.portable, where=Location(lane=lane))
    if reason := there.missing():
        raise reason
    if (theirs := there.versions()) != (ours := evaluator.versions()):
        changed = ", ".join(f"{name} {theirs.get(name)} there, {version} here" for name, version in ours.items())
        raise Unavailable(f"the lane '{lane}' has other versions: {changed}", "install the same on both")


@functools.cache
def _describe(location: Location, spec: str) -> dict[str, Any]:
    try:
        with closing(started(location)) as worker:
            return worker.run({"do": "describe", "evaluator": spec}, ANSWER_SECONDS)
    except (MeasurementFailed, InfrastructureFailed) as error:
        raise _unavailable(location, spec, error) from None


def _unavailable(location: Location, spec: str, error: MeasurementFailed | InfrastructureFailed) -> Unavailable:
    """Why a location does not answer, judged from the last output of the process that was started there."""
    if location.lane:
        return Unavailable(error.message, error.hint)
    lines = error.hint.strip().splitlines()
    last, python = (lines[-1] if lines else error.message), location.python or "python3"
    where, at = location.host or "this machine", f"@ssh:{location.host}" if location.host else ""
    another = f"name an interpreter: {spec.partition(':')[0]}:python=PATH{at}"
    if "No such file" in last or "not found" in last:
        return Unavailable(f"there is no '{python}' on {where}: {last}", another)
    if isinstance(error, ConnectionLost):
        return Unavailable(f"{where} does not answer over SSH: {last}", f"this must work by itself: ssh {where} true")
    return Unavailable(f"nas does not run under {python} on {where}: {last}", f"{NEEDS}; {another}")
