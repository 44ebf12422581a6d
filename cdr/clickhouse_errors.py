"""Say what is wrong with ClickHouse in words for people, without a word of the rows or the parameters."""

from __future__ import annotations

from typing import Final

from clickhouse_connect.driver.exceptions import Error

from dialer.errors import DialerError


class AnalyticsFailed(DialerError):
    """The analytics database did not do what was asked; asking again may help once its cause is mended."""


_LOGIN: Final = "it does not know this user with this password; mend both in the address"
_DISK: Final = "its disk is full; free some space or shorten the retention"
_KEEPER: Final = "it has lost its Keeper and only reads; mend ClickHouse Keeper (ZooKeeper)"
_TIME: Final = "the time allowed was not enough; narrow the time range, or look at what else the server does"
_WORDS: Final = {
    75: _DISK,
    76: _DISK,
    81: "the database does not exist there; CREATE DATABASE, or name another in the address",
    159: _TIME,
    164: "this user may only read; give it the right to write",
    192: _LOGIN,
    193: _LOGIN,
    194: _LOGIN,
    202: "it is busy with too many queries at a time; look at what else the server does",
    209: _TIME,
    225: _KEEPER,
    241: "it has not the memory for this; narrow the time range, or give it more memory",
    242: _KEEPER,
    243: _DISK,
    252: "it cannot merge as fast as it is written to (too many parts); look at its disks",
    497: "this user may not do this; give it the right (GRANT)",
    516: _LOGIN,
    701: "the server knows no cluster of this name; mend the setting, or remote_servers on the server",
    999: _KEEPER,
}
"""What to do, by ClickHouse's error codes (src/Common/ErrorCodes.cpp)."""


def explained(where: str, error: Error) -> AnalyticsFailed | None:
    """Return the error for people, None when only the statement itself can be wrong."""
    words = _WORDS.get(error.code or 0)
    if words is not None:
        return AnalyticsFailed(f"{where}: {words} (ClickHouse error {error.code})")
    if error.code is None and "HTTP" in str(error):
        return AnalyticsFailed(f"{where}: nothing answers as ClickHouse does; start it, or mend the address")
    return None


def refused(where: str, error: Error) -> AnalyticsFailed:
    """Return an error for people in any case; the server's own text may hold a row, so only its code is told."""
    return explained(where, error) or AnalyticsFailed(
        f"{where}: it refused what was sent ({error.name or 'no reason given'}, ClickHouse error {error.code}); "
        "its own log says more"
    )
