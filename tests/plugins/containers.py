"""Whether this machine can start containers: the second link of each real component's chain, after an address."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import shutil
import subprocess


@functools.cache
def containers() -> bool:
    """Say whether the package testcontainers is here and a Docker engine answers."""
    if importlib.util.find_spec("testcontainers") is None or shutil.which("docker") is None:
        return False
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=10).returncode == 0
    return False
