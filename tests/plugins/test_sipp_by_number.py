from __future__ import annotations

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.sipp import Sipp
from tests.plugins.sipp_by_number import carrier, refusing, ringing, talking, waiting

FATES = {"[01]": talking(0.05, 0.1), "2": waiting(), "3": refusing("603 Decline", ring_s=0.05), "9": ringing()}
CALLERS = {
    "0901": scenarios.wait(),
    "0902": scenarios.call(),
    "0903": scenarios.refused(603),
    "0904": scenarios.refused(404),
    "0909": scenarios.cancel(),
}


def test_the_end_of_the_number_decides(sipp: Sipp) -> None:
    uas = sipp.uas(carrier(FATES))
    callers = [sipp.uac(uas.address, scenario, user=user) for user, scenario in CALLERS.items()]
    assert {user: uac.wait()[:3] for user, uac in zip(CALLERS, callers, strict=True)} == dict.fromkeys(
        CALLERS, (1, 1, 0)
    )
    assert uas.wait()[:3] == (len(CALLERS), len(CALLERS), 0), uas.errors()
