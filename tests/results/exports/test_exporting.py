"""Exports: every format gives the network's logits, and an export that does not leaves nothing behind."""

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import search_spaces
from results import exports
from results.exports.common import exporting, standalone, verification
from results.exports.common.deliverable import Deliverable
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import NegativeAnswer, Unavailable, UnknownName, UsageError
from search_spaces.nextvit.network import NextViT
from tests.evaluators.targets.test_gpu import stand_ins  # noqa: F401, a fixture
from tests.networks import CORNERS, EVERY, EVERYTHING, built, random_networks

GOLDEN = Path(__file__).parents[2] / "golden"


def deliverable(architecture: Architecture = CORNERS["half"], **fields: Any) -> Deliverable:
    return Deliverable(network=built(architecture), **{"resolution": 64, **fields})


def anchors(space: str) -> set[str]:
    return set(search_spaces.get(space).anchors())


BOTH = [(name, "fp32") for name in exports.names()]
BOTH += [(name, "fp16") for name in exports.names() if exports.has_precision(name)]


@pytest.mark.parametrize(("name", "precision"), BOTH)
def test_every_format_answers_as_the_network_does(name: str, precision: str, tmp_path: Path) -> None:
    original = deliverable(precision=precision)
    (artefact,) = exporting.export(original, [name], tmp_path / "out")
    assert {"README.md", "architecture.svg", *artefact.files} == {path.name for path in (tmp_path / "out").iterdir()}
    assert artefact.verdict.startswith("the network's logits on 2 random images and 2 photographs")


ARRAYS = '''"""The weights as NumPy's arrays."""

import numpy as np

FILES = ("weights.npz",)
LOADING = ("python", "np.load('weights.npz')")


def write(what, folder):
    np.savez(folder / FILES[0], **{name: value.numpy() for name, value in what.network.state_dict().items()})


def answers(what, folder, batches):
    import torch

    weights = {name: torch.from_numpy(value) for name, value in np.load(folder / FILES[0]).items()}
    what.network.load_state_dict(weights)
    return [what.network(torch.from_numpy(images)).detach().numpy() for images in batches]
'''


def test_a_format_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "to_arrays.py").write_text(ARRAYS)
    monkeypatch.setattr(exports, "__path__", [*exports.__path__, str(tmp_path)])
    assert "arrays" in exports.names()
    (artefact,) = exporting.export(deliverable(), ["arrays"], tmp_path / "out")
    assert artefact.files == ("weights.npz",) and "exactly" in artefact.verdict
    assert "weights.npz" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("corner", sorted(set(EVERY) - {"half"}))
def test_corners_of_the_family_are_handed_over(corner: str, tmp_path: Path) -> None:
    original = deliverable(EVERY[corner])
    reference = verification.Reference(original)
    for name in ("onnx", "coreml"):
        exports.get(name).write(original, tmp_path)
        reference.check(name, exports.get(name).answers(original, tmp_path, reference.images), "fp32")


@pytest.mark.slow
@pytest.mark.parametrize("space", [name for name in search_spaces.names() if PAPER.keys() <= anchors(name)])
@pytest.mark.parametrize(("name", "precision"), BOTH)
def test_fifty_random_networks_in_every_format(space: str, precision: str, name: str) -> None:
    module = exports.get(name)
    for architecture in random_networks(50, space, seed=7):
        original = deliverable(architecture, precision=precision)
        reference = verification.Reference(original)
        with tempfile.TemporaryDirectory() as folder:  # fifty networks at once are gigabytes
            module.write(original, Path(folder))
            reference.check(name, module.answers(original, Path(folder), reference.images), precision)


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_a_batch_of_any_size(name: str, tmp_path: Path) -> None:
    original = deliverable(batch=0)
    exporting.export(original, [name], tmp_path / "out")
    batches = [np.random.default_rng(1).standard_normal((size, 3, 64, 64), dtype=np.float32) for size in (1, 5)]
    answers = exports.get(name).answers(original, tmp_path / "out", batches)
    for images, given in zip(batches, answers, strict=True):
        np.testing.assert_allclose(given, original.network(torch.from_numpy(images)).detach().numpy(), atol=1e-4)


def test_core_ml_with_images_and_labels(tmp_path: Path) -> None:
    """Colours from 0 to 255 go in, one of the labels comes out."""
    import coremltools

    labels = tuple("abcdefghij")
    exporting.export(deliverable(image_input=True, labels=labels), ["coreml"], tmp_path / "out")
    package = str(tmp_path / "out" / "model.mlpackage")
    description = coremltools.models.MLModel(package, skip_model_load=True).get_spec().description
    assert description.input[0].type.WhichOneof("Type") == "imageType"
    assert description.predictedFeatureName == "classLabel"
    assert json.loads(description.metadata.userDefined["labels"]) == list(labels)


