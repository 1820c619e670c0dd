"""A latency that is measured once: what the store knows is not measured again, and what is measured is stored."""

import time
from dataclasses import dataclass, replace
from typing import Any

from evaluators import Evaluator, Measurement, Metric
from evaluators.core.measurement import context, now
from evaluators.workers.bench import Bench
from evaluators.workers.paired_comparison import LEVEL, PROCESSES, compare
from results.store.store import Store
from search_spaces import Architecture

ATTEMPTS = 2  # measurements of a network that is taken, at the least


@dataclass(frozen=True, kw_only=True)
class StoredLatency:
    """A latency on a device, measured by a bench and kept in a store."""

    store: Store
    bench: Bench
    latency: Evaluator

    def measured(self, network: Architecture) -> Measurement:
        """What is known of the network's latency, measured if nothing is.

        Raises:
            MeasurementFailed: it could not be measured.
        """
        return self.store.recall(network, self.latency.context()) or self._measure(network)

    def again(self, network: Architecture) -> Measurement:
        """Its latency from two measurements or more, combined.

        Raises:
            MeasurementFailed: it could not be measured.
        """
        known = self.measured(network)
        while known.details.get("processes", 1) < ATTEMPTS and "log_ratio" in known.details:
            known = self._measure(network)
        return known

    def _measure(self, network: Architecture) -> Measurement:
        return self.store.keep(network, self.bench.measure(self.latency, network))

    def pair(self, first: Architecture, second: Architecture) -> Measurement:
        """How many times the first one's latency the second one takes, measured in pairs, with its 99 % interval.

        Raises:
            MeasurementFailed: one of them could not be measured.
        """
        metric = Metric(
            name=f"{self.latency.spec} over {first.id}", unit="times", direction="minimize", kind="measured"
        )
        protocol = self.latency.protocol() | {"compared with": first.id, "processes": PROCESSES, "level": LEVEL}
        device, versions = self.latency.device(), self.latency.versions()
        if known := self.store.recall(second, context(metric, device, versions, protocol)):
            return known
        start = time.monotonic()
        found = compare(self.bench, self.latency, first, second)
        return self.store.keep(
            second,
            Measurement(
                metric=metric,
                value=found.ratio,
                low=found.low,
                high=found.high,
                samples=len(found.ratios),
                quality="clean",
                device=device,
                versions=versions,
                protocol=protocol,
                when=now(),
                seconds=round(time.monotonic() - start, 3),
                details={"ratios": list(found.ratios), "distinguishable": found.distinguishable},
            ),
        )

    def at(self, resolution: int) -> "StoredLatency":
        """The same latency at another resolution, in pixels."""
        return replace(self, latency=_at(self.latency, resolution))


def _at(latency: Evaluator, resolution: int) -> Evaluator:
    """An evaluator at another resolution, where it is measured now."""
    change: dict[str, Any] = {"resolution": resolution}
    if latency.local is latency:
        return replace(latency, **change)
    inner: dict[str, Any] = {"inner": replace(latency.local, **change)}
    return replace(latency, **inner)
