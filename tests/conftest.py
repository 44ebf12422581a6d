"""What every test gets: asyncio in debug mode, real components, requirement keys."""

from __future__ import annotations

import os

# Read by every event loop as it is made, so loops that tests start themselves are in debug mode too.
os.environ["PYTHONASYNCIODEBUG"] = "1"

pytest_plugins = [
    "pytester",
    "tests.plugins.components",
    "tests.plugins.requirements",
    "tests.plugins.postgres",
    "tests.plugins.chromium",
]