def test_core_ml_refuses_a_batch_of_any_size(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="batch of a fixed size"):
        exporting.export(deliverable(batch=0), ["config", "coreml"], tmp_path / "out")
    assert not list(tmp_path.iterdir()), "nothing is left of the formats before it"


def test_the_module_needs_torch_alone(tmp_path: Path) -> None:
    """In a process that has no path to our packages, and by what it imports."""
    original = deliverable()
    exporting.export(original, ["python"], tmp_path / "out")
    source = (tmp_path / "out" / "model.py").read_text()
    imports = {
        alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names
    }
    modules = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert imports | modules == {"torch", "torch.nn.functional", "collections", "dataclasses"}
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'out')!r}); import model, torch\n"
        "from safetensors.torch import load_file\n"
        f"network = model.create(); network.load_state_dict(load_file({str(tmp_path / 'out/model.safetensors')!r}))\n"
        "print(network.eval()(torch.ones(1, 3, 64, 64)).tolist())\n"
        "assert not {'nas', 'search_spaces', 'timm'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    expected = original.network(torch.ones(1, 3, 64, 64))
    torch.testing.assert_close(torch.tensor(json.loads(done.stdout)), expected.detach(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["python", "timm", "torch"])
def test_other_blocks_and_variants_are_handed_over(name: str, tmp_path: Path) -> None:
    (artefact,) = exporting.export(deliverable(EVERYTHING), [name], tmp_path / "out")
    assert artefact.verdict.startswith("the network's logits on 2 random images and 2 photographs")


@pytest.mark.parametrize("architecture", [CORNERS["half"], EVERYTHING], ids=str)
def test_the_module_is_formatted_and_clean(architecture: Architecture, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(standalone.source(deliverable(architecture)))
    asked = [sys.executable, "-m", "ruff", "check", "--line-length=160", "--isolated", path]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_answers_otherwise_is_refused_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx_format = exports.get("onnx")
    monkeypatch.setattr(
        onnx_format, "answers", lambda original, folder, batches: [np.ones((len(images), 10)) for images in batches]
    )
    with pytest.raises(NegativeAnswer, match="onnx differs from the network by"):
        exporting.export(deliverable(), ["config", "onnx"], tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    exporting.export(deliverable(), ["config", "onnx"], tmp_path / "out")
    with pytest.raises(UsageError, match=r"out' exists\n.*--force"):
        exporting.export(deliverable(), ["config"], tmp_path / "out")
    exporting.export(deliverable(), ["config"], tmp_path / "out", force=True)
    assert not (tmp_path / "out" / "model.onnx").exists(), "nothing of another network stays behind"


def test_a_folder_with_files_of_others_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    with pytest.raises(UsageError, match=r"holds files that no export wrote: mine.txt"):
        exporting.export(deliverable(), ["config"], tmp_path / "out", force=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "precious"


def test_no_format_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format was named"):
        exporting.export(deliverable(), [], tmp_path / "out")


@pytest.mark.parametrize(
    ("formats", "name"),
    [(["config"], "a.json"), (["config"], "a.yaml"), (["onnx"], "a.onnx"), (["coreml"], "a.mlpackage")],
)
def test_one_format_goes_into_the_file_that_is_named(formats: list[str], name: str, tmp_path: Path) -> None:
    exporting.export(deliverable(), formats, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_formats_do_not_fit_into_one_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="need a folder"):
        exporting.export(deliverable(), ["config", "onnx"], tmp_path / "a.onnx")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NegativeAnswer, match="was not written"):
        exporting.export(deliverable(), ["config"], tmp_path / "file" / "out")


def test_an_unknown_format_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no format is called 'onxx'\n.*did you mean 'onnx'"):
        exports.get("onxx")


def test_a_file_tells_what_it_is(tmp_path: Path) -> None:
    """The metadata of an ONNX file is enough to build the network again."""
    original = deliverable(labels=tuple("abcdefghij"), provenance={"run": "nhs-1", "trial": 42})
    exporting.export(original, ["onnx"], tmp_path / "m.onnx")
    metadata = {item.key: item.value for item in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert Architecture.from_json(metadata["architecture"]) == original.architecture
    assert json.loads(metadata["labels"]) == list(original.labels)
    assert json.loads(metadata["provenance"])["trial"] == 42


def test_the_card_tells_numbers_with_intervals_and_devices(tmp_path: Path) -> None:
    measured = {"value": 38.2, "low": 38.0, "high": 38.5, "unit": "ms", "kind": "measured", "device": "a chip"}
    score = {"value": 4.5, "low": 4.5, "high": 4.5, "unit": "nats", "kind": "score", "device": "any machine"}
    origin = {"run": "nhs-1", "trial": 42, "measurements": {"ort": measured, "entropy": score}}
    exporting.export(deliverable(provenance=origin), ["config", "onnx"], tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| ort | 38.2 ms | 38 to 38.5 | measured | a chip |" in card
    assert "A score ranks candidates; it is no accuracy." in card
    assert "- trial: 42" in card
    assert "ms [" in card, "the latency of the exported file itself"
    assert "$" not in card


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("exported-*.json")), ids=lambda path: path.stem)
def test_configs_of_earlier_versions_are_read(path: Path) -> None:
    """Exported files must stay readable; add one with every change of the schema."""
    document = json.loads(path.read_text())
    architecture = Architecture.from_json(path.read_text())
    assert architecture.id == document["provenance"]["id"]


def test_where_no_engine_can_be_built_the_commands_are_there(tmp_path: Path) -> None:
    original = deliverable(precision="fp16")
    reason = exports.lacking("tensorrt", original)
    if reason is None:
        pytest.skip("TensorRT and its GPU are here")
    exporting.export(original, ["tensorrt"], tmp_path / "out")
    script = tmp_path / "out" / "tensorrt" / "build.sh"
    assert isinstance(reason, Unavailable)
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "trtexec").write_text('#!/bin/sh\necho "$@"\n')
    (fake / "trtexec").chmod(0o755)
    asked = {version: _run(script, fake, version) for version in ("8.6", "10", "11.4")}
    assert "--fp16" in asked["8.6"] and "--stronglyTyped" in asked["10"]
    assert asked["11.4"].split() == ["--onnx=model.onnx", "--saveEngine=model.engine"]


@pytest.mark.usefixtures("stand_ins")
def test_an_engine_is_built_and_asked_where_tensorrt_is(tmp_path: Path) -> None:
    """The order of the calls alone: the stand-in for TensorRT computes nothing."""
    original, module = deliverable(precision="fp16"), exports.get("tensorrt")
    assert exports.lacking("tensorrt", original) is None
    module.write(original, tmp_path)
    assert (tmp_path / "tensorrt" / "model.engine").stat().st_size > 0
    (given,) = module.answers(original, tmp_path, [np.zeros((1, 3, 64, 64), dtype=np.float32)])
    assert given.dtype == np.float32


def _run(script: Path, fake: Path, version: str) -> str:
    environment = {"PATH": f"{fake}:/usr/bin:/bin"}
    return subprocess.run(["sh", script, version], env=environment, capture_output=True, text=True, check=True).stdout


def test_photographs_are_photographs() -> None:
    """Not noise: neighbouring pixels of a photograph are alike."""
    images = verification.batches(deliverable(batch=0))[1]
    random, photograph = images[0], images[-1]
    assert np.abs(np.diff(photograph, axis=2)).mean() < 0.3 < np.abs(np.diff(random, axis=2)).mean()


@pytest.mark.slow
def test_twenty_networks_go_from_config_to_timm_to_weights_to_onnx(tmp_path: Path) -> None:
    """Each step takes nothing but the file of the step before it."""
    import onnxruntime
    import timm
    from safetensors.torch import load_file, save_file

    import search_spaces.nextvit.timm_models  # noqa: F401
    from tests.networks import lively

    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for number, architecture in enumerate(random_networks(20, seed=3)):
        folder = tmp_path / str(number)
        folder.mkdir()
        exports.get("config").write(deliverable(architecture), folder)
        model = timm.create_model("nextvit_nas", arch=str(folder / "architecture.json"), num_classes=10).eval()
        lively(model, seed=number)
        save_file(model.state_dict(), folder / "weights.safetensors")
        plan = Architecture.from_json((folder / "architecture.json").read_text())
        network = NextViT(plan, num_classes=10).eval()
        network.load_state_dict(load_file(folder / "weights.safetensors"))
        exports.get("onnx").write(Deliverable(network=network, resolution=64, batch=2), folder)
        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        (given,) = session.run(None, {"images": images.numpy()})
        np.testing.assert_allclose(given, model(images).detach().numpy(), atol=1e-4)
        shutil.rmtree(folder)
