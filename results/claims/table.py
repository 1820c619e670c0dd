"""The verdicts as a table for the terminal, and as Markdown; both and the page say the same."""

from collections.abc import Iterator
from pathlib import Path

from results.claims.claim import STRENGTHS, Evidence, Report, Verdict
from search_spaces.common import files

HEADINGS = ("#", "verdict", "claim and evidence")
FIRST = 2  # numbers of each piece of evidence in the terminal; page, Markdown and JSON have all
NAMES = {
    "published": "published",
    "measured": "measured here",
    "trained": "trained",
    "dense": "trained, dense task",
    "predicted": "predicted, not trained",
}
TITLE = "The claims of Next-ViT"


def rows(report: Report) -> Iterator[tuple[str, str, str]]:
    """A row for each claim and for each piece of its evidence."""
    for verdict in report.verdicts:
        yield str(verdict.claim.number), verdict.word, verdict.claim.sentence
        for each in verdict.evidence:
            numbers = "; ".join(str(number) for number in each.finding.numbers[:FIRST])
            yield "", f"  {each.word}", f"  {label(each)}: {numbers or each.finding.remark or each.finding.claim}"


def label(evidence: Evidence) -> str:
    """What kind of evidence it is."""
    return NAMES[evidence.kind] + (" (a premise)" if evidence.premise else "")


def facts(report: Report) -> dict[str, str]:
    """What all verdicts have in common."""
    measured = f"{report.latency} on {report.device}" if report.latency else "nothing: published results alone"
    judged = ", ".join(report.judges) or "no accuracy on data"
    return {
        "verdicts": report.summary,
        "measured": measured,
        "judged by": judged + (f", at {report.at}" if report.at else ""),
    }


def notes(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What has to be known with the numbers of a piece of evidence, as pairs of a term and a text."""
    if evidence.where:
        yield "where", evidence.where
    if evidence.finding.sources:
        yield "sources", "; ".join(source.title for source in evidence.finding.sources)
    if evidence.validity:
        yield "judge", evidence.validity
    if evidence.finding.remark:
        yield "note", evidence.finding.remark
    if evidence.needs:
        yield "to tell", evidence.needs


def published(verdict: Verdict) -> str:
    """What is published of a claim in numbers, and how strong that is."""
    return f"{verdict.claim.published} ({verdict.claim.strength}: {STRENGTHS[verdict.claim.strength]})"


def write(report: Report, path: Path) -> None:
    """Writes the report as Markdown, whole or not at all."""
    files.replace(path, markdown(report))


def markdown(report: Report) -> str:
    """The whole report as Markdown."""
    lines = [f"# {TITLE}", ""]
    lines += [f"- {term}: {_plain(text)}" for term, text in facts(report).items()]
    lines += ["", "| # | claim | verdict |", "|---|---|---|"]
    lines += [f"| {each.claim.number} | {_plain(each.claim.sentence)} | {each.word} |" for each in report.verdicts]
    for verdict in report.verdicts:
        lines += ["", *_section(verdict)]
    return "\n".join(lines) + "\n"


def _section(verdict: Verdict) -> Iterator[str]:
    yield f"## {verdict.claim.number}. {_plain(verdict.claim.sentence)}: {verdict.word}"
    yield ""
    yield f"- predicts: {_plain(verdict.claim.predicts)}"
    yield f"- published: {_plain(published(verdict))}"
    for each in verdict.evidence:
        yield f"- **{label(each)}, {each.word}**: {_plain(each.finding.claim)}"
        for number in each.finding.numbers:
            yield f"  - {_plain(str(number))}"
        for term, text in notes(each):
            yield f"  - {term}: {_plain(text)}"


def _plain(text: str) -> str:
    """Text in which nothing means anything to Markdown."""
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())
