"""What a terminal can show: letters that its encoding lacks are replaced by others that say the same."""

import codecs
import io
import unicodedata
from typing import TextIO

HANDLER = "nas.readable"
ALIKE = {
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
    """The handler of letters that cannot be encoded: their like in ASCII, or their number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_alike, error.object[error.start : error.end])), error.end


def _alike(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return ALIKE.get(letter) or plain or letter.encode("unicode_escape").decode()


codecs.register_error(HANDLER, readable)


def degrade(*streams: TextIO | None) -> None:
    """Lets streams write every text, whatever their encoding lacks."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
