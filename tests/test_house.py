"""The rules of the house, as tests: what may import what, what a plug-in is, what the wheel holds."""

import ast
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

import evaluators
import nas
import results
import search_spaces
from results import exports, figures
from search_spaces.common import plugins

ROOT = Path(__file__).parent.parent
ROOMS = [
    "statistics", "core", "stopwatch", "targets", "graphs", "workers", "counts", "scores", "datasets", "training",
    "mechanism", "prediction",
]  # fmt: skip
ORDER = ["search_spaces", "evaluators", "results", "nas"]
PLUGIN_FOLDERS = ["search_spaces", "search_spaces.zoo", *(f"evaluators.{family}" for family in evaluators.FAMILIES)]
PLUGIN_FOLDERS += ["results.figures", "results.exports"]
FILES = [path for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the whole name"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_from_packages_to_its_left(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    right = ORDER[ORDER.index(package) + 1 :]
    wrong = {name for name in imported(path) if name.split(".")[0] in right}
    assert not wrong, f"{path.name} imports {wrong}: search_spaces, evaluators, results, nas, and never rightwards"


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS)
def test_no_plugin_imports_another(folder: str) -> None:
    everything = {f"{each}.{name}" for each in PLUGIN_FOLDERS for name in plugins.names(each)}
    for name in plugins.names(folder):
        path = ROOT / folder.replace(".", "/") / f"{name}.py"
        assert not imported(path) & everything, f"{name} imports another plug-in"


def modules() -> dict[str, set[str]]:
    """By module of ours: the modules of ours that it imports, anywhere in it."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    return {name: (_closest(imported(path), paths.keys()) - {name}) for name, path in paths.items()}


def _closest(names: set[str], known: Collection[str]) -> set[str]:
    """Of `from a.b import c` the module a.b.c if there is one, and otherwise a.b."""
    ours = names & set(known)
    return {name for name in ours if not any(other.startswith(f"{name}.") for other in ours)}


def test_a_room_imports_only_from_rooms_before_it() -> None:
    """And from no plug-in. A worker is an entry point: it looks evaluators up by name, as the command line does."""
    rooms = [f"evaluators.{room}" for room in ROOMS]
    assert {f"evaluators.{path.name}" for path in (ROOT / "evaluators").iterdir() if path.is_dir()} - {
        "evaluators.__pycache__"
    } == {*rooms, *(f"evaluators.{family}" for family in evaluators.FAMILIES)}
    for name, names in modules().items():
        room = name.rpartition(".")[0]
        if room not in rooms:
            continue
        allowed = rooms[: rooms.index(room) + 1]
        elsewhere = {
            other for other in names if other.startswith("evaluators.") and other.rpartition(".")[0] not in allowed
        }
        assert not elsewhere, f"{name} imports {elsewhere}"
        assert "evaluators" not in names or name == "evaluators.workers.worker", name


def test_machinery_imports_no_plugin() -> None:
    everything = {f"{folder}.{name}" for folder in PLUGIN_FOLDERS for name in plugins.names(folder)}
    for name, names in modules().items():
        assert name in everything or not names & everything, f"{name} imports {names & everything}: look it up by name"


def test_no_module_is_imported_by_what_it_imports() -> None:
    left = modules()
    while ready := {name for name, names in left.items() if not names & left.keys()}:
        left = {name: names for name, names in left.items() if name not in ready}
    assert not left, "a circle is among these modules"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400, "is there a second thing in it that has a name of its own?"


@pytest.mark.parametrize("folder", [*ORDER, "benchmarks", "docs", "scripts", "tests"])
def test_no_folder_has_more_than_15_files(folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in files)
    assert not {parent: count for parent, count in counts.items() if count > 15}, "give some of them a folder"


def reached_from(module: str) -> set[str]:
    """Our modules that importing one of them imports, lazily or not."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        path = ROOT / (name.replace(".", "/") + ".py")
        path = path if path.exists() else ROOT / name.replace(".", "/") / "__init__.py"
        if name in found or not path.exists():
            continue
        found.add(name)
        waiting += [each for each in imported(path) if each.split(".")[0] in ORDER]
    return found


def test_a_worker_runs_under_python_3_10() -> None:
    """TensorRT's containers and Jetsons have no newer one. What the search alone needs may be newer."""
    newer = {"typing.Self", "datetime.UTC", "tomllib", "enum.StrEnum", "typing.assert_never", "typing.override"}
    modules = reached_from("evaluators.workers.worker") | {f"evaluators.latency.{each}" for each in ("ort", "trt")}
    assert "evaluators.stopwatch.rounds" in modules
    for module in modules - {"evaluators.workers.remote", "evaluators.workers.bench"}:  # the search's own side
        path = ROOT / (module.replace(".", "/") + ".py")
        path = path if path.exists() else ROOT / module.replace(".", "/") / "__init__.py"
        ast.parse(path.read_text(), feature_version=(3, 10))
        assert not imported(path) & newer, module


def test_no_module_bears_the_name_of_a_package_that_it_imports() -> None:
    for path in FILES:
        assert path.stem not in {name.split(".")[0] for name in imported(path)} - set(ORDER), path


@pytest.mark.parametrize("package", [search_spaces, evaluators, results, figures, exports, nas])
def test_exported_names_are_sorted_and_exist(package: object) -> None:
    exported = package.__all__  # type: ignore[attr-defined]
    assert exported == sorted(exported, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(package, name) for name in exported)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from nas.program import run; run(['--help']); run(['run', '--help']);"
        "print(sorted({'torch', 'optuna', 'plotly', 'timm', 'numpy', 'pandas', 'sqlalchemy'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_a_stranger_of_the_same_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "results.py").write_text("")
    ended = subprocess.run([sys.executable, "-m", "nas"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "results.py, which is not part of nas" in ended.stderr


def test_the_wheel_holds_the_four_packages_and_nothing_else(tmp_path: Path) -> None:
    build = "from hatchling.builders.wheel import WheelBuilder as B; list(B('.').build(directory={!r}))"
    subprocess.run([sys.executable, "-c", build.format(str(tmp_path))], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(ORDER)
    data = {
        "evaluators/prediction/published.csv",
        "results/reference/data/timm.csv",
        "results/reference/data/settings.csv",
    }
    assert {"results/assets/dashboard.html", *data} <= set(names)
