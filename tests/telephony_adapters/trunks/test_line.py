from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dialer.core.events import CallAnswered, CallEnded, TrunkClosed, TrunkOpened
from dialer.errors import BadInput
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.message import Request
from telephony_adapters.sip.srv import Server
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.line import check_caller, session_of
from tests.telephony_adapters.sip.pair import reply
from tests.telephony_adapters.trunks.bank import Habits
from tests.telephony_adapters.trunks.stage import CUSTOMERS, TRUNK, TWO, Stage

LOGIN = 'username = "dialer"\npassword = "secret"\n'
CHALLENGE = 'Digest realm="carrier", nonce="n1", algorithm=SHA-256, qop="auth"'
STALE = 'Digest realm="carrier", nonce="n2", stale=true, algorithm=SHA-256, qop="auth"'


def alone(trunk: str) -> Stage:
    """Return a stage whose carrier is the test."""
    stage = Stage(agents=None)
    stage.network.unplug(CUSTOMERS)
    stage.network.plug(CUSTOMERS, Silent())
    text = TRUNK.replace("options_every_s = 0\n", "") + trunk
    stage.file = parse(text if "options_every_s" in trunk else text + "options_every_s = 0\n")
    line = type(stage.lines[0])(stage.file.trunks["main"], stage.file.numbers, stage.ledger, uniform=lambda: 0.5)
    line.serve([Server((0,), 0, (CUSTOMERS,))])
    stage.lines[0] = line
    stage.machine.trunks["main"] = line
    stage.run(0.01)
    stage.network.turn(stage.node)
    stage.run(0.01)
    return stage


class Silent:
    """Implements `Machine`: hears, and says nothing."""

    def receive(self, *_: Any) -> None: ...
    def flow_lost(self, *_: Any) -> None: ...
    def handle_timer(self, _now: float) -> None: ...
    def next_timer(self) -> float | None:
        return None

    def take_sends(self) -> list[Any]:
        return []


def answer(stage: Stage, request: Request, status: int, **more: Any) -> None:
    stage.do(lambda now: stage.machine.receive(reply(request, status, **more), CUSTOMERS, now))


def bound(request: Request, expires: int = 600) -> list[tuple[str, str]]:
    contact = (request.get("Contact") or "").partition(";expires")[0]
    return [("Contact", f"{contact};expires={expires}")]


# --- registration -------------------------------------------------------------------------------------------------


def test_a_trunk_that_registers_is_closed_until_its_registrar_knows_us() -> None:
    stage = alone(LOGIN + "register = true\nexpires_s = 600\n")
    (first,) = stage.sent("REGISTER")
    assert first.get("Authorization") is None
    assert stage.of(TrunkClosed) == [TrunkClosed("main", "it does not take the registration")]
    stage.call()
    assert stage.end().sip_status == 503
    answer(stage, first, 401, headers=[("WWW-Authenticate", CHALLENGE)])
    second = stage.sent("REGISTER")[-1]
    assert (second.cseq, second.call_id) == (first.cseq + 1, first.call_id)
    assert 'username="dialer"' in (second.get("Authorization") or "")
    answer(stage, second, 200, headers=bound(second))
    assert stage.of(TrunkOpened) == [TrunkOpened("main")]


def test_a_registration_is_refreshed_in_time_also_when_its_nonce_is_stale() -> None:
    stage = alone(LOGIN + "register = true\n")
    first = stage.sent("REGISTER")[-1]
    answer(stage, first, 200, headers=bound(first))
    stage.run(481)
    again = stage.sent("REGISTER")[-1]
    assert again.cseq > first.cseq + 1
    answer(stage, again, 401, headers=[("WWW-Authenticate", CHALLENGE)])
    answer(stage, stage.sent("REGISTER")[-1], 401, headers=[("WWW-Authenticate", STALE)])
    last = stage.sent("REGISTER")[-1]
    assert 'nonce="n2"' in (last.get("Authorization") or "")
    answer(stage, last, 200, headers=bound(last))
    assert len(stage.of(TrunkClosed)) == 1


def test_a_registration_that_is_lost_closes_the_trunk() -> None:
    stage = alone(LOGIN + "register = true\n")
    first = stage.sent("REGISTER")[-1]
    answer(stage, first, 200, headers=bound(first))
    stage.run(481)
    answer(stage, stage.sent("REGISTER")[-1], 403)
    assert [type(event) for event in stage.heard] == [TrunkClosed, TrunkOpened, TrunkClosed]


def test_a_stop_takes_leave_of_the_registrar() -> None:
    stage = alone(LOGIN + "register = true\n")
    first = stage.sent("REGISTER")[-1]
    answer(stage, first, 200, headers=bound(first))
    stage.do(stage.machine.hang_up_all)
    assert (stage.sent("REGISTER")[-1].get("Contact") or "").endswith(";expires=0")


# --- OPTIONS ------------------------------------------------------------------------------------------------------


def test_options_that_nobody_answers_close_the_trunk_and_one_that_is_opens_it() -> None:
    stage = alone("options_every_s = 30\nfailures_to_rest = 2\n")
    stage.run(33)
    assert stage.of(TrunkClosed) == []
    stage.run(40)
    assert stage.of(TrunkClosed) == [TrunkClosed("main", "OPTIONS is not answered")]
    assert len(stage.sent("OPTIONS")) > 10
    calls = {request.cseq for request in stage.sent("OPTIONS")}
    assert len(calls) >= 3
    answer(stage, stage.sent("OPTIONS")[-1], 404)
    assert stage.of(TrunkOpened) == [TrunkOpened("main")]
    assert stage.lines[0].status == 404


