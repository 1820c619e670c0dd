"""A latency that is measured once: what the store knows is not measured again, and what is measured is stored."""

import time
from dataclasses import dataclass, replace
from typing import Any

from evaluators import Evaluator, Measurement, Metric
from evaluators.core.measurement import Reading, context, now
from evaluators.stopwatch.calibration import flag
from evaluators.workers.bench import Bench
from evaluators.workers.paired_comparison import LEVEL, PROCESSES, Comparison, process_ratio
from nas.strategies.equal_latency import Target
from results.store.store import Store
from search_spaces import PAPER, Architecture

TWICE = 2  # measurements of a network from which something is concluded, at the least


@dataclass(frozen=True, kw_only=True)
class StoredLatency:
    """A latency on a device, measured by a bench and kept in a store."""

    store: Store
    bench: Bench
    latency: Evaluator

    def measured(self, network: Architecture, times: int = 1) -> Measurement:
        """The network's latency from so many measurements or more, combined; only those that are missing are made.

        Raises:
            MeasurementFailed: it could not be measured.
        """
        known = self.store.recall(network, self.latency.context()) or self._measure(network)
        while known.details.get("processes", 1) < times and "log_ratio" in known.details:
            known = self._measure(network)
        return known

    def again(self, network: Architecture) -> Measurement:
        """Its latency from two measurements or more, combined.

        Raises:
            MeasurementFailed: it could not be measured.
        """
        return self.measured(network, TWICE)

    def _measure(self, network: Architecture) -> Measurement:
        return self.store.keep(network, self.bench.measure(self.latency, network))

    def target(self, milliseconds: float) -> Target:
        """A latency on this device as a level, which the first question for it settles for the whole store.

        The device's constant becomes better known with every measurement, and would move the target away from
        networks that were found at it.

        Raises:
            MeasurementFailed: Next-ViT-S, from which it is reckoned, could not be measured.
        """
        standard = PAPER["next-vit-s"]
        metric = Metric(name=f"{self.latency.spec} as a target", unit="ms", direction="minimize", kind="exact")
        protocol = self.latency.protocol() | {"milliseconds": milliseconds}
        if known := self._recalled(standard, metric, protocol):
            return Target(milliseconds=milliseconds, level=known.details["level"])
        target = Target.of(milliseconds, self.measured(standard))
        reading = Reading.exact(milliseconds, level=target.level)
        self.store.remember(standard, self._measurement(reading, metric, protocol, seconds=0.0))
        return target

    def pair(self, first: Architecture, second: Architecture) -> Measurement:
        """How many times the first one's latency the second one takes, measured in pairs, with its 99 % interval.

        Raises:
            MeasurementFailed: one of them could not be measured.
        """
        metric, protocol = self._paired(first)
        protocol |= {"processes": PROCESSES, "level": LEVEL}
        if known := self._recalled(second, metric, protocol):
            return known
        pairs = [self._pair_of_process(first, second, seed) for seed in range(PROCESSES)]
        found = Comparison.of(self.latency, [each.value for each in pairs])
        reading = Reading(
            value=found.ratio,
            low=found.low,
            high=found.high,
            samples=len(found.ratios),
            quality=flag(found.high / found.ratio - 1, len(found.ratios), []),
            details={"ratios": list(found.ratios), "distinguishable": found.distinguishable},
        )
        seconds = round(sum(each.seconds for each in pairs), 3)
        return self.store.keep(second, self._measurement(reading, metric, protocol, seconds))

    def _pair_of_process(self, first: Architecture, second: Architecture, seed: int) -> Measurement:
        """The ratio from one process, which an interrupted comparison need not measure again."""
        metric, protocol = self._paired(first)
        protocol |= {"process": seed}
        if known := self._recalled(second, metric, protocol):
            return known
        start = time.monotonic()
        reading = Reading.exact(process_ratio(self.bench, self.latency, first, second, seed))
        made = self._measurement(reading, metric, protocol, round(time.monotonic() - start, 3))
        self.store.remember(second, made)
        return made

    def _paired(self, first: Architecture) -> tuple[Metric, dict[str, Any]]:
        """The meaning of ratios to a network, and the protocol that all of them share."""
        name = f"{self.latency.spec} over {first.id}"
        metric = Metric(name=name, unit="times", direction="minimize", kind="measured")
        return metric, self.latency.protocol() | {"compared with": first.id}

    def _recalled(self, network: Architecture, metric: Metric, protocol: dict[str, Any]) -> Measurement | None:
        key = context(metric, self.latency.device(), self.latency.versions(), protocol)
        return self.store.recall(network, key)

    def _measurement(self, reading: Reading, metric: Metric, protocol: dict[str, Any], seconds: float) -> Measurement:
        """A reading on the device of the latency."""
        return Measurement(
            metric=metric,
            device=self.latency.device(),
            versions=self.latency.versions(),
            protocol=protocol,
            when=now(),
            seconds=seconds,
            **vars(reading),
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
