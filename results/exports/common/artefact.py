"""One format of an export, as it was written: its files, and how they compare with the network."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """The files of one format, and the verdict on them."""

    format: str
    files: tuple[str, ...]
    verdict: str  # how its answers compare with the network's, as a sentence without a full stop
    hint: str = ""  # what to do about what this machine could not check or build
    latency: str = ""  # of the main file, with its interval and device; empty where no run-time reads it
