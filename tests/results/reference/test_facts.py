"""Published facts: every row is whole, and what is made of them is what the sources say."""

import csv

import pytest

from results.reference import facts as reference
from results.reference.facts import DATA, SIZES, accuracies, accuracy, facts, latencies, ratios, settings, sources
from results.reference.tables import across_devices, timm, training_curves
from search_spaces.common.errors import Unavailable


def test_every_fact_has_a_unit_a_source_and_a_place() -> None:
    assert len(facts()) > 300
    for fact in facts():
        assert fact.value > 0 and fact.source.title and str(fact)
        assert (fact.setting is not None) or fact.metric not in ("latency", "throughput"), fact
        assert fact.unit or "AP" in fact.metric, fact
    assert len(facts()) == len(set(facts())), "a fact stands twice"


def test_no_source_and_no_setting_is_idle() -> None:
    table = set(across_devices().times) | set(timm().times)
    assert {fact.source.key for fact in facts()} == set(sources())
    assert {fact.setting.key for fact in facts() if fact.setting} | table == set(settings())


def test_the_paper_s_networks_as_its_readme_has_them() -> None:
    assert [accuracy(model).value for model in SIZES] == [82.5, 83.2, 83.6]
    assert [accuracy(model, 384).value for model in SIZES] == [83.6, 84.3, 84.7]
    assert accuracy("next-vit-s", 512) is None
    assert [fact.evidence for fact in accuracies("next-vit-s")] == ["official", "timm"], "the strongest first"
    times = {fact.setting.key: fact for fact in latencies("next-vit-s")}
    assert (times["t4-trt8"].value, times["iphone12-coreml5"].value) == (7.7, 3.5)
    assert times["4090-compiled"].value == pytest.approx(1000 / 5230.17)
    assert (times["4090-compiled"].evidence, times["4090-compiled"].unit) == ("calculated", "ms")


def test_ratios_are_told_with_their_device() -> None:
    assert str(ratios()["t4-trt8"]) == "1 : 1.36 : 1.69 on a T4"
    assert str(ratios(384)["iphone12-coreml5"]) == "1 : 1.39 : 1.71 on an iPhone 12 Pro Max"
    assert {"v100-trt8-b1", "v100-trt8-b8"} <= set(ratios(None)), "Paddle publishes no resolution"
    assert "hailo10h-b1" not in ratios(None), "nothing is published of L there"


def test_throughput_that_timm_publishes_twice_is_equal_in_both_tables() -> None:
    table = across_devices()
    for model, name in zip(SIZES, ("nextvit_small", "nextvit_base", "nextvit_large"), strict=True):
        for size in (224, 384):
            for fact in latencies(model, size):
                if fact.setting.key in table.times:
                    value = table.times[fact.setting.key][table.row(name, size)]
                    assert value == pytest.approx(fact.value, rel=2e-3), fact


def test_tables_hold_what_they_say() -> None:
    assert {len(curve) for curve in training_curves().top1.values()} == {300}
    table = timm()
    assert table.model[table.row("nextvit_small.bd_in1k")] == "nextvit_small.bd_in1k"
    assert table.labels_alone[table.row("nextvit_small.bd_in1k")]
    assert not table.labels_alone[table.row("nextvit_small.bd_ssld_6m_in1k")], "a teacher labelled more images"


def test_the_files_are_small() -> None:
    for path, most in {"timm.csv": 150_000, "training_curves.csv": 30_000, "published.csv": 40_000}.items():
        assert (DATA / path).stat().st_size < most, path


@pytest.mark.parametrize("harm", [lambda text: text.replace("official", "hearsay"), lambda text: text[:-7], None])
def test_a_damaged_file_is_named(harm, tmp_path, monkeypatch) -> None:
    for path in DATA.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    if harm:
        (tmp_path / "published.csv").write_text(harm((DATA / "published.csv").read_text()))
    else:
        (tmp_path / "published.csv").unlink()
    monkeypatch.setattr(reference, "DATA", tmp_path)
    facts.cache_clear()
    try:
        with pytest.raises(Unavailable, match=r"'published.csv' is damaged"):
            facts()
    finally:
        monkeypatch.undo()
        facts.cache_clear()


def test_columns_are_those_of_the_reader() -> None:
    for name in ("published.csv", "figure.csv"):
        lines = [line for line in (DATA / name).read_text().splitlines() if not line.startswith("#")]
        assert {len(row) for row in csv.reader(lines)} == {len(reference.COLUMNS)}
        assert tuple(next(csv.reader(lines))) == reference.COLUMNS
