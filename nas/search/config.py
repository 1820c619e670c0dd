"""The complete configuration of a run: checked, and stored with the run."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import evaluators
from evaluators import Evaluator, Metric
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.statistics.ranking import FEWEST
from nas import __version__
from nas.search.proposals import SAMPLERS
from nas.search.sampling import anchors
from nas.search.sampling.history import AHEAD, MOST_AHEAD
from results import limits
from results.limits import Limit
from search_spaces import Network, SearchSpace
from search_spaces.common import narrowed
from search_spaces.common.errors import StoreError, UnknownName, UsageError
from search_spaces.common.narrowed import Narrowed
from search_spaces.common.texts import shown

COSTS = ("params", "macs")  # counted for every candidate
MOST_HOURS = 10_000
MAY_CHANGE = ("budget", "candidates")  # where a run is resumed
MEASURE = ("all", "promising")
MANY = 25  # candidates to look at for each that is measured, where only promising ones are


@dataclass(frozen=True, kw_only=True)
class Config:
    """The space, the objectives, the limits and the sampler of a run. All fields are plain data, as in the store."""

    space: str = "nhs"
    fix: tuple[str, ...] = ()  # the values that remain of parameters of the space
    budget: int = 200
    proxy: str = "published"
    evaluations: int = 20  # networks to train, if the accuracy is predicted
    hours: float = 0.0  # for the whole run, if the accuracy is predicted; 0: an hour of trainings
    latencies: tuple[str, ...] = ("ort",)
    limits: tuple[str, ...] = ()
    seed: int = 0
    sampler: str = "screen"
    measure: str = "all"
    anchors: tuple[str, ...] = ()  # beyond those of the space: names, notations or descriptions of networks
    ahead: int = AHEAD  # results that a proposal does not wait for
    candidates: int = 0  # to be looked at, at the most; 0: MANY for each that is measured

    def __post_init__(self) -> None:
        if isinstance(self.search_space, Narrowed) and not self.search_space.asked:
            raise UsageError(
                f"--fix leaves one network of the space {self.space}: there is nothing to search",
                "leave a --fix out, or measure this network: nas measure --sample 1, with the same --fix",
            )
        if self.measure not in MEASURE:
            raise UsageError(f"--measure expects one of {', '.join(MEASURE)}, got '{self.measure}'")
        if self.candidates and self.candidates < self.budget:
            raise UsageError(
                f"--candidates {self.candidates} are fewer than --budget {self.budget}, which are measured",
                f"for example --candidates {MANY * self.budget}",
            )
        if not 0 <= self.ahead <= MOST_AHEAD:
            raise UsageError(
                f"--ahead expects a number from 0 to {MOST_AHEAD}, got {self.ahead}", "for example --ahead 7"
            )
        if self.budget < 1:
            raise UsageError(f"--budget expects at least 1 candidate, got {self.budget}", "for example --budget 200")
        if self.evaluations < FEWEST:
            raise UsageError(
                f"--train expects at least {FEWEST} real evaluations, got {self.evaluations}",
                "for example --train 20",
            )
        if not 0 <= self.hours <= MOST_HOURS:
            raise UsageError(
                f"--hours expects a time from 0 to {MOST_HOURS}, got {self.hours:g}", "for example --hours 2"
            )
        if self.hours and not isinstance(self.objectives[0], LearnedAccuracy):
            raise UsageError(
                f"--hours plans trainings, and --proxy {self.proxy} is not learnt from any", "add --data DIR"
            )
        if self.sampler not in SAMPLERS:
            raise UnknownName("sampler", self.sampler, SAMPLERS)
        if not self.latencies:
            raise UsageError("a run needs at least one latency", "for example --latency ort")
        for kind, specs in (("--latency", self.latencies), ("--limit", self.limits)):
            if len(set(specs)) < len(specs):
                raise UsageError(f"{kind} is given the same value twice: {', '.join(specs)}", "give every value once")
        self._check_families()
        objectives = {evaluator.spec for evaluator in self.objectives}
        for limit in self.parsed_limits:
            if limit.evaluator.family() != "cost" and limit.metric not in objectives:
                options = [f"--limit {shlex.quote(meant)}" for meant in limit.meant(objectives)]
                raise UsageError(
                    f"the limit '{limit}' is on '{limit.metric}', which this run does not evaluate",
                    (f"type: {' or '.join(options)}\n  or " if options else "")
                    + f"add --latency {limit.metric}, or limit one of: {', '.join(sorted(objectives))}, "
                    + ", ".join(evaluators.names("cost")),
                )

    def _check_families(self) -> None:
        for name, network in self.all_anchors.items():
            for evaluator in self.objectives:
                if refusal := evaluator.refuses(network):
                    raise UsageError(refusal, f"leave {name} out, or search by --proxy published and --latency ort")

    @cached_property
    def all_anchors(self) -> dict[str, Network]:
        """The networks that are evaluated first, by name: those of the space, then the user's."""
        own = self.search_space.anchors()
        return own | anchors.networks(self.anchors, own.values())

    @property
    def most_candidates(self) -> int:
        """How many candidates are looked at, at the most: no more than a narrowed space has."""
        most = self.candidates or (MANY * self.budget if self.measure == "promising" else self.budget)
        space = self.search_space
        beyond = len(self.all_anchors) - len(space.anchors())
        return min(most, space.size() + beyond) if isinstance(space, Narrowed) and space.is_counted else most

    @cached_property
    def search_space(self) -> SearchSpace:
        """The search space, narrowed to what `fix` leaves of it."""
        return narrowed.get(self.space, self.fix)

    @cached_property
    def objectives(self) -> tuple[Evaluator, ...]:
        """The objectives: the proxy for accuracy, then the latencies."""
        return (evaluators.get(self.proxy, "accuracy"), *(evaluators.get(spec, "latency") for spec in self.latencies))

    @cached_property
    def parsed_limits(self) -> tuple[Limit, ...]:
        """The limits, as bounds on metrics."""
        return tuple(limits.parse(text) for text in self.limits)

    @cached_property
    def exact_limits(self) -> tuple[Limit, ...]:
        """The limits on exact costs."""
        return tuple(limit for limit in self.parsed_limits if limit.evaluator.family() == "cost")

    def beyond(self, architecture: Network) -> str:
        """The first limit on exact costs that a network breaks; empty if it keeps them all."""
        broken = (
            str(limit) for limit in self.exact_limits if limit.excess(limit.evaluator.measure(architecture).value) > 0
        )
        return next(broken, "")

    @cached_property
    def costs(self) -> tuple[Evaluator, ...]:
        """The exact counts of every candidate: the usual ones and those with a limit."""
        limited = [limit.evaluator for limit in self.exact_limits]
        return tuple(dict.fromkeys([*(evaluators.get(name) for name in COSTS), *limited]))

    @property
    def plugins(self) -> tuple[str, ...]:
        """The names of all plug-ins that the run uses."""
        limited = [limit.evaluator for limit in self.parsed_limits]
        names = (evaluator.name() for evaluator in (*self.objectives, *limited))
        return tuple(dict.fromkeys([self.space, *names]))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The objectives' metrics."""
        return tuple(evaluator.metric for evaluator in self.objectives)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the store, with the metrics of the objectives and the version of nas."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {**plain, "version": __version__, "objectives": [asdict(metric) for metric in self.metrics]}

    @classmethod
    def from_dict(cls, data: object) -> "Config":
        """The inverse of `to_dict`; fields that are missing, as in older databases, have their defaults.

        Raises:
            StoreError: the data is no configuration; names the field.
        """
        if not isinstance(data, dict):
            raise _damaged("it", data)
        values: dict[str, Any] = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        for name, value in list(values.items()):
            default = getattr(cls, name)
            kind = list if isinstance(default, tuple) else type(default)
            if type(value) is not kind or (kind is list and not all(isinstance(item, str) for item in value)):
                raise _damaged(f"its '{name}'", value)
            values[name] = tuple(value) if kind is list else value
        return cls(**values)

    def differences(self, other: "Config") -> list[str]:
        """The differences between this configuration and a requested one, without those that may be."""
        mine, theirs = asdict(self), asdict(other)
        return [
            f"{name}: {_shown(mine[name])} in the run, {_shown(theirs[name])} requested"
            for name in mine
            if mine[name] != theirs[name] and name not in MAY_CHANGE
        ]


def _damaged(part: str, value: object) -> StoreError:
    return StoreError(
        f"the stored configuration of the run is damaged: {part} is {shown(value)}",
        "restore the database from a copy, or start a new run without --name",
    )


def _shown(value: object) -> str:
    return (", ".join(value) or "none") if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
