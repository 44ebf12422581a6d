"""Who is called: an Asterisk of its own that answers each number with the greeting of its last digits."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dialer.bench.amd.greetings import LENGTH_S, RATE, Greeting
from dialer.bench.sip.asterisk import running

DIGITS: Final = 4
"""So many at a number's end name the greeting."""
_PJSIP: Final = """
context = greetings
[trunk]
type = identify
endpoint = trunk
match = 127.0.0.1
"""
_DIALPLAN: Final = """
[greetings]
exten = _X.,1,Ringing()
 same = n,Answer()
 same = n,Playback({folder}/${{EXTEN:-{digits}}})
 same = n,Wait({wait})
"""


@contextmanager
def greeter(root: Path, folder: Path, greetings: Sequence[Greeting]) -> Iterator[int]:
    """Run it until the block ends, and give its port of 127.0.0.1 (UDP); raise DialerError when it does not boot."""
    sounds = folder / "greetings"
    sounds.mkdir(parents=True)
    for number, greeting in enumerate(greetings):
        with wave.open(str(sounds / f"{number:0{DIGITS}d}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(greeting.sound)
    more = {"pjsip": _PJSIP, "extensions": _DIALPLAN.format(folder=sounds, digits=DIGITS, wait=round(LENGTH_S))}
    with running(root, folder / "asterisk", more) as (_, at):
        yield at.sip
