"""Calls over trunks: the same events for the same fates as the in-process carrier gives."""

from __future__ import annotations

import pytest

from dialer.core.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallProgressed,
    CallRinging,
    EarlyMediaHeard,
    TrunkClosed,
    TrunkOpened,
)
from dialer.ports import CallStatusAtSwitch
from simulator.wire.impair import Weather
from statuses.outcomes import AmdResult, Announcement, CancelReason, EndedBy, LocalError
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.sdp import Codec
from telephony_adapters.sip.srv import Server
from telephony_adapters.trunks.spend import MICRO, Cap
from tests.telephony_adapters.sip.pair import reply
from tests.telephony_adapters.trunks.bank import Habits
from tests.telephony_adapters.trunks.stage import CUSTOMERS, HERE, ONE, TWO, Stage


def told(stage: Stage, data: bytes, flow: Flow = CUSTOMERS) -> None:
    """Let the machine hear a message that a test wrote."""
    stage.do(lambda now: stage.machine.receive(data, flow, now))


NEVER = Habits(picks_up_s=None)
SILENT = Habits(picks_up_s=None, rings=False)


def test_an_answered_call_rings_is_answered_and_is_hung_up() -> None:
    stage = Stage()
    stage.answered()
    (invite,) = stage.sent("INVITE")
    assert invite.uri == f"sip:{ONE}@192.0.2.2"
    assert invite.get("P-Asserted-Identity") == "<sip:+842400000001@192.0.2.2>"
    assert invite.call_id == "c1@dialer.invalid"
    assert stage.machine.snapshot() == [CallStatusAtSwitch("c1", answered=True)]
    stage.hang_up(reason=CancelReason.OVERFLOW)
    stage.run(1)
    assert stage.heard == [
        CallRinging("c1"), CallAnswered("c1"), CallEnded("c1", sip_status=200, ended_by=EndedBy.DIALER),
    ]  # fmt: skip
    assert stage.quiet()


@pytest.mark.parametrize("status", [302, 403, 404, 480, 486, 487, 503, 603])
def test_a_refused_call_ends_with_the_status_as_it_came(status: int) -> None:
    stage = Stage(customers={ONE: Habits(refuses=status)})
    stage.call()
    stage.run(1)
    assert stage.end().sip_status == status
    assert stage.end().ended_by is EndedBy.REMOTE
    assert stage.quiet()


def test_silence_ends_by_our_own_timer() -> None:
    stage = Stage()
    stage.network.unplug(CUSTOMERS)
    stage.call()
    stage.run(31.9)
    assert stage.heard == []
    stage.run(0.2)
    assert stage.end() == CallEnded("c1", sip_status=408, ended_by=EndedBy.DIALER)


def test_provisional_responses_are_told_once_each_in_whatever_order_they_come() -> None:
    stage = Stage(trunk='announcement_header = "X-Said"\n', customers={ONE: SILENT})
    stage.call()
    stage.run(0.1)
    (invite,) = stage.sent("INVITE")
    sdp = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
    script: list[tuple[int, dict[str, object]]] = [
        (100, {}), (100, {}), (183, {"body": sdp}), (183, {"body": sdp}), (180, {}), (181, {}), (180, {}),
        (183, {"headers": [("X-Said", "mailbox")]}), (183, {"headers": [("X-Said", "mailbox")]}),
        (183, {"body": sdp}),
    ]  # fmt: skip
    for status, more in script:
        told(stage, reply(invite, status, **more))  # type: ignore[arg-type]
    assert stage.heard == [
        CallProgressed("c1"), EarlyMediaHeard("c1"), CallRinging("c1"), EarlyMediaHeard("c1", Announcement.MAILBOX),
    ]  # fmt: skip
    said = [("X-Said", "mailbox")]
    told(stage, reply(invite, 200, body=sdp, headers=said))
    assert stage.heard[4:] == [CallAnswered("c1", AmdResult.MACHINE)]


def test_the_carriers_word_for_a_mailbox_in_its_200_is_told_with_the_answer() -> None:
    stage = Stage(trunk='announcement_header = "X-Said"\n', customers={ONE: SILENT})
    stage.call()
    stage.run(0.1)
    (invite,) = stage.sent("INVITE")
    said = [("X-Said", "mailbox")]
    told(stage, reply(invite, 200, headers=said))
    assert stage.heard[:2] == [EarlyMediaHeard("c1", Announcement.MAILBOX), CallAnswered("c1", AmdResult.MACHINE)]


