"""A latency that is measured in another place: over SSH, or under another interpreter.

Its numbers mean the same as those that the same evaluator obtains there by itself: the store keeps them under the
same key. Only a run tells the two apart, by the objective's name.
"""

import functools
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from evaluators.core.evaluator import Evaluator, Family
from evaluators.core.locations import Place
from evaluators.core.measurement import Device, Measurement, Metric, Reading, context
from evaluators.core.source_digest import code
from evaluators.workers.bench import Bench
from evaluators.workers.connection import ConnectionLost, Worker
from search_spaces import Architecture
from search_spaces.common import plugins
from search_spaces.common.errors import InfrastructureFailed, MeasurementFailed, Unavailable

NEEDS = "it needs Python 3.10 or later with numpy, onnx and the run-time, and over SSH nas itself"
ANSWER_SECONDS = 60.0  # to say what it would measure: an import of a run-time, at most


@dataclass(frozen=True, kw_only=True)
class Elsewhere(Evaluator):
    """An evaluator and the place where it runs."""

    inner: Evaluator
    where: Place

    def name(self) -> str:
        """The name of the evaluator that runs there."""
        return self.inner.name()

    def family(self) -> Family:  # type: ignore[override]  # an instance's: its inner evaluator decides
        """Its family."""
        return self.inner.family()

    @property
    def place(self) -> Place:
        """Where it runs."""
        return self.where

    @property
    def local(self) -> Evaluator:
        """The evaluator as that place knows it."""
        return self.inner

    @property
    def spec(self) -> str:
        """The evaluator's own spec and the place."""
        spec, python, host = self.inner.spec, self.where.python, self.where.host
        if python:
            spec += f"{',' if ':' in spec else ':'}python={python}"
        return spec + (f"@ssh:{host}" if host else "")

    @property
    def metric(self) -> Metric:
        """What its numbers mean, under the name of the objective."""
        inner = self.inner.metric
        return Metric(name=self.spec, unit=inner.unit, direction=inner.direction, kind=inner.kind)

    def missing(self) -> Unavailable | None:
        """Why nothing can be measured there: no answer, no nas, another nas, or no run-time."""
        try:
            found = self.description()
        except Unavailable as reason:
            return reason
        if (theirs := found.get("code")) != code():
            return Unavailable(
                f"another version of nas measures on {self.where} (code {theirs} there, {code()} here)",
                "install the same version on both",
            )
        ours, source = self.inner.source(), found["source"]
        if ours != source:
            digests = f"digest {source.get(self.name(), 'none')} there, {ours.get(self.name(), 'none')} here"
            return Unavailable(
                f"the plug-in '{self.name()}' is missing or another one on {self.where} ({digests})",
                f"copy the same file there, and name it in the environment variable {plugins.VARIABLE} there",
            )
        if told := found.get("missing"):
            return Unavailable(f"{self.where}: {told['message']}", told["hint"])
        return None

    def description(self) -> dict[str, Any]:
        """What the worker there says of itself, asked once.

        Raises:
            Unavailable: it does not answer; says why.
        """
        return _describe(self.where, self.inner.spec)

    def device(self) -> Device:
        """The device there."""
        return Device(**self.description()["device"])

    def versions(self) -> dict[str, str]:
        """The versions there."""
        versions: dict[str, str] = self.description()["versions"]
        return versions

    def protocol(self) -> dict[str, Any]:
        """The protocol, which is the same everywhere."""
        return self.inner.protocol()

    def context(self) -> str:
        """The key under which its numbers are remembered, wherever they are asked from."""
        return context(self.inner.metric, self.device(), self.versions(), self.protocol())

    def measure(self, architecture: Architecture, baseline: float | None = None) -> Measurement:
        """One measurement, in a process over there."""
        with Bench() as bench:
            return bench.measure(self, architecture, baseline)

    def _read(self, architecture: Architecture, baseline: float | None) -> Reading:
        raise NotImplementedError("it is read elsewhere")


@functools.cache
def _describe(place: Place, spec: str) -> dict[str, Any]:
    try:
        with closing(Worker(place)) as worker:
            return worker.run({"do": "describe", "evaluator": spec}, ANSWER_SECONDS)
    except (MeasurementFailed, InfrastructureFailed) as error:
        raise _unavailable(place, spec, error) from None


def _unavailable(place: Place, spec: str, error: MeasurementFailed | InfrastructureFailed) -> Unavailable:
    """Why a place does not answer, and what to do, from the last words of what was started there."""
    words = error.hint.strip().splitlines()
    last, python = (words[-1] if words else error.message), place.python or "python3"
    where, at = place.host or "this machine", f"@ssh:{place.host}" if place.host else ""
    another = f"name an interpreter: {spec.partition(':')[0]}:python=PATH{at}"
    if "No such file" in last or "not found" in last:
        return Unavailable(f"there is no '{python}' on {where}: {last}", another)
    if isinstance(error, ConnectionLost):
        return Unavailable(f"{where} does not answer over SSH: {last}", f"this must work by itself: ssh {where} true")
    return Unavailable(f"nas does not run under {python} on {where}: {last}", f"{NEEDS}; {another}")
