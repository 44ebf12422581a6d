"""Where a switch is measured: an Asterisk of its own, SIPp behind its trunk, and SIPp as all agents' phones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from dialer.bench.sip import asterisk, sipp
from dialer.bench.sip.asterisk import USER, Ari
from dialer.bench.sip.programs import HOST, Program, free_port

SERVER: Final = "bench"
"""The name of the switch, and so of the engine's trunk."""


class Place(NamedTuple):
    """A running switch."""

    program: Program
    ari: Ari
    customers: int
    """The port at which everybody answers."""
    phones: int
    """The port of the agents' phones."""

    def settings(self, *, nailed_up: bool = False, more: str = "") -> str:
        """Return the Asterisk file of a dialer that uses it."""
        return settings(self.ari, self.customers, self.phones, nailed_up=nailed_up) + more


@contextmanager
def place(root: Path, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Place]:
    """Run everything until the block ends; `more` is appended to Asterisk's files. Raises DialerError."""
    customers, phones = free_port(), free_port()
    with (
        sipp.callee(folder / "customers", customers),
        sipp.callee(folder / "phones", phones),
        asterisk.running(root, folder / "asterisk", more) as (program, ari),
    ):
        yield Place(program, ari, customers, phones)


def settings(ari: Ari, customers: int, phones: int, *, nailed_up: bool = False) -> str:
    """Return the Asterisk file of a dialer whose trunk and phones are at these ports of 127.0.0.1."""
    return f"""
[server.{SERVER}]
url = "{ari.url}"
user = "{USER}"
password = "{ari.password}"
endpoint = "PJSIP/trunk/sip:{{phone}}@{HOST}:{customers}"
channels = 1000
cps = 1000
number_format = "e164"
[agents]
endpoint = "PJSIP/trunk/sip:{{agent}}@{HOST}:{phones}"
nailed_up = {str(nailed_up).lower()}
"""
