"""Every TensorRT name that our code uses exists in the real bindings of 8.6, 10 and 11.

The bindings come from the package index at test time. Their libraries are not there from 10 on, so empty ones with the
symbols that an import needs stand in: names can be looked up then, and nothing can be built.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Program

ROOT = Path(__file__).parents[3]
SOURCES = [ROOT / "evaluators" / "targets" / "trt_engine.py"]
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser", "nvparsers")
SYMBOLS = (
    "createInferBuilder_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "getNvOnnxParserVersion",
    "getBuilderPluginRegistry",
    "getPluginRegistry",
    "initLibNvInferPlugins",
    "_ZN11nvuffparser15createUffParserEv",
    "_ZN11nvuffparser8FieldMapC1EPKcPKvNS_9FieldTypeEi",
    "_ZN14nvcaffeparser117createCaffeParserEv",
    "_ZN14nvcaffeparser123shutdownProtobufLibraryEv",
)
LOOK_UP = """
import json, os, sys
sys.setdlopenflags(os.RTLD_LAZY)
sys.path.insert(0, sys.argv[1])
import tensorrt as trt
def exists(name):
    found = trt
    for part in name.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True
print(json.dumps([name for name in json.loads(sys.argv[2]) if not exists(name)]))
"""


def used_names() -> list[str]:
    """Names such as `Builder` and `Builder.create_network`: from `trt.X`, and from variables annotated as `trt.X`."""
    names: set[str] = set()
    for source in SOURCES:
        for function in (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.FunctionDef)):
            kinds = {each.arg: kind(each.annotation) for each in function.args.args}
            for node in ast.walk(function):
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    kinds[node.target.id] = kind(node.annotation)
            for node in ast.walk(function):
                if not isinstance(node, ast.Attribute):
                    continue
                chain = dotted(node)
                if chain.startswith("trt."):
                    names.add(chain.removeprefix("trt."))
                elif owner := kinds.get(chain.partition(".")[0]):
                    names.add(f"{owner}.{chain.partition('.')[2]}")
    return sorted(names - {"__version__"})  # set by the package's __init__, which is not part of the module


def kind(annotation: ast.expr | None) -> str:
    """The TensorRT class that an annotation names, or nothing."""
    text = ast.unparse(annotation).strip("'") if annotation else ""
    return text.removeprefix("trt.") if text.startswith("trt.") else ""


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def bindings(folder: Path, requirement: str, *, python: str = "", platform: str = "") -> Path:
    """The extension module of a TensorRT wheel, from the package index."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    if python:
        command += ["--python-version", python, "--only-binary=:all:", "--platform", platform]
    ended = subprocess.run([*command, requirement], capture_output=True, text=True)
    if ended.returncode:
        assert not os.environ.get("CI"), ended.stderr
        pytest.skip(f"{requirement} cannot be had from the package index here")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("/tensorrt.so"))
        (folder / "module").mkdir()
        (folder / "module" / "tensorrt.so").write_bytes(archive.read(name))
        archive.extractall(folder, [each for each in archive.namelist() if each.startswith("tensorrt_bindings/")])
    wheel.unlink()
    return folder / "module"


def stub(folder: Path, major: int) -> None:
    """Empty libraries beside the module, with the symbols that an import resolves."""
    source = folder / "stub.c"
    source.write_text("\n".join(f"void {symbol}(void) {{}}" for symbol in SYMBOLS))
    for library in LIBRARIES:
        name = f"lib{library}.so.{major}"
        command = ["gcc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{name}", "-o", str(folder / name), str(source)]
        subprocess.run(command, check=True)


def absent(module: Path, interpreter: str) -> list[str]:
    ended = subprocess.run(
        [interpreter, "-c", LOOK_UP, str(module), json.dumps(used_names())],
        env={**os.environ, "LD_LIBRARY_PATH": str(module), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_names_occur_in_the_source() -> None:
    names = used_names()
    assert {"Builder.build_serialized_network", "IExecutionContext.execute_async_v3", "BuilderFlag.TF32"} <= set(names)
    assert len(names) > 30


needs_gcc = pytest.mark.skipif(not shutil.which("gcc") or sys.platform != "linux", reason="needs gcc on Linux")


@needs_gcc
@pytest.mark.parametrize("version", ["10.16.1.11", "11.4.0.106"])
def test_every_name_exists_in(version: str, tmp_path: Path) -> None:
    module = bindings(tmp_path, f"tensorrt-cu13-bindings=={version}")
    stub(module, int(version.partition(".")[0]))
    missing = set(absent(module, sys.executable)) - {
        "NetworkDefinitionCreationFlag.EXPLICIT_BATCH",  # asked for with hasattr: gone in 11
    }
    assert not missing


@needs_gcc
@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="an NVIDIA GPU is here")
def test_with_a_real_module_and_no_gpu_the_gpu_is_what_is_missing(
    tmp_path: Path, nas: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = bindings(tmp_path, "tensorrt-cu13-bindings==11.4.0.106")
    stub(module, 11)
    (tmp_path / "tensorrt_bindings").rename(tmp_path / "tensorrt")  # its own front end asks for the libraries' package
    (tmp_path / "sitecustomize.py").write_text("import os, sys\nsys.setdlopenflags(os.RTLD_LAZY)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(module))
    for command in (["run", "--budget", "4", "--latency", "trt"], ["doctor", "--quick", "--latency", "trt:batch=8"]):
        ended = nas(*command)
        assert ended.code == 1
        assert "TensorRT 11.4.0.106 is here, but there is no NVIDIA GPU here" in ended.err + ended.out
    assert not (nas.folder / "runs").exists()


def python310() -> str:
    """An interpreter of Python 3.10 that runs, or nothing."""
    found = [*Path("~/.pyenv/versions").expanduser().glob("3.10.*/bin/python"), shutil.which("python3.10") or ""]
    return next((str(each) for each in found if str(each) and not subprocess.run([str(each), "-c", ""]).returncode), "")


@needs_gcc
@pytest.mark.slow
@pytest.mark.skipif(not python310(), reason="TensorRT 8.6's wheel is for Python 3.10, which is not here")
def test_every_name_exists_in_8_6(tmp_path: Path) -> None:
    module = bindings(tmp_path, "tensorrt==8.6.0", python="3.10", platform="manylinux_2_17_x86_64")
    stub(module, 8)
    missing = set(absent(module, python310())) - {
        "NetworkDefinitionCreationFlag.STRONGLY_TYPED",  # asked for with hasattr: came with 9
    }
    assert not missing
