"""The numbers that make the carrier do one thing on demand: 0955 to 0959, which reach nobody (see docs/carrier.md).

095 was S-Fone's prefix: nobody has it since 2012, yet it is valid. The sample leads begin with 0950 to 0954 and meet
what the profile decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from simulator.wire.course import Course, Step, companions
from simulator.wire.scenes import SCENES
from statuses.q850_causes import Q850
from statuses.sip_causes import SIP, SIP_AND_Q850

_PLACES: Final = 9
_ANSWER: Final = 200
_HIGHEST: Final = 699
_MOST_CAUSE: Final = 127
_NO_REASON: Final = 500
"""Added to a cause: only its SIP code is sent."""
_HALF: Final = 5
"""From this digit on, the phone rings first."""

_SIP_OF: Final = {
    **dict.fromkeys((1, 2, 3, 26), 404), **dict.fromkeys((22, 23), 410), **dict.fromkeys((54, 55, 57, 87, 52, 53), 403),
    **dict.fromkeys((34, 38, 41, 42, 44, 47, 58, 88), 503), **dict.fromkeys((65, 70), 488),
    **dict.fromkeys((29, 79), 501), **dict.fromkeys((111, 127), 500),
    17: 486, 18: 408, 21: 403, 25: 483, 27: 502, 28: 484, 102: 504,
}  # fmt: skip
"""The response that a gateway makes of a Q.850 cause (RFC 3398 section 7.2.4.1, RFC 4497); every other one: 480."""


def subscriber(called: str, country: str = "84") -> str:
    """Return the national number without its 0, from a user part written 0..., 84..., +84... or 0084...; else as is."""
    digits = called.removeprefix("+") if called.startswith("+") else called.removeprefix("00")
    if digits.startswith(country) and len(digits) == len(country) + _PLACES:
        return digits[len(country) :]
    return called.removeprefix("0") if called.startswith("0") and len(called) == 1 + _PLACES else called


def e164(called: str, country: str = "84") -> str:
    """Return the number as leads have it, +84..., which the in-process carrier's chance depends on; else as is."""
    digits = subscriber(called, country)
    return f"+{country}{digits}" if len(digits) == _PLACES and digits.isdigit() else called


@lru_cache(maxsize=65_536)
def reaction(number: str) -> Course | None:
    """Return what a subscriber's number stands for; None: the profile decides."""
    if len(number) != _PLACES or not number.isdigit() or (make := _RANGES.get(number[:3])) is None:
        return None
    return make(number[3:])


def _final(name: str, status: int, q850: int | None, *, rings: bool) -> Course:
    steps = [Step(0.0, 100)]
    if rings:
        steps.append(Step(0.1, 180))
    steps.append(Step(0.1, status, q850, headers=companions(status)))
    return Course(name, tuple(steps))


_NOBODY: Final = _final("unassigned", 404, 1, rings=False)
"""A number of the ranges that stands for nothing."""


def _code(digits: str) -> Course:
    status, rings = int(digits[:3]), int(digits[3]) >= _HALF
    if not _ANSWER <= status <= _HIGHEST:
        return _NOBODY
    status = _ANSWER if status < _ANSWER + 100 else status
    return _final(f"sip.{status}", status, None, rings=rings)


def _cause(digits: str) -> Course:
    said, rings = int(digits[:3]), int(digits[3]) >= _HALF
    q850 = said % _NO_REASON
    if not 0 < q850 <= _MOST_CAUSE:
        return _NOBODY
    return _final(f"q850.{q850}", _SIP_OF.get(q850, 480), None if said > _NO_REASON else q850, rings=rings)


def _pair(digits: str, *, rings: bool) -> Course:
    status, q850 = int(digits[:3]), int(digits[3:])
    if not _ANSWER + 100 <= status <= _HIGHEST or q850 > _MOST_CAUSE:
        return _NOBODY
    return _final(f"sip.{status}+q850.{q850}", status, q850 or None, rings=rings)


def _scene(digits: str) -> Course:
    scene = SCENES.get(int(digits[:2]))
    if scene is None:
        return _NOBODY
    return msgspec.structs.replace(scene.make(int(digits[2])), name=f"scene.{scene.code:02d}")


_RANGES: Final[dict[str, Callable[[str], Course]]] = {
    "955": _code,
    "956": _cause,
    "957": lambda digits: _pair(digits, rings=False),
    "958": lambda digits: _pair(digits, rings=True),
    "959": _scene,
}


class Entry(NamedTuple):
    """One line of the table: the number with what is free in it, an example, what it does."""

    pattern: str
    example: str
    words: str
    course: Course


def entries() -> Iterator[Entry]:
    """Yield every row that can be asked for by number; n is any digit, P a digit that the words explain."""
    for code, row in SIP.items():
        yield _entry(f"0955 {code} [0-4]nn", "000", f"{code} {row.meaning}")
        yield _entry(f"0955 {code} [5-9]nn", "500", f"{code} {row.meaning}, after ringing")
    for cause, row in Q850.items():
        status = _SIP_OF.get(cause, 480)
        yield _entry(f"0956 {cause:03} [0-4]nn", "000", f"{status}, cause {cause} {row.meaning}")
        yield _entry(f"0956 {cause:03} [5-9]nn", "500", f"{status}, cause {cause}, after ringing")
        bare = cause + _NO_REASON
        yield _entry(f"0956 {bare:03} [0-4]nn", "000", f"{status} for cause {cause}, no Reason header")
        yield _entry(f"0956 {bare:03} [5-9]nn", "500", f"{status} for cause {cause}, no Reason, after ringing")
    for (status, cause), row in SIP_AND_Q850.items():
        yield _entry(f"0957 {status} {cause:03}", "", row.meaning)
        yield _entry(f"0958 {status} {cause:03}", "", f"{row.meaning}, after ringing")
    for scene in SCENES.values():
        yield _entry(f"0959 {scene.code:02} P nnn", "3000", scene.words)


def _entry(pattern: str, free: str, words: str) -> Entry:
    """Make an entry; `free` are the digits of the example where the pattern leaves a choice."""
    fixed = "".join(part for part in pattern.split() if part.isdigit())
    return Entry(pattern, fixed + free, words, reaction(fixed[1:] + free) or _NOBODY)


PATTERNS: Final = (
    ("0955 CCC Hnn", "the SIP response CCC (200, 300-699); H 5-9: after ringing"),
    (
        "0956 QQQ Hnn",
        "the Q.850 cause QQQ (001-127) in a Reason header, in its usual SIP response; QQQ + 500: no Reason",
    ),
    ("0957 CCC QQQ", "the SIP response CCC with the cause QQQ (000: none)"),
    ("0958 CCC QQQ", "the same after ringing"),
    ("0959 SS P nnn", "the scene SS; P: seconds or a choice, as the scene says"),
)
"""The plan in five lines."""
