"""Our networks as timm models: what timm itself, its users and its scripts ask of a model."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import timm.optim
import torch
from safetensors.torch import save_file
from timm.models import group_parameters, reparameterize_model, save_for_hf
from torch import Tensor, nn

from search_spaces import PAPER, Architecture
from search_spaces.common.errors import InvalidArchitecture, NasError, UnknownName, UsageError
from search_spaces.nextvit import timm_models
from search_spaces.nextvit.network import NextViT
from tests.networks import WHOLE, built, lively, small

SMALL = small(("C", "C", "CT", "C"))
CHANNELS = [64, 64, 192, 128]


def create(arch: object = SMALL, **options: Any) -> Any:
    return timm.create_model("nextvit_nas", arch=arch, **options)


def images(side: int = 32, channels: int = 3) -> Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(0))


def close(ours: Any, theirs: Any) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are far quicker on one thread, above all beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def ours() -> NextViT:
    """The network without timm, in evaluation mode."""
    return built(SMALL)


@pytest.fixture
def weights(ours: NextViT, tmp_path: Path) -> Path:
    """A file with the weights of `ours`."""
    save_file(ours.state_dict(), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.fixture
def model(weights: Path) -> Any:
    """The timm model with the weights of `ours`, in evaluation mode."""
    return create(num_classes=10, checkpoint_path=weights).eval()


@pytest.mark.parametrize("architecture", WHOLE.values(), ids=WHOLE)
def test_the_same_weights_give_the_same_logits(architecture: Architecture) -> None:
    network, model = built(architecture), create(architecture, num_classes=10).eval()
    assert list(model.state_dict()) == list(network.state_dict())
    model.load_state_dict(network.state_dict())
    with torch.no_grad():
        close(model(images(64)), network(images(64)))


def test_next_vit_s_is_timms_own() -> None:
    theirs, model = lively(timm.create_model("nextvit_small").eval()), create("next-vit-s").eval()
    model.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        close(model(images(64)), theirs(images(64)))
        for options in ({"norm": True}, {"indices": 2}, {"indices": [2, 0], "stop_early": True}):
            close(model.forward_intermediates(images(), **options), theirs.forward_intermediates(images(), **options))
    features = {"features_only": True, "device": "meta"}
    names = [list(timm.create_model(name, **features).state_dict()) for name in ("nextvit_nas", "nextvit_small")]
    assert names[0] == names[1]
    for coarse in (False, True):
        groups = [group_parameters(each, each.group_matcher(coarse)) for each in (model, theirs)]
        assert groups[0] == groups[1]
    described = ("feature_info", "num_classes", "num_features", "head_hidden_size", "in_chans")
    assert all(getattr(model, name) == getattr(theirs, name) for name in described)
    assert {**theirs.default_cfg, **model.default_cfg, "architecture": "nextvit_small"} == theirs.default_cfg


def test_arch_may_be_given_in_many_ways(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text(SMALL.to_json())
    for arch in (SMALL, SMALL.to_dict(), json.loads(SMALL.to_json()), path, str(path)):
        assert create(arch, device="meta").architecture == SMALL
    assert create("C-ct-C-T", device="meta").architecture == Architecture.from_notation("C-CT-C-T")
    assert create("Next-ViT-B", device="meta").architecture == PAPER["next-vit-b"]
    assert timm.create_model("nextvit_nas", device="meta").architecture == PAPER["next-vit-s"]


@pytest.mark.parametrize(
    ("arch", "error", "told"),
    [
        ("next-vit-x", UnknownName, "did you mean 'next-vit-s'"),
        ("CCC-CCT", InvalidArchitecture, "expected four groups"),
        ("C" * 300 + "-C-C-C", InvalidArchitecture, "300 blocks in one stage"),
        ({"stages": []}, InvalidArchitecture, "schema: expected"),
        (7, InvalidArchitecture, "expected a JSON object, got 7"),
        ("missing.json", UsageError, r"'missing.json' cannot be read: .*No such file"),
        (__file__, InvalidArchitecture, "not JSON"),
    ],
)
def test_a_bad_arch_is_explained_in_our_words(arch: object, error: type[NasError], told: str) -> None:
    with pytest.raises(error, match=told):
        create(arch)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="depths"):
        create(depths=(1, 1, 1, 1))


@pytest.mark.parametrize("kind", ["list", "hook", "getter"])
def test_features_only_gives_the_features_of_the_network(ours: NextViT, weights: Path, kind: str) -> None:
    trained = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(weights), "num_classes": 10}}
    model = create(features_only=True, out_indices=(1, 3), feature_cls=kind, **trained).eval()
    assert (model.feature_info.channels(), model.feature_info.reduction()) == ([64, 128], [8, 32])
    with torch.no_grad():
        close(list(model(images(33))), ours.features(images(33))[1::2])
    assert create(features_only=True, device="meta").feature_info.channels() == CHANNELS


@torch.no_grad()
def test_intermediates_are_the_features_of_the_network(ours: NextViT, model: Any) -> None:
    maps = ours.features(images())
    normed = ours.norm(maps[-1])
    close(model.forward_intermediates(images()), (normed, maps))
    close(model.forward_intermediates(images(), norm=True), (normed, [*maps[:-1], normed]))
    close(model.forward_intermediates(images(), indices=2, intermediates_only=True), maps[2:])
    close(model.forward_intermediates(images(), indices=[-1, 0], intermediates_only=True), [maps[0], maps[3]])
    with pytest.raises(AssertionError, match="out of range"):
        model.forward_intermediates(images(), indices=[4])
    with pytest.raises(ValueError, match="output_fmt is 'NLC'"):
        model.forward_intermediates(images(), output_fmt="NLC")
    model.stages[2] = nn.Identity()
    model.stages[2].register_forward_pre_hook(lambda *_: pytest.fail("a stage after the last chosen one ran"))
    close(model.forward_intermediates(images(), indices=[1], norm=True, stop_early=True), (maps[1], [maps[1]]))


@torch.no_grad()
@pytest.mark.parametrize("last", range(4))
def test_pruning_leaves_what_the_selected_stages_need(ours: NextViT, model: Any, last: int) -> None:
    assert model.prune_intermediate_layers([last], prune_norm=True) == [last]
    assert (len(model.stages), model.num_features, model.num_classes) == (last + 1, CHANNELS[last], 0)
    close(model(images()), ours.features(images())[last])
    model.reset_classifier(5, "avg")
    assert model(images()).shape == (2, 5)


@torch.no_grad()
def test_pruning_may_spare_norm_and_head(ours: NextViT, model: Any) -> None:
    model.prune_intermediate_layers(1, prune_head=False)
    close(model(images()), ours(images()))


@torch.no_grad()
def test_the_head_pools_and_classifies_as_asked(ours: NextViT, model: Any) -> None:
    features = model.forward_features(images(64))
    pooled = features.mean((2, 3))
    close(model.forward_head(features, pre_logits=True), pooled)
    close(model.forward_head(features), ours(images(64)))
    for classes, pooling, width in ((5, "max", 128), (5, "catavgmax", 256), (0, "avg", 128)):
        model.reset_classifier(classes, pooling)
        assert (model.num_classes, model.num_features, model.head_hidden_size) == (classes, 128, width)
        assert model(images(64)).shape == (2, classes or width)
    close(model(images(64)), pooled)
    close(create(num_classes=0, global_pool="").eval().forward_head(features), features)


def test_a_new_classifier_is_as_the_rest_of_the_network() -> None:
    model = create(num_classes=0, dtype=torch.float64).eval()
    assert isinstance(model.get_classifier(), nn.Identity)
    model.reset_classifier(500)
    classifier = model.get_classifier()
    assert not classifier.training
    assert classifier.weight.dtype == torch.float64
    assert classifier.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not classifier.bias.any()


def test_options_reach_the_network() -> None:
    model = create(in_chans=1, drop_rate=0.3, drop_path_rate=0.4, num_classes=7)
    assert (model.in_chans, model.head.drop.p, model.no_weight_decay()) == (1, 0.3, set())
    assert model.stages[-1].blocks[-1].mlp_drop_path.rate == pytest.approx(0.4)
    assert model(images(channels=1)).shape == (2, 7)


def test_checkpointed_blocks_run_twice_for_the_same_gradients() -> None:
    model, runs = create(num_classes=4, drop_path_rate=0.0), []
    model.stages[2].blocks[1].register_forward_pre_hook(lambda *_: runs.append(1))
    gradients = []
    for checkpointed in (False, True):
        model.set_grad_checkpointing(checkpointed)
        model.zero_grad()
        model(images()).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    assert len(runs) == 1 + 2
    torch.testing.assert_close(*gradients)


def test_learning_rates_decay_by_block() -> None:
    model = create(num_classes=4, device="meta")
    groups = timm.optim.create_optimizer_v2(model, opt="adamw", weight_decay=0.05, layer_decay=0.5).param_groups
    scales = {id(parameter): group["lr_scale"] for group in groups for parameter in group["params"]}
    path = [model.stem[0].conv, *(stage.blocks[-1].mlp.fc2 for stage in model.stages), model.head.fc]
    assert [scales[id(layer.weight)] for layer in path] == [2.0**-power for power in (6, 5, 4, 2, 1, 0)]
    assert {group["weight_decay"] for group in groups if group["params"][0].ndim <= 1} == {0.0}


@torch.no_grad()
def test_reparameterizing_with_timm_changes_no_logits(ours: NextViT, model: Any) -> None:
    merged = reparameterize_model(model)
    assert len(list(merged.parameters())) < len(list(model.parameters()))
    close(merged(images()), ours(images()))


def test_weights_without_an_address_are_refused() -> None:
    with pytest.raises(RuntimeError, match="No pretrained weights exist for nextvit_nas"):
        create(pretrained=True)


PREPARATION = {"resolution": 96, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.1), "crop_pct": 0.9}


@torch.no_grad()
def test_a_folder_for_the_hugging_face_hub_is_a_model(ours: NextViT, weights: Path) -> None:
    names = [f"class {index}" for index in range(10)]
    config = timm_models.hugging_face_config(SMALL, num_classes=10, label_names=names, **PREPARATION)
    (weights.parent / "config.json").write_text(json.dumps(config))
    model = timm.create_model(f"local-dir:{weights.parent}", pretrained=True).eval()
    close(model(images()), ours(images()))
    data = timm.data.resolve_model_data_config(model)
    assert [data[name] for name in ("input_size", "crop_pct", "mean")] == [[3, 96, 96], 0.9, [0.5, 0.4, 0.3]]
    assert model.pretrained_cfg["label_names"] == names
    assert (model.pretrained_cfg["pool_size"], config["num_features"]) == ([3, 3], 128)
    other = timm.create_model(f"local-dir:{weights.parent}", pretrained=True, num_classes=3, in_chans=1).eval()
    close(other.forward_features(images(channels=1)), model.forward_features(images(channels=1).expand(2, 3, 32, 32)))
    assert other(images(channels=1)).shape == (2, 3)


def test_labels_may_be_left_out() -> None:
    config = timm_models.hugging_face_config(SMALL, num_classes=10, **PREPARATION)
    assert list(config) == ["architecture", "num_classes", "num_features", "model_args", "pretrained_cfg"]


@torch.no_grad()
def test_what_timm_saves_for_the_hub_is_a_model(ours: NextViT, model: Any, tmp_path: Path) -> None:
    save_for_hf(model, str(tmp_path), model_args={"arch": model.architecture.to_dict()}, safe_serialization=True)
    close(timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()(images()), ours(images()))


SCRIPT = """
import argparse, pickle, sys
import timm
from timm.utils import ParseKwargs
import neighbour
parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--model-kwargs", nargs="*", action=ParseKwargs)
arguments = parser.parse_args()
model = timm.create_model(arguments.model, num_classes=4, **arguments.model_kwargs)
import search_spaces.nextvit.timm_models
print(__name__, sys.argv[0], pickle.loads(pickle.dumps(model)).architecture.id)
"""


def test_any_script_may_be_run_with_the_model(tmp_path: Path) -> None:
    for name, text in {"train.py": SCRIPT, "neighbour.py": "", "network.json": SMALL.to_json()}.items():
        (tmp_path / name).write_text(text)
    program = [sys.executable, "-m", "search_spaces.nextvit.timm_models"]
    arguments = ["train.py", "--model", "nextvit_nas", "--model-kwargs", "arch=network.json"]
    ended = subprocess.run([*program, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, f"__main__ train.py {SMALL.id}\n"), ended.stderr
    assert "Overwriting" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "told"), [([], "usage: "), (["missing.py"], "there is no script 'missing.py'\n")]
)
def test_a_missing_script_is_reported_with_the_usage(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert timm_models.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert "usage: python -m search_spaces.nextvit.timm_models SCRIPT.py" in said


@pytest.mark.filterwarnings("ignore:`torch.jit.script`", "ignore:.*TorchScript:UserWarning")
@pytest.mark.parametrize("compiled", [torch.jit.script, torch.fx.symbolic_trace])
@pytest.mark.parametrize("architecture", WHOLE.values(), ids=WHOLE)
@torch.no_grad()
def test_it_can_be_scripted_and_traced(architecture: Architecture, compiled: Any) -> None:
    model = create(architecture, num_classes=10).eval()
    close(compiled(model)(images(64)), model(images(64)))
