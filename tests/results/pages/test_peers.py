"""Pages and figures of runs with networks of other families, which have a name and no blocks of ours."""

from results import figures, front, rules
from results.glyphs import glyph, labelled, spoken, svg
from results.pages import comparison, dashboard, health
from results.store.record import Run
from results.tables import frame
from search_spaces import TimmNetwork
from tests import synthetic

PEER = TimmNetwork(model="fastvit_sa24")


def mixed() -> Run:
    """The typical run, with a network of another family on its front."""
    return synthetic.run(
        [*synthetic.typical().trials, synthetic.trial(9, 4.65, 35.0, architecture=PEER, anchor="fastvit_sa24")]
    )


def alone() -> Run:
    """Other families alone."""
    networks = [TimmNetwork(model=name) for name in ("fastvit_t8", "fastvit_t12", "fastvit_s12")]
    return synthetic.run(
        [
            synthetic.trial(
                number, 4 + number / 10, 40 + number, architecture=each, anchor=each.model if not number else ""
            )
            for number, each in enumerate(networks)
        ],
        space="gone",
    )


def test_every_figure_and_page_bears_them() -> None:
    for run in (mixed(), alone()):
        for name in ("pareto", *figures.views()):
            figures.draw(name, figures.info(name, run))
        assert "timm:fastvit_" in dashboard.page(run)
        assert list(health.sentences(run)) and rules.rules(run).summary
        assert len(frame(run)) == len(run.trials)


def test_they_stand_on_the_front_beside_ours() -> None:
    run = mixed()
    assert 9 in [trial.number for trial in front.front(run)]
    assert figures.info("pareto", run).whose == "the anchors'"
    assert front.anchor_names(run) == "the paper's networks and fastvit_sa24"
    assert "fastvit" not in str(figures.info("strategy", run))
    assert figures.info("strategy", alone()).summary.startswith("The front holds no network of the Next-ViT family.")


def test_fronts_of_two_families_are_compared() -> None:
    found = comparison.compare(mixed(), alone())
    assert "times what the paper's networks and fastvit_sa24 cover" in found.sentence
    assert "timm:fastvit_t12" in comparison.page(found)


def test_a_name_stands_in_place_of_marks() -> None:
    assert (glyph(PEER), spoken(PEER), labelled(PEER)) == ("", "timm:fastvit_sa24", "timm:fastvit_sa24")
    assert ">timm:fastvit_sa24</text>" in svg(PEER)


def test_stages_that_options_name_have_marks() -> None:
    options = {"depths": (2, 1, 3, 1), "dims": (64, 128, 320, 512), "token_mixers": ("C", "C", "A", "C")}
    assert glyph(TimmNetwork(model="caformer_s18", options=tuple(options.items()))) == "▖▖ ▖ ▌▌▌ ▖"
