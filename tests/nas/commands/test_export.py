"""`nas export` as a user types it: from a run, a file, a notation, with weights and labels, good and bad."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from search_spaces import Architecture
from search_spaces.nextvit.network import NextViT
from tests.conftest import Program

SMALL = "C-C-CT-C"
TINY = ("--resolution", "64")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(NextViT(Architecture.from_notation(SMALL), num_classes=3).state_dict(), path)
    return path


def test_the_knee_is_exported_to_files_that_run(finished: Program, tmp_path: Path) -> None:
    out = tmp_path / "knee"
    ended = finished("export", "whole", "--pick", "knee", "--to", "config,onnx,python", "-o", str(out), *TINY, "--json")
    assert ended.code == 0, ended.err
    assert [file["format"] for file in ended.json["files"]] == ["config", "onnx", "python"]
    document = json.loads((out / "architecture.json").read_text())
    assert document["provenance"]["run"] == "whole"
    assert "entropy:resolution=32,seeds=2" in document["provenance"]["measurements"]
    assert finished("measure", str(out / "architecture.json"), "--proxy", "structure").code == 0
    assert finished("measure", str(out / "architecture.yaml"), "--proxy", "structure").code == 0


@pytest.mark.slow
def test_the_best_network_up_to_a_latency_is_exported(finished: Program, tmp_path: Path) -> None:
    rows = [row for row in finished("show", "whole", "--all", "--json").json["trials"] if row["state"] == "ok"]
    latency, score = "ort:resolution=32", "entropy:resolution=32,seeds=2"
    bound = sorted(row["measurements"][latency]["value"] for row in rows)[1] * 1.0001
    within = [row for row in rows if row["measurements"][latency]["value"] <= bound]
    best = max(within, key=lambda row: row["measurements"][score]["value"])
    ended = finished("export", "whole", "--max-latency", f"{latency}={bound}ms", "-o", str(tmp_path / "a.json"), *TINY)
    assert ended.code == 0, ended.err
    assert f"trial {best['trial']}," in ended.err
    none = finished("export", "whole", "--max-latency", f"{latency}=0.001ms", "-o", str(tmp_path / "b.json"))
    assert (none.code, "no network of run 'whole' keeps" in none.err) == (1, True)


@pytest.mark.slow
def test_weights_and_labels_are_exported(nas: Program, weights: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\n\nowl\n")
    ended = nas("export", SMALL, "--weights", str(weights), "--labels", str(labels), "--to", "python", "-o", "out")
    assert ended.code == 0, ended.err
    assert "3 classes" in ended.err
    assert "all" in ended.err and "values taken" in ended.err
    torch.testing.assert_close(load_file(nas.folder / "out" / "model.safetensors"), load_file(weights))
    assert "cat, dog, owl" in (nas.folder / "out" / "README.md").read_text()


def test_weights_of_another_depth_are_inherited_with_a_report(nas: Program, weights: Path) -> None:
    ended = nas("export", "C-C-CCCT-C", "--weights", str(weights), "-o", "a.json")
    assert ended.code == 0, ended.err
    assert "tensors whole" in ended.err and "fresh (stages.2.blocks.1" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["no-such"], 2, "no file, network or notation is called 'no-such'"),
        ([SMALL, "--to", "onxx"], 2, "did you mean 'onnx'"),
        ([SMALL, "--weights", "gone.safetensors"], 2, "there is no file 'gone.safetensors'"),
        ([SMALL, "--labels", "gone.txt"], 2, "there is no file 'gone.txt'"),
        ([SMALL, "--resolution", "5"], 2, "resolution expects a number from 32 to 1024, got 5"),
        ([SMALL, "--classes", "4", "--labels", "two.txt"], 2, "names 2 classes, the network has 4"),
        (["newer.json"], 2, "schema: expected 'nas.architecture/1', got 'nas.architecture/9'"),
        (["broken.json"], 2, "not JSON"),
        ([SMALL, "--weights", "cut.safetensors"], 1, "'cut.safetensors' cannot be read"),
        ([SMALL, "--weights", "other.safetensors"], 2, "weights of another network"),
        ([SMALL, "--weights", "pickle.pth"], 2, "is a pickle"),
    ],
)
def test_bad_input_is_refused_and_leaves_no_file(
    nas: Program, weights: Path, arguments: list[str], code: int, message: str
) -> None:
    folder = nas.folder
    (folder / "two.txt").write_text("cat\ndog\n")
    newer = Architecture.from_notation(SMALL).to_dict() | {"schema": "nas.architecture/9"}
    (folder / "newer.json").write_text(json.dumps(newer))
    (folder / "broken.json").write_text("{")
    (folder / "cut.safetensors").write_bytes(weights.read_bytes()[:999])
    save_file({"a.weight": torch.zeros(3)}, folder / "other.safetensors")
    torch.save({}, folder / "pickle.pth")
    before = sorted(folder.iterdir())
    ended = nas("export", *arguments, "-o", "out")
    assert (ended.code, message in ended.err) == (code, True), ended.err
    assert "Traceback" not in ended.err
    assert sorted(folder.iterdir()) == before
