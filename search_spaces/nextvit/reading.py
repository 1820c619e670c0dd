"""A network from what a person names: a file as `nas export` writes it, a notation, or a known name."""

import stat
from pathlib import Path

import yaml

from search_spaces.common import networks
from search_spaces.common.errors import InvalidArchitecture, UnknownName, UsageError
from search_spaces.common.network import Network
from search_spaces.common.texts import is_file
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.stage import LETTERS
from search_spaces.peers.timm_network import PREFIX

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


def find(text: str) -> Network:
    """The network of a name of the paper, a notation, a JSON text, a JSON or YAML file, or `timm:` and a model of timm.

    Raises:
        UnknownName: the text is none of these, or timm has no such model.
        InvalidArchitecture: no network can be built from it.
        UsageError: the file cannot be read, or the model of timm is named with weights.
    """
    if text.lower() in PAPER:
        return PAPER[text.lower()]
    if text.startswith(PREFIX):
        from search_spaces.peers import timm_models  # imports timm: seconds

        return timm_models.named(text.removeprefix(PREFIX))
    if text.startswith("{"):
        return networks.from_json(text)
    if set(text.upper()) <= {*LETTERS, "-"}:
        return Architecture.from_notation(text)
    if is_file(text) or Path(text).suffix.lower() in FILES:
        return read(Path(text))
    raise UnknownName("file, network or notation", text, PAPER)


def from_text(text: str) -> Architecture:
    """The network of our family of a notation or a JSON text; unlike `find`, this opens no file.

    Raises:
        InvalidArchitecture: no network can be built from it.
    """
    return Architecture.from_json(text) if text.startswith("{") else Architecture.from_notation(text)


def read(path: Path) -> Network:
    """The network of a JSON or YAML file; the suffix decides which.

    Raises:
        UsageError: the file cannot be read, or is too large.
        InvalidArchitecture: it is not JSON or YAML, or nothing can be built from it.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:  # a pipe might never end
            raise UsageError(f"'{path}' is not a file of at most {LARGEST:,} bytes: it holds no architecture", EXAMPLE)
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}", EXAMPLE) from None
    if path.suffix.lower() not in YAML:
        return networks.from_json(text)
    return from_yaml(text)


def from_yaml(text: str) -> Network:
    """The network of a YAML text.

    Raises:
        InvalidArchitecture: not YAML, or not an architecture.
    """
    try:
        data = yaml.load(text, _Strict)
    except Exception as error:  # PyYAML passes on every error of int(), float(), datetime() and its own tables
        raise InvalidArchitecture("architecture", f"not YAML: {' '.join(str(error).split()):.200}") from None
    return networks.from_dict(data)
