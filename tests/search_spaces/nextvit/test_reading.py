"""Files of architectures: JSON and YAML as people have them, and what only looks like them."""

import os
import time
from pathlib import Path

import pytest
import yaml

from search_spaces import PAPER
from search_spaces.common.errors import InvalidArchitecture, UsageError
from search_spaces.nextvit import reading

S = PAPER["next-vit-s"]
BOMB = "a: &a {b: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join(['*' + before] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
LAUGHS = "a: &a [1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("ending", ["json", "JSON", "txt", "yaml", "yml", "YAML"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])  # as Windows' Notepad begins a file
def test_both_formats_are_read_by_their_ending(tmp_path: Path, ending: str, mark: bytes) -> None:
    path = tmp_path / f"network.{ending}"
    text = yaml.safe_dump(S.to_dict() | {"stages": list(map(dict, S.to_dict()["stages"]))} | {"stem": [64, 32, 64]})
    path.write_bytes(mark + (S.to_json() if ending.lower() in ("json", "txt") else text).encode())
    assert reading.read(path) == S


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stages: 2020-13-45", "not YAML: month must be in 1..12"),
        ("[" * 100_000, "not YAML"),
        ("- " * 100_000, "not YAML"),
        ("{a: " * 20_000, "not YAML"),
        ("!!bool what", "not YAML"),
        ("!!timestamp what", "not YAML"),
        ("!!int what", "not YAML"),
        ("!!python/object/apply:os.system [echo]", "not YAML"),
        ("stages: " + "1" * 5000, "not YAML: Exceeds the limit"),
        ("stages: 0x" + "f" * 5000, "got an integer of about 20000 digits|'schema'|schema: expected"),
        (BOMB, "not YAML: could not determine a constructor"),
        (LAUGHS, "unknown field 'a'"),
        ("stages: &s [*s, *s, *s, *s]\nschema: nas.architecture/1", r"stages\[0\]: expected a JSON object"),
        ("stages: 1\nstages: 2", "a key occurs twice"),
        ("schema: .nan\nstages: []", "schema: expected"),
        ("? [a]\n: b", "not YAML"),
        ("1: 2", "unknown field 1"),
        ("", "expected a JSON object"),
    ],
)
def test_yaml_that_is_no_architecture_is_refused_at_once(text: str, words: str) -> None:
    began = time.perf_counter()
    with pytest.raises(InvalidArchitecture, match=words):
        reading.from_yaml(text)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_what_is_no_file_of_text_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"network.{ending}"
    os.mkfifo(path)
    with pytest.raises(UsageError, match="is not a file"):
        reading.read(path)
    path.unlink()
    path.write_text("x" * (reading.LARGEST + 1))
    with pytest.raises(UsageError, match="at most 131,072 bytes"):
        reading.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        reading.read(path)
    with pytest.raises(UsageError, match="cannot be read"):
        reading.read(tmp_path / ("x" * 300))
