from __future__ import annotations

import msgspec
import pytest

from telephony_adapters.asterisk.numbers import dialled, e164
from tests.telephony_adapters.asterisk.scenes import SERVER


@pytest.mark.parametrize(
    ("form", "leaves"), [("e164", "84900000001"), ("e164_plus", "+84900000001"), ("national", "0900000001")]
)
def test_numbers_leave_as_the_trunk_wants_them_and_come_back_as_e164(form: str, leaves: str) -> None:
    server = msgspec.structs.replace(SERVER, number_format=form)
    assert dialled(server, "+84900000001") == leaves
    assert e164(server, leaves) == "+84900000001"


def test_what_is_no_number_stays_as_it_is() -> None:
    for what in ("18001", "anonymous", "", "1900"):
        assert dialled(SERVER, what) == what
        assert e164(SERVER, what) == what
    assert e164(SERVER, "0066000000001") == "+66000000001"