def test_media_that_only_a_183_described_are_used() -> None:
    stage = Stage(customers={ONE: Habits(early=True, silent_200=True)})
    stage.talking()
    assert stage.short == ["EarlyMediaHeard", "CallAnswered", "CallConnected"]


def test_an_answer_without_media_is_told_and_hung_up() -> None:
    stage = Stage(customers={ONE: Habits(silent_200=True)})
    stage.call()
    stage.run(1)
    assert stage.short == ["CallRinging", "CallAnswered", "CallEnded"]
    assert stage.quiet()


def test_an_offer_that_nobody_can_take_is_told_as_an_answer_and_hung_up() -> None:
    stage = Stage(trunk='offer = "none"\n', customers={ONE: Habits(codecs=(Codec(18, "G729"),))})
    stage.call()
    stage.run(1)
    assert stage.short == ["CallRinging", "CallAnswered", "CallEnded"]
    assert stage.quiet()


# --- hanging up -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(CancelReason))
def test_a_ringing_call_is_cancelled(reason: CancelReason) -> None:
    stage = Stage(customers={ONE: NEVER})
    stage.call()
    stage.run(1)
    stage.hang_up(reason=reason)
    stage.hang_up(reason=reason)
    stage.run(1)
    end = CallEnded("c1", sip_status=487, ended_by=EndedBy.DIALER, reason_text="Request Terminated")
    assert stage.heard == [CallRinging("c1"), end]
    (cancel,) = stage.sent("CANCEL")
    elsewhere = 'SIP;cause=200;text="Call completed elsewhere"'
    own = f'SIP;cause=487;text="{reason}"'
    assert cancel.get("Reason") == (elsewhere if reason is CancelReason.ANSWERED_ELSEWHERE else own)
    assert stage.quiet()


def test_a_call_that_heard_nothing_yet_is_cancelled_when_it_does() -> None:
    stage = Stage(customers={ONE: SILENT})
    stage.call()
    stage.hang_up()
    stage.run(1)
    assert stage.end().sip_status == 487
    assert len(stage.sent("CANCEL")) == 1


def test_a_call_that_is_hung_up_before_anything_comes_back_ends_by_timer_b() -> None:
    stage = Stage()
    stage.network.unplug(CUSTOMERS)
    stage.call()
    stage.hang_up()
    stage.run(33)
    assert stage.end() == CallEnded("c1", sip_status=408, ended_by=EndedBy.DIALER)
    assert stage.sent("CANCEL") == []


@pytest.mark.parametrize("reason", list(CancelReason))
def test_an_answer_that_crosses_our_cancel_is_told_unless_an_admin_ended_the_call(reason: CancelReason) -> None:
    stage = Stage(customers={ONE: Habits(picks_up_s=None, late_200=True)})
    stage.call()
    stage.run(1)
    stage.hang_up(reason=reason)
    stage.run(1)
    if reason is CancelReason.ADMIN:
        assert stage.heard == [CallRinging("c1"), CallEnded("c1", sip_status=200, ended_by=EndedBy.DIALER)]
    else:
        assert stage.heard == [CallRinging("c1"), CallAnswered("c1")]
        stage.connect()
        stage.run(1)
        assert CallConnected("c1", "a1") in stage.heard
        stage.hang_up()
        stage.run(1)
        assert stage.end().sip_status == 200
    assert len(stage.sent("BYE", CUSTOMERS)) == 1
    assert stage.quiet()


def test_an_admin_who_comes_after_another_hangup_has_the_last_word() -> None:
    stage = Stage(customers={ONE: Habits(picks_up_s=None, late_200=True)})
    stage.call()
    stage.run(1)
    stage.hang_up(reason=CancelReason.RING_TIMEOUT)
    stage.hang_up(reason=CancelReason.ADMIN)
    stage.run(1)
    assert stage.of(CallAnswered) == []
    assert stage.quiet()


def test_an_answer_that_comes_after_the_end_is_hung_up() -> None:
    stage = Stage(customers={ONE: Habits(picks_up_s=40.0, rings=False)}, latency_s=0.01)
    stage.there.impairment.set(stage.there.impairment.weather.__class__(loss=1.0))
    stage.call()
    stage.run(35)
    assert stage.end().sip_status == 408
    stage.there.impairment.set(stage.there.impairment.weather.__class__())
    stage.run(10)
    assert stage.customer.ended == ["remote"]
    assert stage.quiet()


