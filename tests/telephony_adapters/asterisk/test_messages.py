from __future__ import annotations

import msgspec

from telephony_adapters.asterisk.messages import EVENTS, AriEvent, is_done


def test_an_event_keeps_what_is_needed_of_it() -> None:
    raw = (
        b'{"type":"ChannelDestroyed","cause":17,"cause_txt":"User busy","tech_cause":486,"application":"dialer",'
        b'"channel":{"id":"c1","state":"Down","caller":{"name":"","number":"1"},"language":"en"}}'
    )
    event = msgspec.json.decode(raw, type=AriEvent)
    assert (event.cause, event.tech_cause, event.args) == (17, 486, ())
    assert event.channel is not None
    assert (event.channel.id, event.channel.caller.number) == ("c1", "1")
    assert event.type in EVENTS


def test_a_request_is_done_by_any_2xx() -> None:
    assert [is_done(status) for status in (200, 204, 0, 404, 500)] == [True, True, False, False, False]
