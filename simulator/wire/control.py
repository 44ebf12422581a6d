"""Commands to a running carrier, one a line in a file: no network, no REST."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from dialer.errors import BadInput

_LONGEST: Final = 4096
"""A control file may hold so many characters; the rest is not read."""


class Order(NamedTuple):
    """One command and its number, where it takes one."""

    word: str
    value: float = 0.0


class _Takes(NamedTuple):
    low: float
    high: float
    words: str
    whole: bool = False


_NOTHING: Final = None
_MOST: Final = 1e6
COMMANDS: Final[Mapping[str, _Takes | None]] = MappingProxyType(
    {
        "outage": _Takes(0.0, _MOST, "seconds: deaf and dumb for so long"),
        "reject": _Takes(300, 699, "SIP code: every new call gets it", whole=True),
        "loss": _Takes(0.0, 1.0, "share of the datagrams, both ways"),
        "duplicate": _Takes(0.0, 1.0, "share of the datagrams, both ways"),
        "reorder": _Takes(0.0, 1.0, "share of the datagrams, both ways"),
        "delay": _Takes(0.0, 60_000, "milliseconds, both ways"),
        "jitter": _Takes(0.0, 60_000, "milliseconds, both ways"),
        "cps": _Takes(0.0, _MOST, "new calls a second that are admitted; 0 = all"),
        "channels": _Takes(0, _MOST, "calls at a time that are admitted; 0 = all", whole=True),
        "hang up": _NOTHING,
        "stop accepting": _NOTHING,
        "resume": _NOTHING,
        "reload": _NOTHING,
        "dump": _NOTHING,
        "quit": _NOTHING,
    }
)
"""What each command takes; `resume` undoes all but `hang up` (BYE to every call), `reload`, `dump` and `quit`."""


def parse_order(line: str) -> Order | None:
    """Read one line; None for an empty one or a comment. Raises BadInput that says what is allowed."""
    words = line.partition("#")[0].split()
    if not words:
        return None
    whole = " ".join(words).lower()
    if whole in COMMANDS and COMMANDS[whole] is None:
        return Order(whole)
    takes = COMMANDS.get(words[0].lower())
    if takes is None:
        raise BadInput(f"control: no command {whole!r}; there are {', '.join(COMMANDS)}")
    return Order(words[0].lower(), _number(words, takes))


def _number(words: list[str], takes: _Takes) -> float:
    try:
        (value,) = map(float, words[1:])
    except ValueError:
        value = math.nan
    if not takes.low <= value <= takes.high or (takes.whole and value != int(value)):
        kind = "a whole number" if takes.whole else "a number"
        raise BadInput(
            f"control: {words[0]} takes {kind} from {takes.low:g} to {takes.high:g}: {takes.words}; "
            f"not {' '.join(words[1:]) or 'nothing'}"
        )
    return value


class ControlFile:
    """A file that people write commands to; reading empties it, which tells them that the commands were taken."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> list[str]:
        """Return the lines that were written since the last time; a file that is absent has none."""
        with suppress(OSError):
            if self.path.stat().st_size == 0:
                return []
            with self.path.open("r+", encoding="utf-8", errors="replace") as file:
                text = file.read(_LONGEST)
                file.truncate(0)
            return text.splitlines()
        return []
