"""The store: runs (Optuna studies) and every measurement ever made, in one database.

A trial is written in one step with everything that was asked, and told in one step with everything that was learnt,
so that whatever kills the process leaves either a finished trial or one that can be taken up again.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from evaluators import Measurement, Metric
from results import validity
from results.database import engine_options, explained, measurements, open_engine
from results.record import Run, State, Trial
from search_spaces import Architecture
from search_spaces.common.errors import StoreError, UnknownName

if TYPE_CHECKING:
    import optuna

CONFIG, NETWORK, OUTCOME = "nas.config", "nas.network", "nas.outcome"  # attributes of studies and trials
BELIEVED = "nas.believed"  # of a study, by metric: the context of its latest predictions, and what they learnt from
LATER = "nas.later"  # of a study: contexts in which its networks were measured after it had ended, by column


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A candidate that was asked for: its network and the sampler's account of it."""

    architecture: Architecture
    params: dict[str, Any]
    distributions: dict[str, Any]
    system_attrs: dict[str, Any]
    anchor: str = ""
    replaced: Mapping[str, int]


class Store:
    """A database of runs. Opened for reading unless `writable`; reading never creates or changes anything."""

    def __init__(self, url: str, *, writable: bool = False) -> None:
        self.url, self.writable = url, writable
        self.engine = open_engine(url, writable=writable)
        self._studies: dict[str, optuna.Study] = {}  # kept: each remembers the trials that it has read

    @cached_property
    def _storage(self) -> "optuna.storages.BaseStorage":
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        options = engine_options(self.url, writable=self.writable)
        with explained(self.url):
            return optuna.storages.RDBStorage(self.url, engine_kwargs=options, skip_table_creation=not self.writable)

    def close(self) -> None:
        """Lets go of the database."""
        self.engine.dispose()
        if "_storage" in self.__dict__:
            self._storage.remove_session()
            self._storage.engine.dispose()  # type: ignore[attr-defined]

    # Runs

    def names(self) -> list[str]:
        """The names of all runs, oldest first; studies that nas run did not make are none."""
        with explained(self.url):
            studies = self._storage.get_all_studies()  # Optuna's summaries would read every trial of every study
        return [study.study_name for study in studies if CONFIG in study.user_attrs]

    def create(self, name: str, config: dict[str, Any]) -> None:
        """Begins a run under a resolved configuration.

        Takes up a study of that name that has no configuration and no trials: a process was killed right here.

        Raises:
            StoreError: a study of that name exists that nas run did not make.
        """
        import optuna

        directions = [objective["direction"] for objective in config["objectives"]]
        with explained(self.url), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = optuna.create_study(
                storage=self._storage, study_name=name, directions=directions, load_if_exists=True
            )
            if study.get_trials(deepcopy=False):
                raise StoreError(f"a study '{name}' exists that nas run did not make", "give the run another --name")
            study.set_metric_names([objective["name"] for objective in config["objectives"]])
            study.set_user_attr(CONFIG, config)

    def configure(self, name: str, config: dict[str, Any]) -> None:
        """Replaces a run's configuration (a larger budget)."""
        with explained(self.url):
            self._study(name).set_user_attr(CONFIG, config)

    def config(self, name: str) -> dict[str, Any]:
        """A run's resolved configuration."""
        with explained(self.url):
            found: dict[str, Any] | None = self._study(name).user_attrs.get(CONFIG)
        if found is None:
            raise StoreError(f"the study '{name}' was not made by nas run", "name another run; nas show lists them")
        return found

    def latest(self) -> str:
        """The name of the newest run.

        Raises:
            StoreError: there is none.
        """
        names = self.names()
        if not names:
            raise StoreError(f"there are no runs in '{self.url}'", "start one: nas run --space nhs --budget 200")
        return names[-1]

    def run(self, name: str) -> Run:
        """A run with all its trials and their measurements.

        Raises:
            UnknownName: no such run; offers the nearest name.
        """
        config, later = self.config(name), self.later(name)
        believed = {metric: each["context"] for metric, each in self._attribute(name, BELIEVED).items()}
        with explained(self.url):
            trials = self._study(name).get_trials(deepcopy=False)
        columns = {trial.number: _columns(_contexts(trial), later, believed) for trial in trials}
        known = self._records({(t.user_attrs[NETWORK]["id"], c) for t in trials for c in columns[t.number].values()})
        found = tuple(_trial(t, columns[t.number], known) for t in trials)
        return Run(name=name, config=config, trials=found, validity=self._validity(config, found))

    def _validity(self, config: dict[str, Any], trials: Sequence[Trial]) -> dict[str, str]:
        """What is to be said of each accuracy objective, from all real evaluations of this database."""
        metrics = [Metric(**objective) for objective in config["objectives"]]
        trained = self.trained() if any(metric.kind == "score" for metric in metrics) else {}
        return {
            metric.name: validity.told(metric, trials)
            or validity.sentence(metric, self._values(metric, trials) if trained else {}, trained)
            for metric in metrics
            if metric.direction == "maximize"
        }

    def _values(self, metric: Metric, trials: Sequence[Trial]) -> dict[str, float]:
        """The values of a metric by network: the run's own, and all others in the same context."""
        own = [trial.measurements[metric.name] for trial in trials if metric.name in trial.measurements]
        pairs = self.measured(metric.name).get(own[0].context, []) if own else []
        return {architecture.id: found.value for architecture, found in pairs}

    def believe(self, name: str, metric: str, context: str, networks: Sequence[str]) -> None:
        """Shows every network of a run by predictions of that context, which were learnt from those networks."""
        with explained(self.url):
            latest = {"context": context, "networks": list(networks)}
            self._study(name).set_user_attr(BELIEVED, {**self._attribute(name, BELIEVED), metric: latest})

    def taught(self, name: str, metric: str) -> frozenset[str]:
        """The ids of the networks from which a run's latest predictions of a metric were learnt; none before any."""
        return frozenset(self._attribute(name, BELIEVED).get(metric, {}).get("networks", ()))

    def _attribute(self, name: str, attribute: str) -> dict[str, Any]:
        with explained(self.url):
            found: dict[str, Any] = self._study(name).user_attrs.get(attribute, {})
        return found

    def later(self, name: str) -> dict[str, str]:
        """The contexts in which a run's networks were measured after it had ended, by the column that shows them."""
        return self._attribute(name, LATER)

    def add_column(self, name: str, metric: str, context: str) -> str:
        """Shows what was measured in another context beside a run's own measurements; returns the column's name.

        A metric that the run has already, from another device or version, gets a column of its own: `ort~2`.
        """
        later = self.later(name)
        own = {column: context for trial in self.frozen(name) for column, context in _contexts(trial).items()}
        for number in range(1, len(later) + 3):
            column = metric if number == 1 else f"{metric}~{number}"
            if context in (later.get(column), own.get(column)):
                return column
            if column not in later and column not in own:
                break
        with explained(self.url):
            self._study(name).set_user_attr(LATER, {**later, column: context})
        return column

    def _study(self, name: str) -> "optuna.Study":
        import optuna

        if name not in self._studies:
            try:
                self._studies[name] = optuna.load_study(study_name=name, storage=self._storage)
            except KeyError:
                raise UnknownName("run", name, self.names()) from None
        return self._studies[name]

    # Trials

    def frozen(self, name: str) -> "list[optuna.trial.FrozenTrial]":
        """The trials of a run as Optuna knows them, for its samplers."""
        with explained(self.url):
            return self._study(name).get_trials(deepcopy=False)

    def begin(self, name: str, proposal: Proposal) -> None:
        """Writes down a candidate as being evaluated, in one step."""
        import optuna

        network = {
            "id": proposal.architecture.id,
            "notation": str(proposal.architecture),
            "architecture": proposal.architecture.to_dict(),
            "anchor": proposal.anchor,
            "replaced": dict(proposal.replaced),
        }
        trial = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING,
            params=proposal.params,
            distributions=proposal.distributions,
            system_attrs=proposal.system_attrs,
            user_attrs={NETWORK: network},
        )
        with explained(self.url):
            self._study(name).add_trial(trial)

    def in_flight(self, name: str) -> Trial | None:
        """The candidate that was being evaluated when the run last ended; None if none was."""
        running = [trial for trial in self.frozen(name) if not trial.state.is_finished()]
        return _trial(running[0], {}, {}) if running else None

    def finish(
        self,
        name: str,
        trial: Trial,
        found: Mapping[str, Measurement],
        *,
        values: Sequence[float] | None,
        constraints: Mapping[str, float],
        seconds: Mapping[str, float],
        cause: str = "",
        detail: str = "",
    ) -> None:
        """Tells what became of a candidate. Without values it failed, for the cause given."""
        import optuna

        outcome = {
            "contexts": {metric: measurement.context for metric, measurement in found.items()},
            "seconds": {step: round(value, 4) for step, value in seconds.items()},
            "cause": cause,
            "detail": detail[-4000:],
        }
        with explained(self.url):
            study = self._study(name)
            (frozen,) = (each for each in study.get_trials(deepcopy=False) if each.number == trial.number)
            live = optuna.trial.Trial(study, frozen._trial_id)  # the only way to one that an earlier process asked for
            live.set_user_attr(OUTCOME, outcome)
            for limit, excess in constraints.items():
                if limit not in frozen.constraints:  # set already if the process died between this and the next line
                    live.set_constraint(limit, excess)
            state = optuna.trial.TrialState.FAIL if values is None else None
            study.tell(trial.number, values, state=state)

    # Measurements

    def remember(self, architecture: Architecture, measurement: Measurement) -> None:
        """Keeps a measurement for ever, for every run of this database."""
        row = {
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
        with explained(self.url), self.engine.begin() as connection:
            connection.execute(measurements.insert().values(row))

    def recall(self, architecture: Architecture, context: str) -> Measurement | None:
        """The first measurement of a network in a context that is not doubtful, or else the first; None before any."""
        return self._records({(architecture.id, context)}).get((architecture.id, context))

    def baseline(self, context: str) -> float | None:
        """What the reference network took when this context was first measured; None before."""
        query = sa.select(measurements.c.record).where(measurements.c.context == context).order_by(measurements.c.id)
        with explained(self.url), self.engine.connect() as connection:
            first = connection.execute(query.limit(1)).scalar()
        return json.loads(first)["details"].get("reference_ms") if first else None

    def measured(self, metric: str) -> dict[str, list[tuple[Architecture, Measurement]]]:
        """Every network that was ever measured by a metric, by context; the first measurement of each counts."""
        return self._networks(measurements.c.metric == metric)

    def trained(self) -> dict[str, list[tuple[Architecture, Measurement]]]:
        """Every network that was ever really trained, by context, which tells the fidelity."""
        return self._networks(measurements.c.kind == "trained")

    def _networks(self, condition: "sa.ColumnElement[bool]") -> dict[str, list[tuple[Architecture, Measurement]]]:
        query = (
            sa.select(measurements.c.context, measurements.c.network, measurements.c.record)
            .where(condition)
            .order_by(measurements.c.id)
        )
        with explained(self.url), self.engine.connect() as connection:
            rows = connection.execute(query).all()
        found: dict[str, dict[str, tuple[Architecture, Measurement]]] = {}
        for context, network, record in rows:
            pair = (Architecture.from_json(network), Measurement.from_dict(json.loads(record)))
            found.setdefault(context, {}).setdefault(pair[0].id, pair)
        return {context: list(pairs.values()) for context, pairs in found.items()}

    def _records(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str], Measurement]:
        contexts = {context for _, context in keys}
        query = (
            sa.select(measurements.c.architecture, measurements.c.context, measurements.c.record)
            .where(measurements.c.context.in_(contexts))
            .order_by(measurements.c.id)
        )
        if len(keys) == 1:
            query = query.where(measurements.c.architecture == next(iter(keys))[0])
        with explained(self.url), self.engine.connect() as connection:
            rows = connection.execute(query).all()
        found: dict[tuple[str, str], Measurement] = {}
        for *key, record in rows:
            if (pair := tuple(key)) not in keys or (pair in found and not found[pair].doubtful):
                continue
            measurement = Measurement.from_dict(json.loads(record))
            if pair not in found or not measurement.doubtful:
                found[pair] = measurement
        return found


