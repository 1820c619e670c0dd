"""What matters: how much each parameter of the space decides about being among the best, for every objective.

PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023, arXiv 2304.10255), as Optuna has it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluators import Metric
from results.colours import BLUE, GREEN, GREY, VERMILION
from results.figures.common.style import layout
from results.figures.common.view import View
from results.parameters import parameters
from results.store.record import Run, Trial

if TYPE_CHECKING:
    import optuna
    import plotly.graph_objects as go

VIEW = View(heading="What matters", place=3)
FEWEST = 100  # networks: the best tenth is looked at, and of fewer than ten nothing can be said
MOST = 1500  # networks that are looked at: beyond, it takes seconds and changes nothing
SHOWN = 10  # parameters


@dataclass(frozen=True, kw_only=True)
class ImportanceInfo:
    """Shares of importance, which sum to 1 over all parameters, for each objective; the most important first."""

    parameters: tuple[str, ...]
    shares: dict[str, tuple[float, ...]]  # by objective
    summary: str


def importance_info(run: Run) -> ImportanceInfo:
    """How much the parameters of the run's space matter for each objective."""
    known = list(parameters(run, run.succeeded()[-MOST:]))
    if len(known) < FEWEST:
        few = f"{len(known)} networks are too few to tell what matters: {FEWEST} are needed."
        return ImportanceInfo(parameters=(), shares={}, summary=few)
    shares = {metric.name: _shares(known, metric) for metric in run.objectives}
    total = {name: max(each.get(name, 0.0) for each in shares.values()) for name in next(iter(shares.values()))}
    order = sorted(total, key=lambda name: -total[name])[:SHOWN]
    tops = ", ".join(f"{max(each, key=lambda name: each[name])} for {metric}" for metric, each in shares.items())
    return ImportanceInfo(
        parameters=tuple(order),
        shares={metric: tuple(round(each[name], 4) for name in order) for metric, each in shares.items()},
        summary=f"What matters most: {tops}. Of {len(known)} networks, which the search chose, not chance.",
    )


def _shares(known: "list[tuple[Trial, optuna.trial.FixedTrial]]", metric: Metric) -> dict[str, float]:
    """What the parameters decide about one objective. PED-ANOVA takes low for good."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    sign = 1 if metric.direction == "minimize" else -1
    for trial, fixed in known:
        value = sign * trial.value(metric.name)
        study.add_trial(optuna.trial.create_trial(params=fixed.params, distributions=fixed.distributions, value=value))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


def importance_figure(info: ImportanceInfo) -> "go.Figure":
    """A group of bars for each parameter, one for each objective."""
    import plotly.graph_objects as go

    figure = go.Figure()
    colours = (BLUE, VERMILION, GREEN, GREY)
    for colour, (metric, shares) in zip(colours, info.shares.items(), strict=False):
        figure.add_bar(name=metric, x=shares, y=info.parameters, orientation="h", marker={"color": colour})
    figure.update_layout(layout("share of importance", ""))
    figure.update_layout(yaxis={"autorange": "reversed", "title": None}, xaxis_tickformat=".0%", barmode="group")
    return figure
