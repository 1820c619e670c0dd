"""A digest of the measuring code: machines may share a study only if they run the same."""

import functools
import hashlib
from pathlib import Path

PACKAGES = Path(__file__).parents[2]


@functools.cache
def code() -> str:
    """The first 12 hexadecimal digits of the SHA-256 of all source files that a measurement depends on."""
    digest = hashlib.sha256()
    for package in ("search_spaces", "evaluators"):
        for path in sorted((PACKAGES / package).rglob("*.py")):
            digest.update(path.relative_to(PACKAGES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
