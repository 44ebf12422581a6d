"""espeak-ng for tests: the program of Debian, which speaks the greetings of `dialer bench amd`."""

from __future__ import annotations

from tests.plugins.components import register
from tests.plugins.processes import probed

register("espeak-ng", lambda: probed("espeak-ng", "espeak-ng", "--version"))
