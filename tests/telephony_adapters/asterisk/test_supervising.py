from __future__ import annotations

from dialer.core.types import Supervision
from tests.telephony_adapters.asterisk.scenes import driven, joined


def test_a_supervisor_changes_what_they_may_do() -> None:
    side = driven()
    call = joined(side)
    known = set(side.model.legs)
    side.machine.supervise(call, "boss", Supervision.WHISPER)
    side.go_on()
    (boss,) = side.model.legs.keys() - known
    side.model.answer(boss)
    side.go_on()
    (ear,) = side.model.legs.keys() - known - {boss}
    assert side.model.legs[ear].bridge == side.model.legs[boss].bridge != side.model.legs[call].bridge
    assert [request.query["whisper"] for request in side.sent if "/snoop/" in request.path] == ["out"]
    side.machine.supervise(call, "boss", Supervision.BARGE)
    side.go_on()
    assert ear not in side.model.legs
    assert side.model.legs[boss].bridge == side.model.legs[call].bridge
    side.model.end(call)
    side.go_on()
    assert not side.model.legs
