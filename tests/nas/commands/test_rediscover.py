"""The claims of Next-ViT as a user tests them: published ones at once, measured ones stored and resumed."""

import pytest

from tests.conftest import Program
from tests.nas.commands.test_strategies import rows

SMALL = ("--latency", "ort:resolution=32")


def test_published_claims_need_nothing(nas: Program) -> None:
    ended = nas("rediscover", "--quick", "--json", "-o", "claims.html", "-o", "claims.md")
    assert ended.code == 0, ended.err
    claims = {claim["number"]: claim for claim in ended.json["claims"]}
    assert list(claims) == list(range(1, 19))
    assert {number for number, claim in claims.items() if claim["verdict"] == "holds"} >= {10, 14, 15, 18}
    assert not [claim for claim in claims.values() if claim["verdict"] == "fails"]
    for claim in claims.values():
        assert claim["verdict"] != "cannot be told" or claim["needs"], "what it would take"
    assert claims[3]["evidence"][0]["numbers"] == []
    assert "nas rediscover 3 --at LATENCY --data DIR" in claims[3]["needs"][0]
    assert not (nas.folder / "runs").exists(), "nothing is stored"
    assert "More depth in stage 3 saturates" in (nas.folder / "claims.html").read_text()
    assert (
        "## 18. Next-ViT is dominated on all fronts of timm's models: holds" in (nas.folder / "claims.md").read_text()
    )


@pytest.mark.slow
def test_measured_claims_are_stored_and_resume(nas: Program) -> None:
    first = nas("rediscover", "8", *SMALL, "--json")
    assert first.code == 0, first.err
    (claim,) = first.json["claims"]
    premise, trained = claim["evidence"]
    assert premise["kind"] == "measured" and premise["premise"] and premise["where"].startswith("ort:resolution=32 on ")
    (ratio,) = premise["numbers"]
    assert ratio["low"] < ratio["value"] < ratio["high"] and ratio["n"] == 6 and ratio["unit"] == "times"
    assert trained["answer"] == "cannot be told" == claim["verdict"]
    made = rows(nas)
    again = nas("rediscover", "8", *SMALL, "--json")
    assert again.json == first.json and rows(nas) == made, "what is stored is not measured again"


def test_without_the_latency_published_claims_stand(nas: Program) -> None:
    ended = nas("rediscover", "5", "9", "--latency", "ort:python=/no/such/python", "--json")
    assert ended.code == 0, ended.err
    shares, depth = ended.json["claims"]
    assert shares["verdict"] == "cannot be told" and "/no/such/python" in shares["evidence"][0]["remark"]
    assert [each["answer"] for each in depth["evidence"]] == ["holds", "cannot be told"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["19"], "19 is not in the range"),
        (["first"], "not a valid integer"),
        (["--quick", "--at", "4ms"], "--at is for that"),
        (["--quick", "--latency", "ort"], "--latency is for that"),
        (["--at", "4"], "--at 4 is not a latency"),
        (["--data", "digits"], "add --at"),
        (["--dense"], "add --at"),
        (["--scaling", "shallow"], "add --at"),
        (["--at", "4ms", "--scaling", "as-l"], "known: as-b, as-s, shallow"),
        (["--at", "4ms", "--seeds", "2"], "add --data DIR or --dense"),
        (["--at", "4ms", "--proxy", "train"], "add --data DIR"),
        (["--at", "4ms", "--data", "digits", "--proxy", "auto"], "strategies differ too little"),
        (["--latency", "ort:predicted"], "claims are measured"),
        (["--latency", "orrt"], "did you mean 'ort'"),
        (["--quick", "-o", "claims.pdf"], "neither a page nor Markdown"),
    ],
)
def test_bad_input(nas: Program, arguments: list[str], message: str) -> None:
    ended = nas("rediscover", *arguments)
    assert ended.code == 2, ended.err
    assert message in ended.err
    assert "Traceback" not in ended.err
