"""Random networks that keep the limits of a run, however tight these are."""

import pytest

from nas.search import drawing
from nas.search.config import Config
from nas.search.drawing import by_size, within_limits
from search_spaces.common.errors import NegativeAnswer
from tests.nas.test_cli import Program


@pytest.mark.parametrize(
    "limits",
    [("macs<=2.5G",), ("macs<=1.5G", "params<=9M"), ("macs>=20G",)],
    ids=", ".join,
)
def test_tight_limits_leave_enough_networks(limits: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 random networks two keep the first limit, and none the others."""
    monkeypatch.setattr(drawing, "DRAWS", 100)
    config = Config(limits=limits)
    networks = within_limits(config, 20, 0)
    assert len(set(networks)) == 20
    assert not any(config.beyond(network) for network in networks)
    assert within_limits(config, 20, 0) == networks
    others = within_limits(config, 20, 1, {network.id for network in networks})
    assert len(others) == 20
    assert not set(others) & set(networks)


def test_loose_limits_leave_random_networks() -> None:
    few, many = (within_limits(Config(limits=("macs<=20G",)), count, 0) for count in (5, 10))
    assert many[:5] == few
    sizes = [network.stages for network in by_size(Config())]
    assert len(set(sizes)) == drawing.SAMPLE


def test_limits_that_nothing_meets_name_the_nearest_network(nas: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as fewer:
        fewer.setattr(drawing, "DRAWS", 100)
        with pytest.raises(NegativeAnswer, match=r"keeps the limits macs<=1G; the nearest is C-C-C-C: macs 1.088 G"):
            within_limits(Config(limits=("macs<=1G",)), 20, 0)
    ended = nas("run", "--data", "digits", "--budget", "3", "--limit", "macs<=1G")
    assert ended.code == 1, ended.err
    assert "the nearest is C-C-C-C" in ended.err
    assert "loosen a limit" in ended.err
