"""Look for SIP datagrams that reach new code, guided by coverage; needs atheris (pip install '.[fuzz]').

    python -m tools.cover_sip FOLDER -max_total_time=600

FOLDER keeps what was found from run to run; other options are libFuzzer's. What must hold is told in sip_world.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from typing import Final

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # it ships no types

from tools.sip_mutations import LINES, WORDS

with atheris.instrument_imports(include=["telephony_adapters"]):
    from tools.sip_world import PEER, World

AGAIN: Final = 25
"""Datagrams until the world is made anew: the same ids, so that what was found stays true."""


class Target:
    """Take datagrams one by one."""

    def __init__(self) -> None:
        self._count = 0
        self.world = self.fresh()

    @staticmethod
    def fresh() -> World:
        """Make the world that every run begins with."""
        world = World(Random(0).random)  # noqa: S311 -- the seed is the reproduction
        world.renew()
        return world

    def __call__(self, data: bytes) -> None:
        """Throw one datagram; libFuzzer reports what is raised, and keeps the datagram."""
        self._count += 1
        if self._count % AGAIN == 0:
            self.world = self.fresh()
        self.world.feed(data, PEER)


def main() -> None:
    """Run from the command line; libFuzzer ends the process."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    target = Target()
    for number, data in enumerate(target.world.templates):
        (folder / f"seed{number:03}").write_bytes(data)
    words = folder.parent / f"{folder.name}.dict"
    escaped = ["".join(f"\\x{octet:02x}" for octet in word[:60]) for word in (*WORDS, *LINES)]
    words.write_text("".join(f'"{word}"\n' for word in escaped if word), encoding="ascii")
    atheris.Setup([sys.argv[0], str(folder), f"-dict={words}", "-max_len=4096", *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