@pytest.mark.parametrize(("after_s", "is_told"), [(7.9, True), (8.1, False)])
def test_an_answer_long_after_the_hangup_is_hung_up_for_the_engine_waits_no_longer(
    after_s: float, is_told: bool
) -> None:
    stage = Stage(customers={ONE: SILENT})
    stage.call()
    stage.run(1)
    (invite,) = stage.sent("INVITE")
    stage.network.unplug(CUSTOMERS)  # its CANCEL is never answered
    told(stage, reply(invite, 100))
    stage.hang_up()
    stage.run(after_s)
    told(stage, reply(invite, 200, body=stage.customers._describe(stage.customer, "sendrecv")))
    assert (stage.of(CallAnswered) != []) is is_told
    assert len(stage.sent("BYE")) == (not is_told)


def test_what_the_engine_is_to_hear_is_not_lost_when_the_journal_fails() -> None:
    stage = Stage()

    def full(what: str, _leg: Leg, _now: float) -> None:
        if what != "placed":
            raise OSError(28, "no space left")

    stage.machine.on_leg = full
    stage.call()
    with pytest.raises(OSError, match="no space"):
        stage.run(1)
    assert stage.machine.take_events() == [CallAnswered("c1")]
    stage.hang_up()
    with pytest.raises(OSError, match="no space"):
        stage.run(1)
    assert [type(event) for event in stage.machine.take_events()] == [CallEnded]


def test_unknown_ids_are_ignored() -> None:
    stage = Stage()
    stage.hang_up("nobody")
    assert stage.heard == []


# --- limits -------------------------------------------------------------------------------------------------------


def test_a_call_that_the_engine_forgets_ends_by_itself() -> None:
    stage = Stage(customers={ONE: NEVER})
    stage.call(ring_s=30.0)
    stage.run(34.9)
    assert stage.sent("CANCEL") == []
    stage.run(0.5)
    assert stage.end().sip_status == 487


def test_what_never_rings_ends_a_little_after_the_engine_should_have_ended_it() -> None:
    stage = Stage(customers={ONE: SILENT})
    stage.call(ring_s=30.0)
    stage.run(44.9)
    assert stage.sent("CANCEL") == []
    stage.run(0.5)
    assert stage.end().sip_status == 487


def test_no_call_rings_for_longer_than_its_trunk_lets_it() -> None:
    stage = Stage(trunk="ring_limit_s = 10\n", customers={ONE: NEVER})
    stage.call(ring_s=600.0)
    stage.run(9.9)
    assert stage.sent("CANCEL") == []
    stage.run(0.5)
    assert (stage.end().sip_status, stage.end().ended_by) == (487, EndedBy.DIALER)
    (cancel,) = stage.sent("CANCEL")
    assert cancel.get("Reason") == 'SIP;cause=487;text="ring_timeout"'


def test_no_call_lasts_longer_than_its_trunk_lets_it() -> None:
    stage = Stage(trunk="call_limit_s = 10\n")
    stage.talking()
    stage.run(10)
    assert stage.end() == CallEnded("c1", sip_status=200, ended_by=EndedBy.DIALER)
    assert stage.quiet()


def test_calls_end_at_the_cap_of_the_day() -> None:
    money = 'rates = { "" = { per_minute = 600, increments = "1/1" } }\n'
    stage = Stage(trunk=money, caps={"main": Cap(micro=100 * MICRO)})
    stage.talking()
    stage.run(20)
    assert stage.end().ended_by is EndedBy.DIALER
    assert stage.ledger.spent(stage.now, "main").micro <= 100 * MICRO
    stage.call("c2", TWO)
    stage.run(0.1)
    assert stage.of(CallEnded)[1].local_error is LocalError.DAILY_CAP


def test_a_call_that_may_not_be_placed_never_leaves() -> None:
    stage = Stage()
    stage.call("c1", "+8419001234")
    stage.call("c2", ONE, hotline="not a number")
    assert [end.local_error for end in stage.of(CallEnded)] == [LocalError.NOT_ALLOWED, LocalError.NO_HOTLINE]
    assert stage.sent("INVITE") == []
    assert stage.quiet()


def test_a_live_id_and_an_unknown_trunk_are_mistakes_of_ours() -> None:
    stage = Stage()
    stage.call()
    with pytest.raises(ValueError, match="live already"):
        stage.call()
    with pytest.raises(KeyError):
        stage.call("c2", trunk="none")