def _columns(own: Mapping[str, str], later: Mapping[str, str], believed: Mapping[str, str]) -> dict[str, str]:
    """The context of each column of a trial: as it was told, but for predictions, which are the latest."""
    return {**later, **own, **{metric: context for metric, context in believed.items() if metric in own}}


def _contexts(trial: "optuna.trial.FrozenTrial") -> dict[str, str]:
    contexts: dict[str, str] = trial.user_attrs.get(OUTCOME, {}).get("contexts", {})
    return contexts


def _trial(
    trial: "optuna.trial.FrozenTrial", columns: Mapping[str, str], known: Mapping[tuple[str, str], Measurement]
) -> Trial:
    network, outcome = trial.user_attrs[NETWORK], trial.user_attrs.get(OUTCOME, {})
    found = {metric: known.get((network["id"], context)) for metric, context in columns.items()}
    return Trial(
        number=trial.number,
        architecture=Architecture.from_dict(network["architecture"]),
        state=_state(trial),
        measurements={metric: measurement for metric, measurement in found.items() if measurement},
        constraints=dict(trial.constraints),
        anchor=network["anchor"],
        cause=outcome.get("cause", ""),
        detail=outcome.get("detail", ""),
        seconds=outcome.get("seconds", {}),
        replaced=network["replaced"],
    )


def _state(trial: "optuna.trial.FrozenTrial") -> State:
    if trial.state.name == "COMPLETE":
        return "infeasible" if any(excess > 0 for excess in trial.constraints.values()) else "ok"
    return "running" if not trial.state.is_finished() else "failed"
