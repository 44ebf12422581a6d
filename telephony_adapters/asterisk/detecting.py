"""Who answered, as Asterisk's AMD finds out in the few lines of dialplan that we ship (statuses.md 2.9); pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from statuses.outcomes import AmdResult

SUFFIX: Final = "-amd"
"""After the application's name: the context that runs AMD and comes back."""
WORD: Final = "amd"
"""With this a channel comes back from there."""
_WEAK: Final = "INITIALSILENCE"
_RESULTS: Final[Mapping[str, AmdResult]] = {
    "HUMAN": AmdResult.HUMAN,
    "MACHINE": AmdResult.MACHINE,
    "NOTSURE": AmdResult.NOTSURE,
    "HANGUP": AmdResult.HANGUP,
}


def where(app: str) -> dict[str, str]:
    """Return where in the dialplan a channel goes on."""
    return {"context": app + SUFFIX, "extension": "s", "priority": "1"}


def result(args: Sequence[str]) -> AmdResult:
    """Return what `Stasis(app,amd,AMDSTATUS,AMDCAUSE)` says.

    A machine that said nothing so far (INITIALSILENCE) is as likely a person who waits: NOTSURE, which goes on as HUMAN
    does.
    """
    status, cause = (*args[1:3], "", "")[:2]
    found = _RESULTS.get(status.upper(), AmdResult.NOTSURE)
    weak = found is AmdResult.MACHINE and cause.upper().startswith(_WEAK)
    return AmdResult.NOTSURE if weak else found
