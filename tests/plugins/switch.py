"""Asterisk as the dialer's own switch: carriers and phones are dialled by their addresses, and it keeps call records.

Its call records (CDR) go to a file with microseconds, so that ours can be held against them.
"""

from __future__ import annotations

import contextlib
import csv
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest

from telephony_adapters.asterisk.files import extensions
from tests.plugins.asterisk import Asterisk, cache

_FIELDS: Final = ("uniqueid", "start,u", "answer,u", "end,u", "disposition")
"""`u`: as it is, which for times is seconds and microseconds since 1970."""
_APPENDED: Final = {
    "modules": "load = func_cdr.so\nload = res_cdrel_custom.so\nload = cdr_custom.so\n",
    "pjsip": """
[carrier](line)
transport = udp
[desk](line)
transport = udp
""",
}
_REPLACED: Final = {
    "cdr": "[general]\nenable = yes\nunanswered = yes\ncongestion = yes\n",
    "cdr_custom": f"[mappings]\nours.csv => {','.join(f'${{CDR({name})}}' for name in _FIELDS)}\n",
}


class SwitchRecord(NamedTuple):
    """What Asterisk wrote down of one channel; UTC epoch seconds."""

    channel: str
    began_at: float
    answered_at: float | None
    ended_at: float
    disposition: str


class Switch(Asterisk):
    """An Asterisk with call records. `PJSIP/carrier/sip:...` and `PJSIP/desk/sip:...` dial any address."""

    def __init__(self, root: Path, folder: Path, more: Mapping[str, str]) -> None:
        super().__init__(root, folder)
        etc = folder / "etc"
        for name, text in (*_APPENDED.items(), *more.items()):
            with (etc / f"{name}.conf").open("a") as file:
                file.write(text)
        for name, text in _REPLACED.items():
            (etc / f"{name}.conf").write_text(text)
        (folder / "log/cdr-custom").mkdir()
        self._records = folder / "log/cdr-custom/ours.csv"

    def kill(self) -> None:
        """End it at once, as a crash does, and wait until it is gone."""
        server, self._program = self._program, None
        if server is not None:
            server.kill()

    def live_channels(self) -> int:
        """Count the channels that are up."""
        said = self.command("core show channels count")
        return int(said.split(" active channel")[0].split()[-1])

    def records(self) -> list[SwitchRecord]:
        """Return the call records so far."""
        if not self._records.exists():
            return []
        with self._records.open() as file:
            return [_record(*row) for row in csv.reader(file) if len(row) == len(_FIELDS)]


def _record(channel: str, began: str, answered: str, ended: str, disposition: str) -> SwitchRecord:
    return SwitchRecord(channel, float(began), float(answered) or None, float(ended), disposition)


@contextlib.contextmanager
def local_switch(more: Mapping[str, str] = MappingProxyType({})) -> Iterator[Switch]:
    """Run one of the test's own; `more` is appended to its files, by name without ending."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-switch-"))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        server = Switch(cache(), folder, more)
        ending.callback(server.stop)
        server.start()
        yield server


@pytest.fixture(scope="session")
def switch_server() -> Iterator[Switch]:
    """Give the run's switch; a test takes `switch`, which sees to it that the next test finds it so."""
    with local_switch({"extensions": extensions("dialer")}) as server:
        yield server


@pytest.fixture
def switch(switch_server: Switch) -> Iterator[Switch]:
    """Give a switch that runs, without a call, and that the test may stop."""
    yield switch_server
    switch_server.start()
    switch_server.hang_up_all()
