"""How the dashboard shows a figure of one run, below the front."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class View:
    """A section of the page."""

    heading: str
    place: int  # lower comes first
    is_open: bool = False  # from the start; a folded view is drawn when it is opened
