"""From SIP to the twelve statuses: the whole chain, adapter's event, engine's facts, classification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.calls import Call
from dialer.core.events import CallEnded, CallEvent, CallProgressed, CallRinging, EarlyMediaHeard
from dialer.core.types import AttemptIntent, Lead
from statuses.classify import Verdict, classify
from statuses.outcomes import Announcement, CancelReason, EndedBy, LocalError
from telephony_adapters.trunks.causes import ReasonValue, announced, hung_up, not_placed, progress, refused
from telephony_adapters.trunks.guard import Refusal, RefusalReason
from telephony_adapters.trunks.model import Trunk
from telephony_adapters.trunks.reading import table
from telephony_adapters.trunks.routes import Closed, ClosedReason
from telephony_adapters.trunks.spend import CapReached
from tests.statuses.test_q850_causes import CAUSES
from tests.statuses.test_sip_causes import CODES, PAIRED

NOW = 1_800_000_000.0


def q850(cause: int | None, location: str = "", text: str = "") -> ReasonValue:
    return "Q.850", cause, text, location


def verdict(
    ended: CallEnded,
    *,
    rang: bool = False,
    progressed: bool = False,
    cancel: CancelReason | None = None,
    answered: bool = False,
    bridged: bool = False,
) -> Verdict:
    """Classify as the engine does."""
    intent = AttemptIntent("c", 1, 1, 1, "+84900000001", "+842471000001", "a", 1, NOW)
    call = Call(intent, Lead(1, 1, 1, "+84900000001"))
    call.ringing_at, call.progressed, call.cancel_reason = NOW if rang else None, progressed, cancel
    call.answered_at, call.bridged_at = NOW if answered else None, NOW if bridged else None
    return classify(call.facts(ended, NOW + 5.0))


@pytest.mark.parametrize(("status", "quiet", "rung"), CODES)
def test_every_final_response_alone(status: int, quiet: str, rung: str) -> None:
    assert verdict(refused("c", status)).status == quiet
    assert verdict(refused("c", status), rang=True).status == rung


@pytest.mark.parametrize(("status", "cause", "quiet", "rung"), PAIRED)
def test_every_response_whose_cause_disagrees(status: int, cause: int, quiet: str, rung: str) -> None:
    ended = refused("c", status, reasons=[("SIP", status, "", ""), q850(cause)])
    assert (verdict(ended).status, verdict(ended, rang=True).status) == (quiet, rung)


@pytest.mark.parametrize(("cause", "quiet", "rung"), [row for row in CAUSES if row[0] not in {16, 31}])
def test_every_specific_cause_in_a_response(cause: int, quiet: str, rung: str) -> None:
    ended = refused("c", 500, reasons=[q850(cause)])
    assert (verdict(ended).status, verdict(ended, rang=True).status) == (quiet, rung)


def test_a_cause_that_the_persons_own_phone_gave_is_theirs() -> None:
    assert verdict(refused("c", 603, reasons=[q850(21, "U")])).status == "busy"
    assert verdict(refused("c", 403, reasons=[q850(21, "LN")])).status == "congestion"


@pytest.mark.parametrize("rang", [False, True])
def test_603_network_blocked_is_not_the_person(rang: bool) -> None:
    """ATIS-1000099: the Reason carries cause 21 and the analytics engine's words."""
    blocked = refused("c", 603, phrase="Network Blocked", reasons=[q850(21, "LN", "v=analytics1;url=https://a.vn")])
    assert blocked.reason_text == "Network Blocked; v=analytics1;url=https://a.vn"
    assert (verdict(blocked, rang=rang).status, verdict(blocked).rule) == ("congestion", "sip.603.network_blocked")
    assert verdict(refused("c", 603, phrase="Decline"), rang=rang).status == "busy"


def test_a_trunk_that_says_nothing_is_dead_and_one_that_tried_is_not() -> None:
    silent = refused("c", 408, made_here=True)
    assert (verdict(silent).status, verdict(silent).rule) == ("congestion", "sip.408.no_trying")
    assert verdict(refused("c", 408), progressed=True).status == "not-available"
    assert verdict(refused("c", 503, made_here=True)).status == "congestion"


def test_a_487_is_ours_only_after_our_cancel() -> None:
    ours = refused("c", 487, cancelled=True, reasons=[q850(16)])
    assert ours.ended_by is EndedBy.DIALER
    assert verdict(ours, rang=True, cancel=CancelReason.RING_TIMEOUT).status == "cancel"
    assert verdict(ours, progressed=True, cancel=CancelReason.RING_TIMEOUT).status == "not-available"
    assert verdict(refused("c", 487), rang=True).status == "no-answered"
    crossed = refused("c", 486, cancelled=True)
    assert crossed.ended_by is EndedBy.REMOTE
    never = refused("c", 408, cancelled=True, made_here=True)
    assert verdict(never, cancel=CancelReason.RING_TIMEOUT).sub_reason == "trunk_silent"


def test_redirection_is_not_followed_and_our_credentials_are_our_fault() -> None:
    assert verdict(refused("c", 302)).sub_reason == "redirected"
    assert verdict(refused("c", 407)).sub_reason == "trunk_credentials"


@pytest.mark.parametrize(
    ("status", "given", "made_here", "rests"),
    [(503, 30.0, False, 30.0), (503, 1e9, False, 3600.0), (503, None, False, None), (503, 30.0, True, None),
     (486, 30.0, False, None)],
)  # fmt: skip
def test_only_a_503_rests_the_trunk(status: int, given: float | None, made_here: bool, rests: float | None) -> None:
    assert refused("c", status, retry_after_s=given, made_here=made_here).retry_after_s == rests


