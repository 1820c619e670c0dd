"""A network of our family from what a person names: a file as `nas export` writes it, a notation, or a known name."""

import stat
from pathlib import Path

import yaml

from search_spaces.common import texts
from search_spaces.common.errors import InvalidArchitecture, UnknownName, UsageError
from search_spaces.common.texts import is_file
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.stage import LETTERS

YAML = (".yaml", ".yml")
FILES = (".json", *YAML)
LARGEST = 131_072  # bytes; an exported network with a hundred measurements takes half of it
EXAMPLE = "give an exported architecture: a .json or .yaml file"

Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it


class _Strict(Loader):  # type: ignore[misc]
    """YAML without merge keys, ten lines of which can fill the memory, and without duplicate keys."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leaves `<<` as it is, which no constructor accepts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> object:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key occurs twice in one mapping", node.start_mark)
        return mapping


def find(text: str) -> Architecture:
    """The network of a name of the paper, a notation, a JSON text, or a JSON or YAML file.

    Raises:
        UnknownName: the text is none of these.
        InvalidArchitecture: no network can be built from it.
        UsageError: the file cannot be read.
    """
    if text.lower() in PAPER:
        return PAPER[text.lower()]
    if text.startswith("{") or set(text.upper()) <= {*LETTERS, "-"}:
        return from_text(text)
    if names_file(text):
        return read(Path(text))
    raise UnknownName("file, network or notation", text, PAPER)


def names_file(text: str) -> bool:
    """Whether `find` takes a text for a file."""
    if text.lower() in PAPER or text.startswith("{") or set(text.upper()) <= {*LETTERS, "-"}:
        return False
    return is_file(text) or Path(text).suffix.lower() in FILES


def from_text(text: str) -> Architecture:
    """The network of a notation or a JSON text; unlike `find`, this opens no file.

    Raises:
        InvalidArchitecture: no network can be built from it.
    """
    return Architecture.from_json(text) if text.startswith("{") else Architecture.from_notation(text)


def read(path: Path) -> Architecture:
    """The network of a JSON or YAML file.

    Raises:
        UsageError: the file cannot be read, or is too large.
        InvalidArchitecture: it is not JSON or YAML, or nothing can be built from it.
    """
    return Architecture.from_dict(loaded(path))


def loaded(path: Path) -> object:
    """What a JSON or YAML file holds; the suffix decides which.

    Raises:
        UsageError: the file cannot be read, or is too large.
        InvalidArchitecture: it is not JSON or YAML.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:  # a pipe might never end
            raise UsageError(f"'{path}' is not a file of at most {LARGEST:,} bytes: it holds no architecture", EXAMPLE)
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}", EXAMPLE) from None
    return _from_yaml(text) if path.suffix.lower() in YAML else from_json_text(text)


def from_json_text(text: str) -> object:
    """The value of a JSON text.

    Raises:
        InvalidArchitecture: it is not JSON.
    """
    try:
        return texts.from_json(text)
    except ValueError as error:
        raise InvalidArchitecture("architecture", f"not JSON: {error}") from None


def from_yaml(text: str) -> Architecture:
    """The network of a YAML text.

    Raises:
        InvalidArchitecture: not YAML, or not an architecture.
    """
    return Architecture.from_dict(_from_yaml(text))


def _from_yaml(text: str) -> object:
    try:
        return yaml.load(text, _Strict)
    except Exception as error:  # PyYAML passes on every error of int(), float(), datetime() and its own tables
        raise InvalidArchitecture("architecture", f"not YAML: {' '.join(str(error).split()):.200}") from None
