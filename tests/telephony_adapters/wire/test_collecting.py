from __future__ import annotations

import subprocess
import sys


def test_what_is_loaded_is_set_aside_and_new_garbage_is_still_found() -> None:
    code = """
import gc, weakref
from telephony_adapters.wire.collecting import collect_seldom
collect_seldom()
assert gc.get_freeze_count() > 1000 and gc.isenabled()
class Ring: pass
ring = Ring(); ring.self = ring
gone = weakref.ref(ring)
del ring
kept = [[] for _ in range(60_000)]
assert gone() is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)