def test_calls_wait_for_their_turn_and_can_be_given_up_meanwhile() -> None:
    stage = Stage(trunk="", more='[trunk.slow]\nserver = "192.0.2.2"\nchannels = 9\ncps = 1\noptions_every_s = 0\n')
    for number in range(3):
        stage.call(f"c{number}", trunk="slow")
    assert len(stage.sent("INVITE")) == 1
    stage.hang_up("c1")
    assert stage.heard == [CallEnded("c1", ended_by=EndedBy.DIALER)]
    stage.run(2.5)
    assert [invite.call_id[:2] for invite in stage.sent("INVITE")] == ["c0", "c2"]


# --- trunks -------------------------------------------------------------------------------------------------------


def test_503_rests_the_trunk_and_one_call_tries_it_again() -> None:
    stage = Stage(trunk="rest_s = 30\n", customers={ONE: SILENT})
    stage.call()
    stage.run(0.1)
    (invite,) = stage.sent("INVITE")
    told(stage, reply(invite, 503, headers=[("Retry-After", "20")]))
    assert stage.end().retry_after_s == 20.0
    assert [type(event) for event in stage.heard[-1:]] == [TrunkClosed]
    stage.call("c2", TWO)
    assert stage.of(CallEnded)[1].sip_status == 503
    assert len(stage.sent("INVITE")) == 1
    stage.run(20)
    assert stage.of(TrunkOpened) == [TrunkOpened("main", 1)]
    stage.call("c3", TWO)
    stage.call("c4", TWO)
    stage.run(1)
    assert stage.of(CallAnswered) == [CallAnswered("c3")]
    assert stage.of(TrunkOpened)[1:] == [TrunkOpened("main")]


def test_a_call_whose_server_cannot_be_reached_goes_to_the_next_one() -> None:
    stage = Stage(trunk='transport = "tcp"\n')
    away, there = Flow("tcp", "192.0.2.9", 5060), Flow("tcp", CUSTOMERS.host, 5060)
    stage.customers.flow = there
    stage.network.plug(Flow("tcp", HERE.host, HERE.port), stage.machine, after_turn=stage._take)
    stage.network.plug(there, stage.customers)
    stage.lines[0].serve([Server((0,), 0, (away,)), Server((1,), 0, (there,))])
    stage.call()
    stage.run(1)
    assert stage.machine.counters["other server"] == 1
    assert [sent.uri for sent in stage.sent("INVITE", there)] == [f"sip:{ONE}@192.0.2.2"]


def test_one_silent_call_does_not_close_a_trunk_with_one_server() -> None:
    stage = Stage(customers={ONE: SILENT})
    stage.there.impairment.set(Weather(loss=1.0))
    stage.call()
    stage.run(33)
    assert stage.end().sip_status == 408
    stage.there.impairment.set(Weather())
    stage.call("c2", TWO)
    stage.run(1)
    assert stage.of(CallAnswered) == [CallAnswered("c2")]
    assert stage.of(TrunkClosed) == []
    stage.hang_up("c2")
    stage.run(1)
    assert stage.lines[0].servers.next_at(stage.now) is None, "a server that answers is not left alone"


def test_no_call_goes_in_circles_between_servers_that_cannot_be_reached() -> None:
    stage = Stage(trunk='transport = "tcp"\n')
    stage.network.plug(Flow("tcp", HERE.host, HERE.port), stage.machine, after_turn=stage._take)
    stage.lines[0].serve([Server((n,), 0, (Flow("tcp", f"192.0.2.{90 + n}", 5060),)) for n in range(2)])
    stage.call()
    stage.run(1)
    assert stage.end().sip_status == 503
    assert len(stage.sent("INVITE")) <= 2


def test_a_dead_carrier_is_not_taken_for_a_working_one_because_its_calls_are_given_up() -> None:
    stage = Stage(agents=None, trunk="failures_to_rest = 2\n")
    stage.network.unplug(CUSTOMERS)
    for number, gives_up in enumerate((False, True, False)):
        stage.call(f"c{number}", f"+8490000010{number}")
        stage.run(20)
        if gives_up:
            stage.hang_up(f"c{number}")
        stage.run(20)
    assert [event.sip_status for event in stage.of(CallEnded)] == [408] * 3
    assert [type(event) for event in stage.heard[-1:]] == [TrunkClosed]


def test_a_call_ends_with_503_when_no_server_can_be_reached_or_none_is_known() -> None:
    stage = Stage(trunk='transport = "tcp"\n')
    stage.network.plug(Flow("tcp", HERE.host, HERE.port), stage.machine, after_turn=stage._take)
    stage.call()
    stage.run(1)
    assert stage.end() == CallEnded("c1", sip_status=503, ended_by=EndedBy.DIALER)
    stage.lines[0].serve([])
    stage.call("c2", TWO)
    assert stage.of(CallEnded)[1] == CallEnded("c2", sip_status=503, ended_by=EndedBy.DIALER)


