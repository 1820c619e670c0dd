"""The store: runs (Optuna studies) and every measurement ever made, in one database.

A trial is added in one step with its whole proposal, and finished in one step with its whole outcome: a process that is
killed leaves either a finished trial or one that is evaluated when the run resumes.
"""

import contextlib
import gc
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from evaluators import Measurement, Metric
from results import DEFAULT_STORE, validity
from results.limits import Limit, parse
from results.store import names, rows, trial_writing
from results.store.database import creating, engine_options, replace_cut_connections
from results.store.database_errors import undamaged
from results.store.database_url import for_driver, is_postgresql
from results.store.lease import Lease, Reservation, holder_now, reservation
from results.store.measurements import MeasurementStore
from results.store.record import Run, Trial
from results.store.rows import NETWORK, OUTCOME
from results.store.trials import STUDIES, Trials
from search_spaces import Network
from search_spaces.common.errors import StoreError, UnknownName, UsageError

if TYPE_CHECKING:
    import optuna

ATTRIBUTES = sa.table("study_user_attributes", sa.column("study_id"), sa.column("key"))
CONFIG = "nas.config"  # of a study: a run's resolved configuration
BELIEVED = "nas.believed"  # of a study, by metric: the context of its latest predictions, and what they learnt from
LATER = "nas.later"  # of a study: contexts in which its networks were measured after it had ended, by column


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A proposed candidate: its network, and what the sampler stores with it."""

    architecture: Network
    params: dict[str, Any]
    distributions: dict[str, Any]
    system_attrs: dict[str, Any]
    anchor: str = ""
    replaced: Mapping[str, int]


class Store(MeasurementStore):
    """A database of runs. Opened for reading unless `writable`; reading never creates or changes anything."""

    def __init__(self, url: str, *, writable: bool = False) -> None:
        super().__init__(url, writable=writable)
        self._studies: dict[str, optuna.Study] = {}
        self._trials: dict[str, Trials] = {}  # by study
        self._leases: dict[str, Lease] = {}  # by run: those that this process works on, on a server

    @cached_property
    def _storage(self) -> "optuna.storages.BaseStorage":
        import alembic.util
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        options = engine_options(self.url, "rw" if self.writable else "ro")
        try:
            made = optuna.storages.RDBStorage(for_driver(self.url), engine_kwargs=options, skip_table_creation=True)
        except (RuntimeError, alembic.util.CommandError) as error:  # Optuna knows no class for it
            raise StoreError(
                f"the tables of Optuna in '{self.shown}' are of a version that cannot be used here: {error}",
                "install the version of Optuna that made them, or name another database with --store",
            ) from error
        replace_cut_connections(made.engine)
        return made

    def close(self) -> None:
        """Lets go of the database."""
        super().close()
        if "_storage" in self.__dict__:
            self._storage.remove_session()
            self._storage.engine.dispose()  # type: ignore[attr-defined]

    # Runs

    def names(self) -> list[str]:
        """The names of all runs, oldest first; studies that nas run did not make are none."""
        made_by_us = STUDIES.join(ATTRIBUTES, STUDIES.c.study_id == ATTRIBUTES.c.study_id)
        return self._names(sa.select(STUDIES.c.study_name).select_from(made_by_us).where(ATTRIBUTES.c.key == CONFIG))

    def studies(self) -> list[str]:
        """The names that are taken: those of all runs and of all other studies of Optuna."""
        return self._names(sa.select(STUDIES.c.study_name))

    def _names(self, query: "sa.Select[tuple[str]]") -> list[str]:
        with self._access(), self.engine.connect() as connection:  # Optuna would parse every attribute of every study
            if not sa.inspect(connection).has_table(STUDIES.name):
                return []
            return [str(row.study_name) for row in connection.execute(query.order_by(STUDIES.c.study_id))]

    def named(self, name: str | None) -> str:
        """The name of a run, checked; the newest run's where none is given.

        Raises:
            UsageError: no run can have that name.
            UnknownName: no such run; offers the nearest name.
            StoreError: there are no runs.
        """
        if name is None:
            return self.latest()
        known = self.names()
        if names.check(name) not in known:
            raise UnknownName("run", name, known)
        return name

    def create(self, name: str, config: dict[str, Any]) -> None:
        """Begins a run under a resolved configuration.

        Takes up a study of that name that has no configuration and no trials: a process was killed right here.

        Raises:
            UsageError: no run can have that name.
            StoreError: such a run exists, or a study that nas run did not make.
        """
        import optuna

        names.check(name)
        directions = [objective["direction"] for objective in config["objectives"]]
        with self._access(), creating(self.engine, self.url), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = optuna.create_study(
                storage=self._storage, study_name=name, directions=directions, load_if_exists=True
            )
            if CONFIG in study.user_attrs:
                raise StoreError(f"another process has just begun a run '{name}'", "give this one another --name")
            if study.get_trials(deepcopy=False):
                raise StoreError(f"a study '{name}' exists that nas run did not make", "give the run another --name")
            study.set_metric_names([objective["name"] for objective in config["objectives"]])
            study.set_user_attr(CONFIG, config)

    def reservation(self, name: str) -> Reservation:
        """What keeps others from working on a run, once it is taken; on a server every write checks it."""
        made = reservation(self.engine, self.url, name)
        if isinstance(made, Lease):
            self._leases[name] = made
        return made

    def driver(self, name: str) -> str:
        """Who works on a run of a server at present, for people; empty where nobody does, and for a file."""
        if not is_postgresql(self.url):
            return ""
        with self._reading(f"who works on '{name}'"):
            return holder_now(self.engine, name)

    @contextlib.contextmanager
    def _working(self, name: str) -> Iterator[None]:
        """A change of a run, by the process that works on it."""
        if lease := self._leases.get(name):
            lease.check()
        with self._access():
            yield

    def configure(self, name: str, config: dict[str, Any]) -> None:
        """Replaces a run's configuration (a larger budget)."""
        with self._working(name):
            self._study(name).set_user_attr(CONFIG, config)

    def config(self, name: str) -> dict[str, Any]:
        """A run's resolved configuration."""
        config = self._attribute(name, CONFIG, None)
        if config is None:
            raise StoreError(f"the study '{name}' was not made by nas run", "name another run; nas show lists them")
        with self._reading(f"the configuration of run '{name}'"):
            return rows.configuration(config)

    def latest(self) -> str:
        """The name of the newest run.

        Raises:
            StoreError: there is none.
        """
        names = self.names()
        if not names:
            raise StoreError(f"there are no runs in '{self.shown}'", "start one: nas run --space nhs --budget 200")
        return names[-1]

    def run(self, name: str) -> Run:
        """A run with all its trials and their measurements.

        Raises:
            UnknownName: no such run; offers the nearest name.
        """
        with _without_collections():
            return self._run(name)

    def _run(self, name: str) -> Run:
        config, later = self.config(name), self.later(name)
        believed = {metric: latest["context"] for metric, latest in self.believed(name).items()}
        found = self._trials_of(name, params=self.writable)  # a search will ask for them, a view will not
        trials = list(found.ours.values())
        columns: dict[int, dict[str, str]] = {}
        keys: set[tuple[str, str]] = set()
        for trial in trials:
            with self._undamaged(name, trial):
                columns[trial.number] = _columns(rows.contexts(trial), later, believed)
                network = rows.network_id(trial)
                keys.update((network, context) for context in columns[trial.number].values())
        known, limits = self._records(keys), _limits(config)
        read = []
        for trial in trials:
            with self._undamaged(name, trial):
                read.append(rows.trial(trial, columns[trial.number], known, limits))
        return Run(
            name=name,
            config=config,
            trials=tuple(read),
            validity=self._validity(config, read),
            ignored=tuple(number for number in found.all if number not in found.ours),
            store="" if self.url == DEFAULT_STORE else self.shown,
        )

    def _undamaged(self, name: str, trial: "optuna.trial.FrozenTrial") -> contextlib.AbstractContextManager[None]:
        return undamaged(f"trial {trial.number} of run '{name}' in '{self.shown}'")

    def _validity(self, config: dict[str, Any], trials: Sequence[Trial]) -> dict[str, str]:
        """How far each accuracy objective was validated, by all real evaluations in this database."""
        metrics = [Metric(**objective) for objective in config["objectives"]]
        trained = self.trained() if any(metric.kind == "score" for metric in metrics) else {}
        return {
            metric.name: validity.of_prediction(metric, trials)
            or validity.sentence(metric, self._values(metric, trials) if trained else {}, trained)
            for metric in metrics
            if metric.direction == "maximize"
        }

    def _values(self, metric: Metric, trials: Sequence[Trial]) -> dict[str, float]:
        """The values of a metric by network: the run's own, and all others in the same context."""
        own = [trial.measurements[metric.name] for trial in trials if metric.name in trial.measurements]
        pairs = self.measured(metric.name).get(own[0].context, []) if own else []
        return {architecture.id: measurement.value for architecture, measurement in pairs}

    def believe(self, name: str, metric: str, context: str, networks: Sequence[str]) -> None:
        """Makes predictions of that context, learnt from those networks, the ones that a run shows."""
        with self._working(name):
            latest = {"context": context, "networks": list(networks)}
            self._study(name).set_user_attr(BELIEVED, {**self._attribute(name, BELIEVED, {}), metric: latest})

    def believed(self, name: str) -> dict[str, dict[str, Any]]:
        """By metric: the context of a run's latest predictions, and the networks that they were learnt from."""
        with self._reading(f"what run '{name}' learnt"):
            return rows.believed(self._attribute(name, BELIEVED, {}))

    def taught(self, name: str, metric: str) -> frozenset[str]:
        """The ids of the networks from which a run's latest predictions of a metric were learnt; none before any."""
        return frozenset(self.believed(name).get(metric, {}).get("networks", ()))

    def _attribute(self, name: str, attribute: str, default: Any) -> Any:
        with self._reading(f"run '{name}'"):
            return self._study(name).user_attrs.get(attribute, default)

    def later(self, name: str) -> dict[str, str]:
        """The contexts in which a run's networks were measured after it had ended, by the column that shows them."""
        with self._reading(f"the later measurements of run '{name}'"):
            return rows.columns(self._attribute(name, LATER, {}))

    def add_column(self, name: str, metric: str, context: str) -> str:
        """Adds a column of measurements in another context to a run; returns the column's name.

        A metric that the run has already, from another device or version, gets a column of its own: `ort~2`.
        """
        later = self.later(name)
        own = {column: context for trial in self.frozen(name) for column, context in rows.contexts(trial).items()}
        for number in range(1, len(later) + 3):
            column = metric if number == 1 else f"{metric}~{number}"
            if context in (later.get(column), own.get(column)):
                return column
            if column not in later and column not in own:
                break
        with self._access():
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
        """The trials of a run as Optuna knows them, for its samplers; without those that nas run did not make."""
        return list(self._trials_of(name).ours.values())

    def ignored(self, name: str) -> tuple[int, ...]:
        """The numbers of those trials that were added to the study with Optuna itself."""
        known = self._trials_of(name)
        return tuple(number for number in known.all if number not in known.ours)

    def _trials_of(self, name: str, *, params: bool = True) -> Trials:
        """All trials of a study; where nobody needs their parameters, they may lack them."""
        with self._reading(f"the trials of run '{name}'"):
            self._study(name)
            known = self._trials.get(name)
            if not known or (params and not known.params):
                known = self._trials[name] = Trials(self.engine, name, params=params)
            known.read()
            return known

    def add(self, name: str, trials: "Sequence[optuna.trial.FrozenTrial]") -> None:
        """Adds trials as they are, all of them or none."""
        with self._working(name):
            trial_writing.add(self.engine, self._study(name)._study_id, trials)

    def begin(self, name: str, proposal: Proposal) -> Trial:
        """Records a candidate as being evaluated, in one step."""
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
        self.add(name, [trial])
        return rows.trial(self.frozen(name)[-1], {}, {})

    def finish(
        self,
        name: str,
        trial: Trial,
        measurements: Mapping[str, Measurement],
        *,
        values: Sequence[float] | None,
        constraints: Mapping[str, float],
        seconds: Mapping[str, float],
        cause: str = "",
        detail: str = "",
    ) -> None:
        """Records the outcome of a candidate. Without values it failed, for the cause given, or was only predicted."""
        import optuna

        outcome = {
            "contexts": {metric: measurement.context for metric, measurement in measurements.items()},
            "seconds": {step: round(value, 4) for step, value in seconds.items()},
            "cause": cause,
            "detail": detail[-4000:],
        }
        with self._working(name):
            frozen = self._trials_of(name).all[trial.number]
            states = optuna.trial.TrialState
            state = states.COMPLETE if values is not None else states.FAIL if cause else states.PRUNED
            study, written = self._study(name)._study_id, {OUTCOME: outcome}
            if not trial_writing.finish(self.engine, study, frozen._trial_id, state, values, written, constraints):
                raise StoreError(
                    f"trial {trial.number} of run '{name}' was finished by another process",
                    f"resume the run, which reads what stands there: nas run --name {name}",
                )


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """No garbage is collected: all that is read stays, and Python would walk through it again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _limits(config: Mapping[str, Any]) -> list[Limit]:
    """The limits of a run, without those on an evaluator that is not here: there, what was decided stands."""
    limits = []
    for text in config["limits"]:
        with contextlib.suppress(UsageError):
            limits.append(parse(text))
    return limits


def _columns(own: Mapping[str, str], later: Mapping[str, str], believed: Mapping[str, str]) -> dict[str, str]:
    """The context of each column of a trial: its own, except for predictions, where the latest counts."""
    return {**later, **own, **{metric: context for metric, context in believed.items() if metric in own}}
