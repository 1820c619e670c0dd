"""A run and its trials, as the store returns them and as every view reads them. Plain data; no torch, no Optuna."""

import shlex
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from evaluators import Measurement, Metric
from search_spaces import Architecture, Network, Stage

State = Literal["ok", "infeasible", "predicted", "failed", "running"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One candidate of a run. A failed one is a record too: `cause` is short and countable, `detail` the story.

    One that is `predicted` has an accuracy and predicted latencies: it had no prospect of standing on the front, so
    that it was not measured.
    """

    number: int
    architecture: Network
    state: State
    measurements: dict[str, Measurement] = field(default_factory=dict)  # by metric name
    constraints: dict[str, float] = field(default_factory=dict)  # limit -> value minus bound; above 0 is a violation
    anchor: str = ""  # the published name, for those measured first as a yardstick
    cause: str = ""
    detail: str = ""
    seconds: dict[str, float] = field(default_factory=dict)  # where the candidate's time went
    replaced: dict[str, int] = field(default_factory=dict)  # proposals turned down before this one, by reason

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of its network; none where timm builds it, whose families have blocks of their own."""
        return self.architecture.stages if isinstance(self.architecture, Architecture) else ()

    @property
    def succeeded(self) -> bool:
        """Whether it has a value for every objective, within the limits or not."""
        return self.state in ("ok", "infeasible")

    def value(self, metric: str) -> float:
        """The value of one of its measurements."""
        return self.measurements[metric].value


@dataclass(frozen=True, kw_only=True)
class Run:
    """A named search: its resolved configuration and its trials, in order."""

    name: str
    config: dict[str, Any]
    trials: tuple[Trial, ...]
    validity: dict[str, str] = field(default_factory=dict)  # by metric: how far its ranking was checked, as a sentence
    ignored: tuple[int, ...] = ()  # numbers of trials that were added to the study with Optuna itself
    store: str = field(default="", compare=False)  # the URL of its database, no password; empty for the usual one

    @cached_property
    def objectives(self) -> tuple[Metric, ...]:
        """What the run optimises: the accuracy evaluator first, then the latencies."""
        return tuple(Metric(**metric) for metric in self.config["objectives"])

    @property
    def store_option(self) -> str:
        """What a command needs to find the run in its database; empty for the usual one."""
        return f" --store {shlex.quote(self.store)}" if self.store else ""

    def ignored_sentence(self) -> str:
        """A sentence about trials that are not shown; empty where there are none."""
        if not self.ignored:
            return ""
        numbers = ", ".join(map(str, self.ignored[:10])) + (", ..." if len(self.ignored) > 10 else "")
        return f"Ignored: {len(self.ignored)} trials that nas run did not make, but Optuna itself (numbers {numbers})."

    def succeeded(self) -> list[Trial]:
        """Trials with a value for every objective, within the limits or not."""
        return [trial for trial in self.trials if trial.succeeded]

    def feasible(self) -> list[Trial]:
        """Trials with a value for every objective that keep every limit of the run."""
        return [trial for trial in self.trials if trial.state == "ok"]

    @property
    def counted(self) -> int:
        """How many trials count for the budget: all but those that were only predicted."""
        return len(self.trials) - len(self.predicted())

    def predicted(self) -> list[Trial]:
        """Trials whose latencies were predicted and not measured."""
        return [trial for trial in self.trials if trial.state == "predicted"]

    def point(self, trial: Trial) -> tuple[float, ...]:
        """The objective values of a trial."""
        return tuple(trial.value(metric.name) for metric in self.objectives)
