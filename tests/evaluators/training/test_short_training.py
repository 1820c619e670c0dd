"""Short real training: it learns, repeats itself, keeps its schedule without memory, and says what its data lacks."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from evaluators.datasets.images import Head, Images
from evaluators.datasets.in_memory import load
from evaluators.training.short_training import Recipe, _loss, _share, batches, initialise, masked, train
from search_spaces.common.errors import MeasurementFailed
from search_spaces.nextvit.network import NextViT
from tests.networks import TINY

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


RECIPE = Recipe(epochs=6, learning_rate=0.004, batch_size=64)


@pytest.fixture(scope="module")
def digits() -> Images:
    return load("digits", 32, 400)


def network(images: Images, seed: int = 0) -> nn.Module:
    made = NextViT(TINY, num_classes=images.classes, drop_path_rate=0)
    initialise(made, seed)
    return made


def test_it_learns_and_repeats_itself(digits: Images) -> None:
    first, again = (train(network(digits), digits, RECIPE) for _ in range(2))
    assert first.accuracy > 0.6
    assert first.skill == pytest.approx((first.accuracy - digits.heads[0].chance) / (1 - digits.heads[0].chance))
    assert (first.accuracies, first.curve) == (again.accuracies, again.curve)
    assert first.curve[-1]["loss"] < first.curve[0]["loss"]
    assert first.samples == 6 * 400


def test_another_seed_is_another_training(digits: Images) -> None:
    short = replace(RECIPE, epochs=1)
    first = train(network(digits), digits, short)
    other = train(network(digits, seed=1), digits, replace(short, seed=1))
    assert first.curve != other.curve


class Forgetful(nn.Module):
    """Runs out of memory for more than so many images at a time, as a GPU would."""

    def __init__(self, inner: nn.Module, most: int) -> None:
        super().__init__()
        self.inner, self.most = inner, most

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.inner(x)


def test_without_memory_the_batch_shrinks_and_the_schedule_stays(digits: Images) -> None:
    short = replace(RECIPE, epochs=2)
    outcome = train(Forgetful(network(digits), 20), digits, short)
    assert outcome.microbatch == 16
    assert outcome.notes == ("trained 16 images at a time for want of memory",)
    assert outcome.samples == 2 * 400
    assert len(outcome.curve) == 2


def test_without_any_memory_the_candidate_fails(digits: Images) -> None:
    with pytest.raises(MeasurementFailed, match="not even two images fit"):
        train(Forgetful(network(digits), 1), digits, replace(RECIPE, epochs=1))


def test_a_training_that_diverges_fails(digits: Images) -> None:
    made = network(digits)
    with torch.no_grad():
        made.head.fc.weight.fill_(float("nan"))
    with pytest.raises(MeasurementFailed, match="diverged"):
        train(made, digits, replace(RECIPE, epochs=1))


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    shares = [_share(step, 100, 0.1) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == shares[9] == 1
    assert shares[100] == 0
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[55] == pytest.approx(0.5)


def test_light_augmentation_shows_every_image_once_an_epoch(digits: Images) -> None:
    seen = torch.cat([labels for _, labels in batches(digits, 64, torch.Generator().manual_seed(0))])
    assert torch.equal(seen.sort().values, digits.train_labels.sort().values)
    x, _ = next(iter(batches(digits, 64, torch.Generator().manual_seed(0))))
    assert x.shape == (64, 3, 32, 32)
    assert x.dtype == torch.uint8


def test_an_image_asks_one_head_only() -> None:
    """Two heads of 2 and 3 answers: the loss of an image of the first does not see the other's logits."""
    images = Images(
        name="two",
        identity="",
        heads=(Head(name="a", first=0, classes=2, chance=0.5), Head(name="b", first=2, classes=3, chance=1 / 3)),
        train_pixels=torch.empty(0),
        train_labels=torch.empty(0),
        valid_pixels=torch.empty(0),
        valid_labels=torch.empty(0),
        mirrors=False,
    )
    logits, labels = torch.tensor([[1.0, 2.0, 99.0, 0.0, 0.0], [99.0, 0.0, 1.0, 2.0, 3.0]]), torch.tensor([1, 4])
    assert masked(logits, labels, images).argmax(1).tolist() == [1, 4]
    own = [-torch.log_softmax(torch.tensor(part), 0) for part in ([1.0, 2.0], [1.0, 2.0, 3.0])]
    expected = (own[0][1] + own[1][2]) / 2
    assert float(_loss(logits, labels, images, 0.0)) == pytest.approx(float(expected))
    smooth = sum(0.9 * part[-1] + 0.1 * part.mean() for part in own) / 2
    assert float(_loss(logits, labels, images, 0.1)) == pytest.approx(float(smooth))
    assert images.skill({"a": 0.75, "b": 1 / 3}) == pytest.approx(0.25)
