"""Weights from files and from other networks: what is taken, by which rule, and what is refused."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer, Unavailable, UsageError
from search_spaces.nextvit.network import NextViT
from search_spaces.nextvit.weights import from_timm, inherit, read

SMALL = Architecture.from_notation("C-CT-CCT-C")


def network(notation: str = str(SMALL), num_classes: int = 5, seed: int = 0) -> NextViT:
    torch.manual_seed(seed)
    built = NextViT(Architecture.from_notation(notation), num_classes=num_classes).eval()
    for name, value in built.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_()
    return built


def test_a_network_of_the_same_shape_takes_everything(tmp_path: Path) -> None:
    first, second = network(), network(seed=1)
    save_file(first.state_dict(), tmp_path / "w.safetensors")
    found = inherit(second, read(str(tmp_path / "w.safetensors")))
    assert found.part == found.fresh == found.unused == ()
    assert "all" in found.summary
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(first(images), second(images), rtol=0, atol=0)


def test_blocks_inherit_by_kind_from_the_end_of_the_stage() -> None:
    source, target = network("C-CT-CCT-C"), network("C-CT-CCCCT-C", seed=1)
    found = inherit(target, source.state_dict())
    theirs, ours = source.stages[2].blocks, target.stages[2].blocks
    for mine, other in ((0, 0), (3, 1), (4, 2)):
        torch.testing.assert_close(ours[mine].state_dict(), theirs[other].state_dict())
    fresh = {name.split(".")[3] for name in found.fresh}
    assert fresh == {"1", "2"}, "the blocks without a counterpart"


def test_a_first_block_of_another_kind_is_no_counterpart() -> None:
    found = inherit(network("C-C-TC-C", seed=1), network("C-C-CT-C").state_dict())
    assert not {name for name in found.whole if name.startswith("stages.2.blocks.0.patch_embed")}


def test_another_width_is_taken_in_its_leading_part() -> None:
    wide = Architecture.from_dict(SMALL.to_dict() | {"conv_mlp_ratio": 4.0})
    source, target = network(), NextViT(wide, num_classes=5)
    found = inherit(target, source.state_dict())
    name = "stages.0.blocks.0.mlp.fc1.weight"
    assert name in found.part
    torch.testing.assert_close(target.state_dict()[name][: 3 * 96], source.state_dict()[name])
    assert found.parameters == sum(value.numel() for value in source.state_dict().values())


def test_another_number_of_classes_leaves_the_classifier_fresh() -> None:
    found = inherit(network(num_classes=7), network().state_dict())
    assert found.fresh == ("head.fc.weight", "head.fc.bias")
    assert found.unused == ("head.fc.weight", "head.fc.bias")


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(UsageError, match="weights of another network: none of their 2 tensors fits"):
        inherit(network(), torch.nn.Linear(3, 3).state_dict())


def test_a_pickle_is_read_only_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save({"model": {f"module.{name}": value for name, value in network().state_dict().items()}}, path)
    with pytest.raises(UsageError, match="is a pickle"):
        read(str(path))
    assert not inherit(network(seed=1), read(str(path), allow_pickle=True)).fresh


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, ("never-opened",))


@pytest.mark.parametrize("kind", ["cut off", "code", "no weights", "cut off pickle"])
def test_damaged_files_are_said_plainly(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("w.safetensors" if kind == "cut off" else "w.pth")
    if kind == "cut off":
        save_file(network().state_dict(), path)
    else:
        torch.save({"code": Evil(), "no weights": {"epoch": 3}}.get(kind, network().state_dict()), path)
    if kind.startswith("cut off"):
        path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(NegativeAnswer, match=r"cannot be read|holds no weights"):
        read(str(path), allow_pickle=True)


@pytest.mark.parametrize("name", ["nothing.safetensors", "README.md", "."])
def test_what_is_no_file_of_weights_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        read(name)


def test_timms_weights_are_taken_when_the_hub_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, asked = network(), []
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: asked.append((name, pretrained)) or theirs)
    assert torch.equal(from_timm("nextvit_small.bd_in1k_384")["head.fc.weight"], theirs.state_dict()["head.fc.weight"])
    assert asked == [("nextvit_small.bd_in1k_384", True)]


def test_an_unreachable_hub_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to 'https://huggingface.co'\nand so on")

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(Unavailable, match=r"'nextvit_small.bd_in1k' could not be loaded: OSError: We couldn't connect"):
        from_timm("nextvit_small.bd_in1k")
