"""What desks say is read strictly, and what is wrong with it is said without repeating it."""

from __future__ import annotations

import pytest

from dialer.agents.messages import (
    BadMessage,
    Presence,
    Result,
    Transfer,
    WrapUp,
    decode,
    decode_command,
    encode,
)

WRAP_UP = WrapUp.model_validate({
    "id": "1", "session": "s", "call_id": "c", "result": "callback", "callback_at": "2026-03-02T09:00:00+07:00",
})  # fmt: skip


def test_a_message_comes_back_as_it_was_sent() -> None:
    assert decode_command(encode(WRAP_UP)) == WRAP_UP
    assert WRAP_UP.result is Result.CALLBACK


def test_fields_of_later_versions_of_a_writer_are_ignored() -> None:
    assert decode(Presence, b'{"v": 1, "session": "s", "online": true, "mood": "good"}') == Presence(
        session="s", online=True
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"[]", b'{"type": "no_such"}', b'{"type": "ready", "id": "", "session": "s"}',
        b'{"v": 2, "type": "ready", "id": "1", "session": "s"}', b'{"type": "ready", "id": "1"}',
        b'{"type": "wrap_up", "id": "1", "session": "s", "call_id": "c", "result": "callback"}',
        b'{"type": "wrap_up", "id": "1", "session": "s", "call_id": "c", "callback_at": "2026-03-02T09:00:00+07:00"}',
        b'{"type": "transfer", "id": "1", "session": "s", "call_id": "c"}',
        b'{"type": "transfer", "id": "1", "session": "s", "call_id": "c", "to_phone": "0900000001"}',
        b'{"type": "transfer", "id": "1", "session": "s", "call_id": "c", "to_phone": "+84900000001", "to_agent": "a"}',
        b'{"type": "dial", "id": "1", "session": "s"}', b"x" * 20_000, None, 7,
        b'{"type": "dial", "id": "1", "session": "s", "lead_id": 9223372036854775808}',
        b'{"type": "dial", "id": "1", "session": "s", "lead_id": 0}',
        b'{"type": "accept", "id": "1", "session": "s", "lead_id": 1000000000000000000000000000000}',
    ],
)  # fmt: skip
def test_what_is_no_command_is_refused(payload: object) -> None:
    with pytest.raises(BadMessage):
        decode_command(payload)


def test_no_number_is_repeated_in_what_is_said_of_a_bad_message() -> None:
    with pytest.raises(BadMessage) as refused:
        decode(Transfer, b'{"id": "1", "session": "s", "call_id": "c", "to_phone": "0900000001"}')
    assert "0900000001" not in str(refused.value)
    assert str(refused.value).startswith("to_phone: ")


def test_what_no_database_takes_is_left_out_of_a_note() -> None:
    said = decode_command(
        b'{"type": "wrap_up", "id": "1", "session": "s", "call_id": "c", "note": "a\\u0000b\\nc", '
        b'"disposition": "x\\u001b"}'
    )
    assert isinstance(said, WrapUp)
    assert (said.note, said.disposition) == ("ab\nc", "x")
