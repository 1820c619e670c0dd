"""A latency whose behaviour a test decides, known to every process that the test starts."""

import os
import textwrap

import pytest

from tests.conftest import Program

PLUGIN = '''
"""A latency whose behaviour the test decides."""

import os
import signal
import time
from dataclasses import dataclass
from typing import ClassVar

from evaluators.core.evaluator import Evaluator
from evaluators.core.measurement import Reading


@dataclass(frozen=True, kw_only=True)
class Troubled(Evaluator):
    unit: ClassVar[str] = "ms"
    direction: ClassVar[str] = "minimize"
    kind: ClassVar[str] = "measured"

    def _read(self, architecture):
        {behaviour}
        return Reading.exact(float(len(str(architecture))))
'''
SITE = """
import evaluators.latency
evaluators.latency.__path__.append({folder!r})
"""


@pytest.fixture
def troubled(nas: Program, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory):
    """`--latency troubled` in every process of the test, behaving as the test says."""

    def prepare(behaviour: str) -> Program:
        folder = tmp_path_factory.mktemp("plugins")
        (folder / "latency").mkdir()
        lines = textwrap.indent(textwrap.dedent(behaviour), " " * 8).strip()
        (folder / "latency" / "troubled.py").write_text(PLUGIN.format(behaviour=lines))
        (folder / "sitecustomize.py").write_text(SITE.format(folder=str(folder / "latency")))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        return nas

    return prepare
