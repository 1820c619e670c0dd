"""The measurements of a database, which only ever grow: cache of the search, and what predictions learn from."""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import sqlalchemy as sa

from evaluators import Measurement
from evaluators.stopwatch.calibration import Calibration, DeviceHistory, calibrate, ratio_of
from results.store import rows
from results.store.database import measurements, open_engine
from results.store.database_errors import explained, undamaged
from results.store.database_url import shown_url, sqlite_path
from results.store.rows import Common
from results.store.watch import Watch
from search_spaces import Network
from search_spaces.common.errors import StoreError

Pairs = list[tuple[Network, Measurement]]
Key = TypeVar("Key", bound=Hashable)
AT_ONCE = 1000  # rows in memory
RECORDS = [measurements.c[name] for name in ("id", "architecture", "context", "record")]


@dataclass
class History:
    """What was measured on a device, as far as it was read: the last row, and the history by each clock."""

    last: int = 0
    clocks: defaultdict[str, DeviceHistory] = field(default_factory=lambda: defaultdict(DeviceHistory))


class MeasurementStore:
    """An open database. Opened for reading unless `writable`; reading never creates or changes anything.

    Raises:
        UsageError: the URL names no database, or what cannot keep one.
        StoreError: the database cannot be opened, or is not ours to read.
    """

    def __init__(self, url: str, *, writable: bool = False) -> None:
        self.url, self.shown, self.writable = url, shown_url(url), writable  # `shown` has no password
        self.engine = open_engine(url, writable=writable)
        path = sqlite_path(url)
        with explained(url):
            self._watch = Watch(path) if path and writable else None
        self._histories: dict[str, History] = {}  # by device
        self._common: dict[str, Common] = {}  # by context
        self._in_use: WeakValueDictionary[int, Measurement] = WeakValueDictionary()  # by row, which never changes

    def close(self) -> None:
        """Lets go of the database."""
        if self._watch:
            self._watch.close()
        self.engine.dispose()

    def check_present(self) -> None:
        """Makes sure that what was written is where people will look for it.

        Raises:
            StoreError: the file was deleted or replaced since it was opened; what it held was saved, and where.
        """
        if self._watch:
            self._watch.check()

    @contextmanager
    def _access(self) -> Iterator[None]:
        """Whatever is read or written is so within this.

        Raises:
            StoreError: the database failed, or is no longer there.
        """
        try:
            with explained(self.url):
                yield
        except StoreError:
            self.check_present()  # the reason behind many a failure
            raise
        self.check_present()

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Reads something that may be damaged.

        Raises:
            StoreError: it is, or the database failed.
        """
        with self._access(), undamaged(f"{what} in '{self.shown}'"):
            yield

    def remember(self, architecture: Network, measurement: Measurement) -> None:
        """Keeps a measurement for ever, for every run of this database."""
        self.remember_all([(architecture, measurement)])

    def remember_all(self, pairs: Iterable[tuple[Network, Measurement]]) -> None:
        """Keeps many measurements, in one transaction."""
        if found := [_row(architecture, measurement) for architecture, measurement in pairs]:
            with self.writing() as connection:
                connection.execute(measurements.insert(), found)

    def keep(self, architecture: Network, measurement: Measurement) -> Measurement:
        """Remembers a measurement; returns what is known of the network with it, repeats combined."""
        self.remember(architecture, measurement)
        return self.recall(architecture, measurement.context) or measurement

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection for one transaction: all of it is written, or nothing."""
        with self._access(), self.engine.begin() as connection:
            yield connection

    def recall(self, architecture: Network, context: str) -> Measurement | None:
        """What is known of a network in a context; None before any measurement.

        Latencies that were measured in rounds are combined, in milliseconds at the device's typical speed. Of others
        the first that is not doubtful counts, or else the first.
        """
        return self.recall_all(architecture, [context]).get(context)

    def recall_all(self, architecture: Network, contexts: Iterable[str]) -> dict[str, Measurement]:
        """The same for several contexts, by context, without those in which it was never measured."""
        found = self._records({(architecture.id, context) for context in contexts})
        return {context: measurement for (_, context), measurement in found.items()}

    def calibration(self, measurement: Measurement) -> Calibration:
        """What is known of the device of a measurement: its constant, and how far processes differ there."""
        clock = str(measurement.details["clock"])
        if known := self._history(measurement).get(clock):
            return known.calibration()
        ratio = ratio_of(measurement)  # it is not in the database
        return calibrate([("", ratio)] if ratio else [])

    def _history(self, measurement: Measurement) -> Mapping[str, DeviceHistory]:
        """By clock, that is the key of the references: every measurement on the device of this one."""
        history = self._histories.setdefault(measurement.device.id, History())
        condition = (measurements.c.device == measurement.device.id) & (measurements.c.kind == "measured")
        for row in self._rows(condition & (measurements.c.id > history.last), *RECORDS):
            made, history.last = self._measurement(row), row["id"]
            if ratio := ratio_of(made):
                history.clocks[str(made.details["clock"])].add(f"{row['architecture']} {row['context']}", ratio)
        return history.clocks

    def _known(self, made: Mapping[Key, Sequence[Measurement]]) -> dict[Key, Measurement]:
        """All measurements of each network in one context as one; a device is calibrated once for all of them."""
        known: dict[Key, Measurement] = {}
        calibrations: dict[tuple[str, str], Calibration] = {}
        for key, repeats in made.items():
            if not (rounds := [each for each in repeats if ratio_of(each)]):
                known[key] = next((each for each in repeats if not each.doubtful), repeats[0])
                continue
            clock = (rounds[-1].device.id, str(rounds[-1].details["clock"]))
            if clock not in calibrations:
                calibrations[clock] = self.calibration(rounds[-1])
            known[key] = calibrations[clock].applied(rounds)
        return known

    def measured(self, metric: str) -> dict[str, Pairs]:
        """Every network that was ever measured by a metric, by context; the first measurement of each counts."""
        return self._networks(measurements.c.metric == metric)

    def trained(self) -> dict[str, Pairs]:
        """Every network that was ever really trained, by context, which tells the fidelity."""
        return self._networks(measurements.c.kind == "trained")

    def all_rows(self) -> list[dict[str, Any]]:
        """Every measurement as it stands in its table, in the order in which they were made."""
        return [dict(row) for row in self._rows(sa.true(), measurements)]

    def _rows(
        self, condition: "sa.ColumnElement[bool]", *columns: Any, at_once: int = AT_ONCE
    ) -> "Iterator[sa.RowMapping]":
        """Row by row, so many at once: all of a large database would not fit into memory. 0: they are few."""
        query = sa.select(*columns).where(condition).order_by(measurements.c.id)
        if at_once:  # on a server it takes several requests
            query = query.execution_options(yield_per=at_once)
        with self._reading("a row of measurements"), self.engine.connect() as connection:
            yield from connection.execute(query).mappings()

    def _networks(self, condition: "sa.ColumnElement[bool]") -> dict[str, Pairs]:
        made: defaultdict[str, defaultdict[str, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
        networks: dict[str, Network] = {}
        for row in self._rows(condition, *RECORDS, measurements.c.network):
            with self._undamaged_row(row):
                architecture = rows.network(row["network"])
            networks[architecture.id] = architecture
            made[row["context"]][architecture.id].append(self._measurement(row))
        return {
            context: [(networks[key], measurement) for key, measurement in self._known(by_network).items()]
            for context, by_network in made.items()
        }

    def _records(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str], Measurement]:
        condition: sa.ColumnElement[bool] = measurements.c.context.in_({context for _, context in keys})
        if is_one := len({architecture for architecture, _ in keys}) == 1:
            condition &= measurements.c.architecture == next(iter(keys))[0]
        made: defaultdict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for row in self._rows(condition, *RECORDS, at_once=0 if is_one else AT_ONCE):
            if (key := (row["architecture"], row["context"])) in keys:
                made[key].append(self._measurement(row))
        return self._known(made)

    def _measurement(self, row: "sa.RowMapping") -> Measurement:
        if known := self._in_use.get(row["id"]):
            return known
        with self._undamaged_row(row):
            made = self._in_use[row["id"]] = rows.measurement(row["record"], self._common.get(row["context"]))
        if row["context"] not in self._common:
            self._common[row["context"]] = Common.of(made)
        return made

    def _undamaged_row(self, row: "sa.RowMapping") -> AbstractContextManager[None]:
        return undamaged(f"measurement {row['id']} in '{self.shown}'")


def _row(architecture: Network, measurement: Measurement) -> dict[str, Any]:
    """A row of the table."""
    return {
        "architecture": architecture.id,
        "context": measurement.context,
        "metric": measurement.metric.name,
        "value": measurement.value,
        "low": measurement.low,
        "high": measurement.high,
        "unit": measurement.unit,
        "kind": measurement.metric.kind,
        "device": measurement.device.id,
        "made": measurement.when,
        "record": json.dumps(measurement.to_dict()),
        "network": architecture.canonical_json(),
    }
