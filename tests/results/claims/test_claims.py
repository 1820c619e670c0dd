"""The catalogue of claims, the verdicts that follow from evidence, and the reports that say them."""

import pytest

from nas.claims.measured import MEASURED
from nas.claims.trained import TRAINED
from results.claims import page, table
from results.claims.catalogue import CLAIMS, chosen
from results.claims.claim import STRENGTHS, Claim, Evidence, Report, Shown, Verdict
from results.reference import claims as published
from results.reference.claims import Finding
from results.reference.comparisons import Number
from search_spaces.strategies.catalogue import QUESTIONS


def test_every_number_has_a_claim_with_a_prediction() -> None:
    assert [claim.number for claim in CLAIMS] == list(range(1, 19))
    assert len({claim.sentence for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.predicts and claim.published and claim.parts and claim.strength in STRENGTHS
        assert any(not part.premise for part in claim.parts)


def test_no_number_is_published_whose_source_is_unknown() -> None:
    """The gains of the paper's ablation are known by memory alone."""
    for claim in CLAIMS:
        if claim.strength == "B":
            assert "no source" in table.published(Verdict(claim=claim, evidence=()))
            assert "0.8" not in f"{claim.sentence} {claim.predicts} {claim.published}"


def test_every_part_has_its_experiment() -> None:
    parts = {(claim.number, part.kind) for claim in CLAIMS for part in claim.parts}
    assert {number for number, kind in parts if kind == "published"} == set(published.CLAIMS)
    assert {number for number, kind in parts if kind == "measured"} == set(MEASURED)
    assert {part for part in parts if part[1] in ("trained", "dense")} == set(TRAINED)
    names = {question.name: {each.name for each in question.strategies} for question in QUESTIONS}
    for prediction in TRAINED.values():
        assert set(prediction.strategies) <= names[prediction.question]


def test_claims_are_chosen_by_number() -> None:
    assert [claim.number for claim in chosen((13, 5))] == [5, 13]
    assert chosen(()) == CLAIMS


def evidence(holds: bool | None, kind: Shown = "measured", needs: str = "", *, premise: bool = False) -> Evidence:
    numbers = (Number(name="time of <b> over a", value=1.2, unit="times", low=1.1, high=1.3, n=6),)
    finding = Finding(claim="<i>it</i> is slower", holds=holds, numbers=numbers)
    return Evidence(kind=kind, finding=finding, validity="checked by & by", needs=needs, premise=premise)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ([True], "holds"),
        ([True, True], "holds"),
        ([True, None], "cannot be told"),
        ([None, False], "fails"),
        ([True, False], "fails"),
        ([], "cannot be told"),
    ],
)
def test_a_claim_holds_if_all_of_its_parts_do(answers: list[bool | None], word: str) -> None:
    assert Verdict(claim=CLAIMS[0], evidence=tuple(map(evidence, answers))).word == word


def test_neither_predictions_nor_premises_decide() -> None:
    predicted, premise = evidence(True, "predicted"), evidence(False, premise=True)
    assert Verdict(claim=CLAIMS[0], evidence=(predicted,)).holds is None
    assert Verdict(claim=CLAIMS[0], evidence=(evidence(True), premise, evidence(False, "predicted"))).holds
    assert predicted.word == "expected"


@pytest.mark.parametrize("kind", ["trained", "dense", "predicted"])
def test_nothing_is_concluded_by_a_judge_whose_validity_is_not_shown(kind: Shown) -> None:
    with pytest.raises(ValueError, match="validity is not shown"):
        Evidence(kind=kind, finding=Finding(claim="it is better", holds=True, numbers=()))
    assert Evidence(kind=kind, finding=Finding(claim="it is better", holds=None, numbers=())).finding.holds is None


def test_needs_are_those_of_parts_that_count_each_once() -> None:
    parts = [evidence(None, needs="27 trainings"), evidence(None, needs="27 trainings"), evidence(True)]
    assert list(Verdict(claim=CLAIMS[0], evidence=tuple(parts)).needs) == ["27 trainings"]


@pytest.fixture
def report() -> Report:
    claim = Claim(
        number=1,
        sentence="<script>alert(1)</script> & [a](b)",
        predicts="<b>more</b>",
        strength="B",
        published="nothing",
        parts=CLAIMS[0].parts,
    )
    verdict = Verdict(claim=claim, evidence=(evidence(True), evidence(None, "trained", needs="<27> trainings")))
    return Report(latency="ort", device="a <CPU>", at="60 ms", judges=("train",), verdicts=(verdict,))


def test_the_page_escapes_what_it_shows(report: Report) -> None:
    text = page.page(report)
    assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text
    assert "<i>it</i>" not in text and "&lt;27&gt; trainings" in text and "checked by &amp; by" in text
    assert "time of &lt;b&gt; over a: 1.2 [1.1, 1.3] times (n = 6)" in text


def test_the_figure_holds_what_was_measured_here(report: Report) -> None:
    drawn = page.figure(report)
    points = {trace.name: list(trace.x) for trace in drawn.data if trace.visible}
    assert points == {"the prediction holds": [1.2]}


def test_markdown_and_table_say_the_same(report: Report) -> None:
    text = table.markdown(report)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "**measured here, holds**" in text and "- judge: checked by & by" in text
    rows = list(table.rows(report))
    assert [row[1].strip() for row in rows] == ["cannot be told", "holds", "cannot be told"]
    assert table.facts(report)["verdicts"] == "1 cannot be told"
