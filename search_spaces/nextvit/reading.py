"""An architecture from what a person names: a file as `nas export` writes it, a notation, or a known name."""

import stat
from pathlib import Path

import yaml

from search_spaces.common.errors import InvalidArchitecture, UnknownName, UsageError
from search_spaces.common.texts import is_file
from search_spaces.nextvit.architecture import PAPER, Architecture

YAML = (".yaml", ".yml")
FILES = (".json", *YAML)
LARGEST = 131_072  # bytes; an exported network with a hundred measurements takes half of it
WRITTEN = "give a file that nas export wrote"

Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it


class _Strict(Loader):  # type: ignore[misc]
    """YAML without merge keys, of which ten lines can fill the memory, and without a key twice."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leaves `<<` as it is: no constructor knows it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> object:
        found = super().construct_mapping(node, deep=deep)
        if len(found) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice in one mapping", node.start_mark)
        return found


def find(text: str) -> Architecture:
    """The network of a name of the paper, a notation, a JSON text, or a JSON or YAML file.

    Raises:
        UnknownName: the text is none of these.
        InvalidArchitecture: no network can be built from it.
        UsageError: the file cannot be read.
    """
    if text.lower() in PAPER:
        return PAPER[text.lower()]
    if text.startswith("{") or set(text.upper()) <= set("CT-"):
        return from_text(text)
    if is_file(text) or Path(text).suffix.lower() in FILES:
        return read(Path(text))
    raise UnknownName("file, network or notation", text, PAPER)


def from_text(text: str) -> Architecture:
    """The network of a notation or a JSON text; unlike `find`, this opens no file.

    Raises:
        InvalidArchitecture: no network can be built from it.
    """
    return Architecture.from_json(text) if text.startswith("{") else Architecture.from_notation(text)


def read(path: Path) -> Architecture:
    """The network of a JSON or YAML file; the ending tells which.

    Raises:
        UsageError: the file cannot be read, is too large, or is no YAML.
        InvalidArchitecture: it is no JSON, or nothing can be built from it.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:  # a pipe might never end
            raise UsageError(f"'{path}' is no file of at most {LARGEST:,} bytes: it holds no architecture", WRITTEN)
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}", WRITTEN) from None
    if path.suffix.lower() not in YAML:
        return Architecture.from_json(text)
    return from_yaml(text)


def from_yaml(text: str) -> Architecture:
    """The network of a YAML text.

    Raises:
        InvalidArchitecture: not YAML, or not an architecture.
    """
    try:
        data = yaml.load(text, _Strict)
    except Exception as error:  # PyYAML lets through whatever int(), float(), datetime() and its own tables raise
        raise InvalidArchitecture("architecture", f"not YAML: {' '.join(str(error).split()):.200}") from None
    return Architecture.from_dict(data)
