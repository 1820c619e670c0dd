"""The figures. Each file `NAME.py` of this folder is one: `NAME_info(run)` is plain data, which tests compare, and
`NAME_figure(info)` draws it with Plotly. A file with a `VIEW` appears on the dashboard, below the front.

In a notebook, the function of a figure's own name does both: `figures.pareto(run)` is a Plotly figure.
"""

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from results.figures.common.view import View
from search_spaces.common import plugins

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["View", "draw", "info", "names", "views"]


def names() -> list[str]:
    """The figures, in alphabetical order."""
    return plugins.names("results.figures")


def views() -> dict[str, View]:
    """The figures that the dashboard shows below the front, in the page's order."""
    known = {name: getattr(_module(name), "VIEW", None) for name in names()}
    return dict(sorted(((name, view) for name, view in known.items() if view), key=lambda item: item[1].place))


def info(name: str, *runs: Any, **options: Any) -> Any:
    """The data of a figure, from its run; from two runs where it compares them.

    Raises:
        UnknownName: there is no such figure; offers the nearest name.
    """
    return getattr(_module(name), f"{name}_info")(*runs, **options)


def draw(name: str, data: Any) -> "go.Figure":
    """The drawing of what `info` returned."""
    return getattr(_module(name), f"{name}_figure")(data)


def _module(name: str) -> ModuleType:
    return plugins.load("results.figures", name, "figure")


def _in_one(name: str) -> "Callable[..., go.Figure]":
    """The function of a figure's own name, with its docstring."""

    def figure(*runs: Any, **options: Any) -> "go.Figure":
        return draw(name, info(name, *runs, **options))

    figure.__name__ = figure.__qualname__ = name
    figure.__doc__ = plugins.summary(_module(name))
    return figure


if TYPE_CHECKING:

    def __getattr__(name: str) -> "Callable[..., go.Figure]": ...

else:  # each function takes the place of the module that it is in, which Python has put there
    globals().update({name: _in_one(name) for name in names()})
