"""A claim of Next-ViT, the evidence on each of its parts, and the verdict that follows.

A claim holds if all of its parts hold, and fails if one of them does. A prediction is shown beside the evidence and
decides nothing.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from results.reference.claims import Finding

Strength = Literal["A", "B", "C"]
# How a part can be settled: from published tables, by the stopwatch, and by training on images or on a dense task.
Kind = Literal["published", "measured", "trained", "dense"]
Shown = Literal["published", "measured", "trained", "dense", "predicted"]

STRENGTHS: dict[Strength, str] = {
    "A": "published",
    "B": "only its direction is known, its numbers have no source",
    "C": "derived from published tables, code or reports",
}
JUDGED = ("trained", "dense", "predicted")  # by something whose own validity has to be shown
WORDS = {True: "holds", False: "fails", None: "cannot be told"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a claim that one experiment settles. A premise is checked, and decides nothing."""

    kind: Kind
    states: str
    premise: bool = False


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: `predicts` is what an experiment should find, `published` what a source says in numbers, if any does."""

    number: int
    sentence: str
    predicts: str
    strength: Strength
    published: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one experiment says of a part of a claim.

    `validity` says how far that can be trusted by which networks were judged, and `needs` what it would take to tell.

    Raises:
        ValueError: something is concluded from a judge whose validity is not shown.
    """

    kind: Shown
    finding: Finding
    where: str = ""  # device and run-time of what was measured
    validity: str = ""
    needs: str = ""
    premise: bool = False

    def __post_init__(self) -> None:
        if self.kind in JUDGED and self.finding.holds is not None and not self.validity:
            raise ValueError(f"'{self.finding.claim}' is judged by something whose validity is not shown")

    @property
    def counts(self) -> bool:
        """Whether the verdict depends on it."""
        return not self.premise and self.kind != "predicted"

    @property
    def word(self) -> str:
        """Its answer in a word. A prediction confirms nothing: it expects."""
        if self.kind == "predicted":
            return {True: "expected", False: "not expected", None: "cannot be told"}[self.finding.holds]
        return WORDS[self.finding.holds]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "kind": self.kind,
            "states": self.finding.claim,
            "answer": self.word,
            "premise": self.premise,
            "numbers": [asdict(number) for number in self.finding.numbers],
            "where": self.where,
            "sources": [asdict(source) for source in self.finding.sources],
            "validity": self.validity,
            "remark": self.finding.remark,
            "needs": self.needs,
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A claim with all evidence on it."""

    claim: Claim
    evidence: tuple[Evidence, ...]

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None where a part of it cannot be told and none fails."""
        answers = [each.finding.holds for each in self.evidence if each.counts]
        if False in answers:
            return False
        return True if answers and all(answers) else None

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return WORDS[self.holds]

    @property
    def needs(self) -> Iterator[str]:
        """What it would take to tell what cannot be told, each once."""
        return iter(dict.fromkeys(each.needs for each in self.evidence if each.needs and each.counts))

    @property
    def sentence(self) -> str:
        """The claim with its verdict, and with what is known of its parts where there are several."""
        parts = [f"{each.kind}: {each.word}" for each in self.evidence if each.counts]
        return f"{self.claim.sentence}: {self.word}" + (f" ({', '.join(parts)})." if len(parts) > 1 else ".")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        claim = self.claim
        return {
            "number": claim.number,
            "claim": claim.sentence,
            "predicts": claim.predicts,
            "strength": claim.strength,
            "published": claim.published,
            "verdict": self.word,
            "evidence": [each.to_dict() for each in self.evidence],
            "needs": list(self.needs),
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdicts on claims. `latency` is empty where nothing was measured, and `at` where nothing was judged."""

    latency: str
    device: str
    at: str
    judges: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def summary(self) -> str:
        """How many claims hold, fail and cannot be told."""
        words = [verdict.word for verdict in self.verdicts]
        return ", ".join(f"{words.count(word)} {meant}" for word, meant in COUNTED.items() if word in words)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "latency": self.latency,
            "device": self.device,
            "at": self.at,
            "judges": list(self.judges),
            "claims": [verdict.to_dict() for verdict in self.verdicts],
        }


COUNTED = {"holds": "hold", "fails": "fail", "cannot be told": "cannot be told"}