def test_two_trunks_are_apart() -> None:
    more = '[trunk.b]\nserver = "192.0.2.2"\nchannels = 1\ncps = 10\noptions_every_s = 0\nnumber_format = "national"\n'
    stage = Stage(more=more, customers={"0900000002": Habits(refuses=486)})
    stage.call("c1", ONE)
    stage.call("c2", TWO, trunk="b")
    stage.call("c3", TWO, trunk="b")
    stage.run(1)
    assert [invite.uri for invite in stage.sent("INVITE")] == [f"sip:{ONE}@192.0.2.2", "sip:0900000002@192.0.2.2"]
    assert {end.call_id: end.sip_status for end in stage.of(CallEnded)} == {"c2": 486, "c3": 503}


# --- stopping, and the others -------------------------------------------------------------------------------------


def test_a_stop_ends_everything() -> None:
    stage = Stage(agents="nailed_up = true\n", customers={TWO: NEVER})
    for agent in ("a1", "a2"):
        stage.station(agent)
    stage.run(1)
    stage.talking()
    stage.call("c2", TWO)
    stage.run(0.1)
    stage.do(stage.machine.hang_up_all)
    stage.run(1)
    assert sorted(end.call_id for end in stage.of(CallEnded)) == ["c1", "c2"]
    assert stage.quiet()


def test_an_invite_from_outside_places_no_call_and_makes_no_state() -> None:
    stage = Stage()
    for method, status in (("INVITE", 403), ("REGISTER", 405), ("BYE", 481), ("OPTIONS", 200)):
        data = (
            f"{method} sip:+84900000009@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bK{method}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:x@192.0.2.66>;tag=1\r\nTo: <sip:+84900000009@192.0.2.1>\r\n"
            f"Call-ID: {method}\r\nCSeq: 1 {method}\r\nContact: <sip:x@192.0.2.66>\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        told(stage, data, Flow("udp", "192.0.2.66", 5060))
        assert len(stage.said(status)) == 1
    assert stage.said(200)[0].get("Accept") == "application/sdp"
    assert stage.heard == []
    assert stage.sent("INVITE") == []
    assert stage.quiet()


def test_every_leg_is_noted_from_its_place_to_its_end() -> None:
    stage = Stage(agents="nailed_up = true\n", customers={TWO: Habits(refuses=486)})
    notes: list[tuple[str, str]] = []
    stage.machine.on_leg = lambda what, leg, _now: notes.append((leg.call_id[:2], what))
    stage.station()
    stage.run(1)
    stage.talking()
    stage.call("c2", TWO)
    stage.run(1)
    stage.hang_up()
    stage.station(up=False)
    stage.run(1)
    assert notes == [
        ("de", "placed"), ("de", "answered"), ("c1", "placed"), ("c1", "answered"), ("c2", "placed"), ("c2", "over"),
        ("c1", "over"), ("de", "over"),
    ]  # fmt: skip


def test_the_connection_of_a_ringing_call_breaks() -> None:
    stage = Stage(trunk='transport = "tcp"\n', customers={ONE: NEVER})
    here, there = Flow("tcp", HERE.host, HERE.port), Flow("tcp", CUSTOMERS.host, 5060)
    stage.customers.flow = there
    stage.network.plug(here, stage.machine, after_turn=stage._take)
    stage.network.plug(there, stage.customers)
    stage.call()
    stage.do(lambda now: stage.machine.flow_lost(there, "reset", now))
    assert stage.end().sip_status == 503


def test_a_trunk_whose_registration_is_refused_stays_closed_and_is_registered_again_by_itself() -> None:
    stage = Stage(agents=None, trunk='register = true\nusername = "u"\npassword = "p"\n')
    stage.network.unplug(CUSTOMERS)  # the registrar is written here
    stage.run(0.1)
    told(stage, reply(stage.sent("REGISTER")[-1], 403))
    assert stage.heard == [TrunkClosed("main", "it does not take the registration")]
    before = len(stage.sent("REGISTER"))
    due = stage.lines[0].next_at() or 0.0
    assert 900 <= due - stage.now <= 1800
    stage.run(due - stage.now + 0.1)
    assert len(stage.sent("REGISTER")) == before + 1
    again = stage.sent("REGISTER")[-1]
    told(stage, reply(again, 200, contact=again.get("Contact") or ""))
    assert stage.heard[1:] == [TrunkOpened("main")]
