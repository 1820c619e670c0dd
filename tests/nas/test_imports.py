"""The program and its reports use plug-ins by name alone."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import evaluators
from tests.test_house import ROOT, imported

PLUGINS = {
    module.name
    for family in evaluators.FAMILIES
    for module in pkgutil.iter_modules(
        importlib.import_module(f"evaluators.{family}").__path__, f"evaluators.{family}."
    )
}
FILES = [path for package in ("results", "nas") for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_machinery_imports_no_evaluator(path: Path) -> None:
    assert "evaluators.accuracy.auto" in PLUGINS
    assert not imported(path) & PLUGINS, "ask a base class: evaluators/core, training, prediction"
