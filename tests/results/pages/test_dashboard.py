"""The page as text: complete, silent towards the network, and safe with hostile names."""

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from results import front, glyphs
from results.colours import BLUE, VERMILION
from results.glyphs import svg
from results.pages import dashboard
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import NegativeAnswer
from search_spaces.nextvit.stage import TRANSFORMERS
from search_spaces.zoo import KINDS
from tests import synthetic


def own(page: str) -> str:
    """The page without plotly's code."""
    return re.sub(r"<script>/\*\*.*?</script>", "", page, count=1, flags=re.DOTALL)


def payload(page: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    return json.loads(text)


def test_the_page_holds_every_network_with_its_units() -> None:
    page = own(dashboard.page(synthetic.typical()))
    assert "ort [ms]" in page
    assert "1 × it broke" in page
    assert set(payload(page)["cards"]) == {"0", "1", "2", "3", "4", "5", "6", "8"}, "a limit may bring any to the front"


def test_a_large_page_holds_the_cards_of_its_fronts_alone() -> None:
    run = synthetic.large(400)
    cards = set(payload(own(dashboard.page(run)))["cards"])
    assert cards >= {"0", "1", "2"} | {str(trial.number) for trial in front.front(run)}
    assert len(cards) < 100


def test_the_page_tells_rules_or_that_there_are_none() -> None:
    assert "networks on the front and" in own(dashboard.page(synthetic.typical()))
    assert "rules tried on 103 networks" in own(dashboard.page(synthetic.many(100)))


def test_a_page_with_a_doubtful_latency_covers_and_beats_nothing() -> None:
    page = own(dashboard.page(synthetic.doubtful({4: "drifted"})))
    text = page[: page.index('<script type="application/json"')]
    assert "covers" not in text
    assert "beats" not in text
    assert text.count("nas measure test-run --front --latency ort") >= 2, "in the header and in health"
    assert "covers" in dashboard.page(synthetic.typical())


def test_a_page_is_another_when_a_latency_was_measured_again() -> None:
    run = synthetic.typical()
    before = dashboard.version(run)
    assert dashboard.version(synthetic.typical()) == before
    run.trials[3].measurements["ort"] = replace(run.trials[3].measurements["ort"], when="2026-02-02T00:00:00+00:00")
    assert dashboard.version(run) != before


def test_every_text_stands_out_from_what_is_behind_it() -> None:
    """A contrast of 4.5 to 1 or more in both themes (WCAG 2.2, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    style = (resources.files("results") / "assets" / "dashboard.css").read_text()
    themes = [dict(re.findall(r"--(\w+): (#\w{6})", theme)) for theme in re.findall(r":root \{([^}]*)\}", style)]
    assert len(themes) == 2
    for theme in themes:
        for ink in ("ink", "quiet", "doubt"):
            for behind in ("paper", "panel"):
                high, low = sorted((luminance(theme[ink]), luminance(theme[behind])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, behind)


def test_the_page_forbids_itself_the_network() -> None:
    page = dashboard.page(synthetic.typical())
    assert "default-src 'none'" in page
    assert not re.findall(r"""(?:src|href)=["']?https?:""", own(page))


def test_hostile_names_stay_text() -> None:
    hostile = "</script><b>gotcha"
    run = synthetic.run(
        [synthetic.trial(0, 4.5, 50.0, anchor=hostile), synthetic.trial(1, 0, 0, state="failed", cause=hostile)],
        space=hostile,
    )
    page = dashboard.page(run)
    assert hostile not in page
    assert payload(page)["columns"]["anchors"]["0"] == hostile


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "page.html"
    dashboard.write(synthetic.typical(), path)
    before = path.read_text()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(NegativeAnswer, match="was not written: disk full"):
        dashboard.write(synthetic.run([]), path)
    assert path.read_text() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_network_says_in_what_it_is_not_as_published() -> None:
    small = PAPER["next-vit-s"]
    first, second, *others = small.stages
    assert glyphs.fields(small) == ""
    other = replace(small, head_dim=16, stem=(32, 16, 32), conv_mlp_ratio=2.5, attention_pooling="squares")
    assert glyphs.fields(other) == "stem 32/16/32, head dim 16, MLP ratio of C 2.5, pools squares"
    fewer = replace(small, stages=(first, replace(second, sr_ratio=2), *others))
    assert glyphs.fields(fewer) == "sr ratios -/2/2/1"
    convolutions = replace(Architecture.from_notation("C-C-C-C"), transformer_mlp_ratio=4.0)
    assert glyphs.fields(convolutions) == "", "no block uses the ratio"


def test_a_glyph_has_a_mark_per_block_and_words() -> None:
    drawing = svg(PAPER["next-vit-s"])
    assert drawing.count("<rect") == 16 + 2 * 4  # a transformer's mark has two parts
    assert "stage 3: 8 convolution, 2 transformer" in drawing
    assert svg(Architecture.from_notation("C-C-C-C")).count("<rect") == 4


def test_every_other_block_has_a_colour_of_its_own_in_python_and_on_the_page() -> None:
    assert set(glyphs.ZOO) == set(KINDS)
    assert len({*glyphs.ZOO.values(), BLUE, VERMILION}) == len(KINDS) + 2
    for kind, colour in glyphs.ZOO.items():
        drawing = svg(PAPER["next-vit-s"].replaced("C", kind))
        assert drawing.count(f'fill="{colour}"') == 16
        assert f"stage 3: 0 convolution, 2 transformer, 8 {kind}" in drawing
    card, state = (
        resources.files("results").joinpath(f"assets/page/{name}.js").read_text() for name in ("3-card", "1-state")
    )
    colours = ", ".join(f'{kind}: "{colour}"' for kind, colour in sorted(glyphs.ZOO.items()))
    assert f"const ZOO = {{ {colours} }};" in card
    assert f'return "{TRANSFORMERS}".includes(kind);' in state