def test_another_trunks_answer_is_left_alone() -> None:
    more = '[trunk.b]\nserver = "192.0.2.2"\nchannels = 1\ncps = 10\noptions_every_s = 30\n'
    stage = Stage(more=more, agents=None)
    stage.network.unplug(CUSTOMERS)
    stage.do(stage.machine.handle_timer)
    (request,) = stage.sent("OPTIONS")
    answer(stage, request, 200)
    assert [line.status for line in stage.lines] == [None, 200]


def test_nothing_is_due_before_a_server_is_known() -> None:
    stage = Stage(trunk=LOGIN + "register = true\n", agents=None)
    stage.lines[0].serve([])
    assert stage.lines[0].next_at() is None
    stage.do(stage.machine.handle_timer)
    assert stage.sent("REGISTER") == []


# --- calls --------------------------------------------------------------------------------------------------------


def test_a_call_is_placed_with_its_password() -> None:
    stage = alone(LOGIN)
    stage.call()
    first = stage.sent("INVITE")[-1]
    answer(stage, first, 407, headers=[("Proxy-Authenticate", CHALLENGE)])
    second = stage.sent("INVITE")[-1]
    assert 'username="dialer"' in (second.get("Proxy-Authorization") or "")
    answer(stage, second, 407, headers=[("Proxy-Authenticate", CHALLENGE)])
    assert stage.end().sip_status == 407
    stage.call("c2", TWO)
    assert stage.sent("INVITE")[-1].get("Proxy-Authorization")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("asserted", {"P-Asserted-Identity": "<sip:0240000001@pbx.example>"}),
        ("preferred", {"P-Preferred-Identity": "<sip:0240000001@pbx.example>"}),
        ("from-only", {}),
        ("anonymous", {"P-Asserted-Identity": "<sip:0240000001@pbx.example>", "Privacy": "id"}),
    ],
)
def test_each_call_shows_its_own_hotline_as_the_trunk_wants_it(policy: str, said: dict[str, str]) -> None:
    stage = Stage(trunk=f'caller_id = "{policy}"\nnumber_format = "national"\ndomain = "pbx.example"\n')
    stage.call(hotline="+84240000001")
    (invite,) = stage.sent("INVITE")
    assert invite.uri == "sip:0900000001@pbx.example"
    shown = {
        name: value
        for name, value in invite.headers
        if name in {"P-Asserted-Identity", "P-Preferred-Identity", "Privacy"}
    }
    assert shown == said
    is_hidden = "anonymous@anonymous.invalid" in (invite.get("From") or "")
    assert is_hidden is (policy == "anonymous")


def test_a_server_that_stays_silent_is_left_alone_for_a_while() -> None:
    stage = Stage()
    other = Flow("udp", "192.0.2.8", 5060)
    stage.lines[0].serve([Server((0,), 0, (other,)), Server((1,), 0, (CUSTOMERS,))])
    stage.call()
    stage.run(33)
    assert stage.end().sip_status == 408
    stage.call("c2", TWO)
    stage.run(1)
    assert stage.of(CallAnswered) == [CallAnswered("c2")]


def test_many_numbers_that_are_refused_alike_are_an_alarm() -> None:
    habits = {f"+849000001{n:02d}": Habits(refuses=404) for n in range(25)}
    stage = Stage(customers=habits)
    for n, phone in enumerate(habits):
        stage.call(f"c{n}", phone)
        stage.run(0.2)
    assert stage.of(TrunkClosed) == [TrunkClosed("main", "many different numbers are refused")]
    assert [end.sip_status for end in stage.of(CallEnded)[:3]] == [404, 404, 404]


def test_answers_count_against_an_alarm() -> None:
    habits = {f"+849000001{n:02d}": Habits(refuses=404 if n % 2 else None) for n in range(60)}
    stage = Stage(customers=habits)
    for n, phone in enumerate(habits):
        stage.call(f"c{n}", phone)
        stage.run(0.2)
        stage.hang_up(f"c{n}")
    stage.run(1)
    assert stage.of(TrunkClosed) == []


def test_a_drained_trunk_lets_calls_finish_and_begins_none() -> None:
    stage = Stage()
    stage.talking()
    stage.do(stage.lines[0].drain)
    stage.call("c2", TWO)
    assert stage.end().sip_status == 503
    assert stage.of(TrunkClosed) == [TrunkClosed("main", "an operator drains it")]
    stage.do(lambda now: stage.lines[0].drain(now, on=False))
    assert stage.of(TrunkOpened) == [TrunkOpened("main")]
    assert len(stage.machine.snapshot()) == 1


def test_a_peer_without_a_password_answers_no_challenge() -> None:
    trunks = parse(TRUNK + '[trunk.b]\nserver = "a"\nchannels = 1\ncps = 1\n' + LOGIN).trunks
    assert session_of(trunks["main"]) is None
    assert session_of(trunks["b"]) is not None


def test_a_host_that_no_uri_can_hold_is_refused() -> None:
    check_caller(parse(TRUNK).trunks["main"])
    bad = parse(TRUNK + 'domain = "a_b"\n').trunks["main"]
    check_caller(bad)
    with pytest.raises(BadInput, match="domain"):
        check_caller(msgspec.structs.replace(bad, domain="a b>"))
