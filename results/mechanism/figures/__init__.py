"""The figures of `nas mechanism`. Each is `NAME_info(report)`, plain data, and `NAME_figure(info)`, its drawing."""

from collections.abc import Callable
from typing import Any

from results.mechanism.figures import distances, shares, spectra

FIGURES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "branches": (shares.branches_info, shares.branches_figure),
    "parts": (spectra.parts_info, spectra.parts_figure),
    "shares": (shares.shares_info, shares.shares_figure),
    "spectra": (spectra.spectra_info, spectra.spectra_figure),
    "distances": (distances.distances_info, distances.distances_figure),
}  # in the order of the page
