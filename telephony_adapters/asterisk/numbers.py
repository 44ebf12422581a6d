"""How numbers leave by a server, and how those that come from it are read; pure."""

from __future__ import annotations

from telephony_adapters.asterisk.config import Server
from telephony_adapters.trunks.routes import dialled as _dialled


def dialled(server: Server, number: str) -> str:
    """Return a number of E.164 as the server's trunk wants it; a short number, or one that is no E.164, as it is."""
    digits = number.removeprefix("+")
    is_e164 = digits.isdigit() and (number.startswith("+") or digits.startswith(server.country_code))
    return _dialled(server, digits) if is_e164 else number


def e164(server: Server, number: str) -> str:
    """Return a number that a trunk showed as E.164; a short one, or a word (`anonymous`), as it is."""
    digits = number.removeprefix("+")
    if not digits.isdigit() or not digits.isascii():
        return number
    if number.startswith("+"):
        return number
    if digits.startswith("00"):
        return "+" + digits.removeprefix("00")
    if digits.startswith("0"):
        return f"+{server.country_code}{digits.removeprefix('0')}"
    return f"+{digits}" if digits.startswith(server.country_code) else number
