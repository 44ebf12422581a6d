"""What every test gets: asyncio in debug mode, real components, requirement keys."""

from __future__ import annotations

import os
import resource

import pytest
from hypothesis import HealthCheck, settings

# Shared machines are slow at times: no test fails for the time that it took. CI meets the same examples each time.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("shared"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "shared")

# Each opening of the embedded engine leaves some files open: a run that opens it hundreds of times needs more than the
# usual 1,024.
_, _HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_HARD, _HARD))

# Read by every event loop as it is made, so loops that tests start themselves are in debug mode too.
os.environ["PYTHONASYNCIODEBUG"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


pytest_plugins = [
    "pytester",
    "tests.plugins.components",
    "tests.plugins.figures",
    "tests.plugins.requirements",
    "tests.plugins.postgres",
    "tests.plugins.kafka",
    "tests.plugins.mosquitto",
    "tests.plugins.chromium",
    "tests.plugins.clickhouse",
    "tests.plugins.certificates",
    "tests.plugins.sipp",
    "tests.plugins.baresip",
    "tests.plugins.kamailio",
    "tests.plugins.asterisk",
    "tests.plugins.switch",
    "tests.plugins.tshark",
    "tests.plugins.espeak",
    "tests.plugins.ffmpeg",
]
