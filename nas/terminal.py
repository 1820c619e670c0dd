"""Characters that the encoding of a terminal lacks are replaced by similar ones."""

import codecs
import io
import unicodedata
from typing import TextIO

HANDLER = "nas.readable"
SIMILAR = {
    **dict.fromkeys("▖·•", "."),
    **dict.fromkeys("▌│", "|"),
    **dict.fromkeys("─–—−", "-"),
    **dict(zip("▁▂▃▄▅▆▇█", "12345678", strict=True)),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”„", '"'),
    "±": "+-",
    "×": "x",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "…": "...",
}


def readable(error: UnicodeError) -> tuple[str, int]:
    """The handler of characters that cannot be encoded: similar ones in ASCII, or their code point."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_similar, error.object[error.start : error.end])), error.end


def _similar(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return SIMILAR.get(character) or plain or character.encode("unicode_escape").decode()


codecs.register_error(HANDLER, readable)


def degrade(*streams: TextIO | None) -> None:
    """Makes streams write every text, with replaced characters where their encoding lacks some."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
