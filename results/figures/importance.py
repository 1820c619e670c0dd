"""What matters: how important every parameter of the space is for being among the best, by objective.

PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023, arXiv 2304.10255) and its extension to parameters that not every
network uses (arXiv 2601.20800), as Optuna has them.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluators import Metric
from results.colours import BLUE, GREEN, GREY, VERMILION
from results.figures.common.style import layout
from results.figures.common.view import View
from results.parameters import Used, parameters
from results.store.record import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

VIEW = View(heading="What matters", place=3)
FEWEST = 100  # networks: PED-ANOVA looks at the best tenth, which must hold ten or more
MOST = 24_000  # parameters of networks, which are all built with other values: more take seconds and change nothing
SHOWN = 10  # parameters


@dataclass(frozen=True, kw_only=True)
class ImportanceInfo:
    """Shares of importance by objective, which sum to 1 over all parameters; the most important first."""

    parameters: tuple[str, ...]
    shares: dict[str, tuple[float, ...]]  # by objective
    summary: str


def importance_info(run: Run) -> ImportanceInfo:
    """How much the parameters of the run's space matter for each objective."""
    newest = run.succeeded()[::-1]
    each = max((len(used.params) for used in parameters(run, newest[:FEWEST])), default=1)
    known = list(parameters(run, newest[: MOST // each]))
    if len(known) < FEWEST:
        few = f"{len(known)} networks are too few to say what matters; it takes {FEWEST}."
        return ImportanceInfo(parameters=(), shares={}, summary=few)
    shares = {metric.name: _shares(known, metric) for metric in run.objectives}
    total = {name: max(row.get(name, 0.0) for row in shares.values()) for name in next(iter(shares.values()))}
    order = sorted(total, key=lambda name: -total[name])[:SHOWN]
    tops = ", ".join(f"{max(row, key=lambda name: row[name])} for {metric}" for metric, row in shares.items())
    return ImportanceInfo(
        parameters=tuple(order),
        shares={metric: tuple(round(row[name], 4) for name in order) for metric, row in shares.items()},
        summary=f"What matters most: {tops}. From {len(known)} networks that the search chose: no random sample.",
    )


def _shares(known: Sequence[Used], metric: Metric) -> dict[str, float]:
    """The importance of the parameters for one objective. PED-ANOVA assumes that low is good."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    sign = 1 if metric.direction == "minimize" else -1
    for used in known:
        value = sign * used.trial.value(metric.name)
        study.add_trial(optuna.trial.create_trial(params=used.params, distributions=used.distributions, value=value))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a parameter that a single network uses, or does not: it does not count
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
