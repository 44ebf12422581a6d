"""ffmpeg for tests: another program that plays our MP3 files."""

from __future__ import annotations

from tests.plugins.components import register
from tests.plugins.processes import probed

register("ffmpeg", lambda: probed("ffmpeg", "ffmpeg", "-version"))
