"""What published results say of networks of other families, whose own results they may hold."""

import pytest

import evaluators
from evaluators.prediction.published_prediction import predict, predictions
from evaluators.prediction.published_table import table
from search_spaces import PAPER, TimmNetwork

MIXERS = ("C", "C", "C", "A")
RELATIVE = TimmNetwork(
    model="caformer_s18",
    options=(("depths", (3, 3, 9, 3)), ("dims", (64, 128, 320, 512)), ("token_mixers", MIXERS)),
)


def test_a_published_network_is_predicted_without_its_own_result() -> None:
    done = predict(TimmNetwork(model="resnet18"))
    assert done.published.startswith("published: 7") and "(resnet18." in done.published
    assert done.left_out == table().architecture.count("resnet18") > 0
    assert done.remarks[0] == f"{done.published}; predicted without that result"
    assert table().without("resnet18").architecture.count("resnet18") == 0


def test_a_relative_of_a_published_network_is_predicted_with_all_results() -> None:
    done = predict(RELATIVE)
    assert (done.published, done.left_out) == ("", 0)
    assert 80 < done.mean < 86


def test_many_networks_are_predicted_as_one_by_one() -> None:
    many = [PAPER["next-vit-s"], TimmNetwork(model="resnet18"), RELATIVE]
    assert [each.mean for each in predictions(many)] == pytest.approx([predict(each).mean for each in many])


def test_the_measurement_says_it() -> None:
    measurement = evaluators.get("published").measure(TimmNetwork(model="resnet18"))
    assert any("predicted without that result" in warning for warning in measurement.warnings)
    assert measurement.samples == len(table().model) - table().architecture.count("resnet18")