@pytest.mark.parametrize(
    ("by", "by_agent", "ended_by", "text"),
    [
        ("remote", False, EndedBy.REMOTE, None),
        ("local", False, EndedBy.DIALER, None),
        ("local", True, EndedBy.AGENT, None),
        ("timer", False, EndedBy.DIALER, "the session was not refreshed (RFC 4028)"),
        ("lost", False, EndedBy.REMOTE, "the far end no longer knew the call"),
    ],
)
def test_how_an_answered_call_ends(by: str, by_agent: bool, ended_by: EndedBy, text: str | None) -> None:
    ended = hung_up("c", by, by_agent=by_agent)
    assert ended == CallEnded("c", sip_status=200, ended_by=ended_by, reason_text=text)
    assert verdict(ended, rang=True, answered=True, bridged=True).status == "answered"
    assert verdict(ended, rang=True, answered=True).status == "busy-line"


def test_the_cause_of_a_bye_is_kept_and_changes_nothing() -> None:
    ended = hung_up("c", "remote", reasons=[q850(17, "U", "bye"), q850(16)])
    assert (ended.q850, ended.q850_location, ended.reason_text) == (17, "U", "bye")
    assert verdict(ended, answered=True, bridged=True).status == "answered"


@pytest.mark.parametrize(
    ("why", "sub_reason", "rests"),
    [
        (Refusal(RefusalReason.PREMIUM, "841900"), "not_allowed", None),
        (CapReached("", 3600.0), "daily_cap", 3600.0),
    ],
)
def test_what_our_rules_forbid_is_failed_and_says_why(
    why: Refusal | CapReached, sub_reason: str, rests: float | None
) -> None:
    ended = not_placed("c", why)
    assert (verdict(ended).status, verdict(ended).sub_reason, verdict(ended).counts) == ("failed", sub_reason, False)
    assert ended.local_error in {LocalError.NOT_ALLOWED, LocalError.DAILY_CAP}
    assert (ended.retry_after_s, bool(ended.reason_text)) == (rests, True)


def test_a_closed_gate_is_no_capacity_and_rests_the_trunk() -> None:
    ended = not_placed("c", Closed(ClosedReason.DOWN, 25.0))
    assert (ended.retry_after_s, ended.reason_text) == (25.0, "trunk: down")
    assert (verdict(ended).status, verdict(ended).counts) == ("congestion", False)


LOCKED, MAILBOX = Announcement.LOCKED, Announcement.MAILBOX


def trunk(**more: object) -> Trunk:
    return table(Trunk, {"server": "a.vn", "channels": 1, "cps": 1} | more, "trunk", name="a")


@pytest.mark.parametrize(
    ("status", "more", "settings", "event"),
    [
        (100, {"announcement": ["locked"]}, {}, CallProgressed("c")),
        (180, {}, {}, CallRinging("c")),
        (180, {"has_sdp": True}, {}, CallRinging("c")),
        (181, {}, {}, CallProgressed("c")),
        (183, {}, {}, CallProgressed("c")),
        (183, {"has_sdp": True}, {}, EarlyMediaHeard("c")),
        (183, {"has_sdp": True}, {"ringing_183": True}, CallRinging("c")),
        (183, {}, {"ringing_183": True}, CallProgressed("c")),
        (183, {"has_sdp": True, "early_media": ["inactive"]}, {"ringing_183": True}, CallProgressed("c")),
        (183, {"has_sdp": True, "early_media": ["gated, sendonly"]}, {}, EarlyMediaHeard("c")),
        (183, {"announcement": ["locked"]}, {}, EarlyMediaHeard("c", LOCKED)),
        (183, {"has_sdp": True, "announcement": ["Mailbox"]}, {"ringing_183": True}, EarlyMediaHeard("c", MAILBOX)),
        (183, {"announcement": ["music"], "has_sdp": True}, {}, EarlyMediaHeard("c")),
        (
            183, {"announcement": ['<http://a.vn/SO BI KHOA.wav>;info="x"']},
            {"announcement_header": "Alert-Info", "announcements": {"so bi khoa": "locked", "so": "mailbox"}},
            EarlyMediaHeard("c", LOCKED),
        ),
    ],
)  # fmt: skip
def test_what_a_provisional_response_means(
    status: int, more: dict[str, object], settings: dict[str, object], event: CallEvent
) -> None:
    assert progress("c", status, trunk(**settings), **more) == event  # type: ignore[arg-type]  # a table of arguments


def test_no_word_is_no_announcement() -> None:
    assert announced([], {"locked": LOCKED}) is None
    assert announced(["x"], {}) is None


values = st.tuples(
    st.sampled_from(("Q.850", "q.850", "SIP", "X", "")), st.none() | st.integers(-9, 999), st.text(), st.text()
)


@given(st.integers(300, 699), st.text(), st.lists(values, max_size=4), st.booleans(), st.booleans())
def test_total_for_whatever_a_carrier_says(
    status: int, phrase: str, reasons: list[ReasonValue], made_here: bool, cancelled: bool
) -> None:
    ended = refused("c", status, phrase=phrase, reasons=reasons, made_here=made_here, cancelled=cancelled)
    assert ended.q850 is None or 1 <= ended.q850 <= 127
    assert ended.reason_text is None or (ended.reason_text.isprintable() and 0 < len(ended.reason_text) <= 200)
    verdict(ended)
