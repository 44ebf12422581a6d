"""tshark for tests: Wireshark's reader of captures, which knows SIP on its own."""

from __future__ import annotations

from tests.plugins.components import register
from tests.plugins.processes import probed

register("tshark", lambda: probed("tshark", "tshark", "--version"))
