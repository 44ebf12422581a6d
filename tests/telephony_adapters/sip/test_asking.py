"""Requests outside dialogs, and digest in all that a user agent sends (RFC 3261 sections 10, 11 and 22)."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.digest import Credentials, DigestSession
from telephony_adapters.sip.events import Accepted, Ended, Refused, Renegotiated, Responded
from telephony_adapters.sip.message import Header, Request
from tests.telephony_adapters.sip.pair import OTHER_SDP, SDP, Solo, reply

CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


def session() -> DigestSession:
    return DigestSession([Credentials("user", "secret")])


def challenge(status: int, nonce: str = "n1", more: str = "") -> Header:
    return CHALLENGES[status][0], f'Digest realm="r", nonce="{nonce}", algorithm=SHA-256, qop="auth"{more}'


def proof(request: Request, status: int = 401) -> str:
    return request.get(CHALLENGES[status][1]) or ""


def asks(
    solo: Solo, method: str = "REGISTER", *, auth: DigestSession | None = None, headers: list[Header] | None = None
) -> None:
    solo.do(
        lambda ua, now: ua.ask(
            now, flow=solo.flow, method=method, uri="sip:192.0.2.10", from_="<sip:user@192.0.2.10>",
            to="<sip:user@192.0.2.10>", call_id="reg", cseq=1, token="t", auth=auth, headers=headers or [], body=b"",
        )
    )  # fmt: skip


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_register_is_sent_again_with_an_answer_and_a_higher_cseq(status: int) -> None:
    solo = Solo()
    asks(solo, auth=session(), headers=[("Expires", "300"), ("Contact", "<sip:dialer@192.0.2.1:5060>")])
    first = solo.last
    assert proof(first, status) == ""
    solo.hear(reply(first, status, headers=[challenge(status)]))
    again = solo.last
    assert (again.cseq, again.from_tag, again.call_id) == (2, first.from_tag, first.call_id)
    assert again.via.branch != first.via.branch
    assert (again.get("Expires"), again.get("Contact")) == ("300", "<sip:dialer@192.0.2.1:5060>")
    assert 'username="user"' in proof(again, status)
    assert 'uri="sip:192.0.2.10"' in proof(again, status)
    assert "nc=00000001" in proof(again, status)
    solo.hear(reply(again, 200))
    assert solo.take(Responded)[:2] == ("t", 200)
    assert solo.is_spent()


def test_a_wrong_password_ends_with_the_second_401() -> None:
    solo = Solo()
    asks(solo, auth=session())
    solo.hear(reply(solo.last, 401, headers=[challenge(401)]))
    solo.hear(reply(solo.last, 401, headers=[challenge(401, "n2")]))
    assert solo.take(Responded).status == 401
    assert len(solo.of("REGISTER")) == 2
    assert solo.is_spent()


def test_a_stale_nonce_is_answered_once_more() -> None:
    solo = Solo()
    asks(solo, auth=session())
    solo.hear(reply(solo.last, 401, headers=[challenge(401)]))
    solo.hear(reply(solo.last, 401, headers=[challenge(401, "n2", ", stale=true")]))
    assert 'nonce="n2"' in proof(solo.last)
    solo.hear(reply(solo.last, 200))
    solo.take(Responded)
    assert solo.is_spent()


def test_without_credentials_a_challenge_is_the_answer() -> None:
    solo = Solo()
    asks(solo, "OPTIONS")
    solo.hear(reply(solo.last, 401, headers=[challenge(401)]))
    assert solo.take(Responded).status == 401
    assert solo.is_spent()


def test_a_contact_of_the_asker_stands_instead_of_ours() -> None:
    solo = Solo()
    asks(solo, headers=[("Contact", "*")])
    assert solo.last.all("Contact") == ["*"]


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_invite_is_acknowledged_and_sent_again_and_so_is_all_that_follows(status: int) -> None:
    solo = Solo()
    leg = solo.invite(auth=session(), headers=[("X-More", "1")])
    invite = solo.last
    solo.hear(reply(invite, status, tag="gate", headers=[challenge(status)]))
    ack, again = solo.requests("ACK")[0], solo.last
    assert (ack.via.branch, ack.to_tag) == (invite.via.branch, "gate")
    assert (again.method, again.cseq, again.to_tag, again.get("X-More")) == ("INVITE", 2, "", "1")
    assert again.from_tag == invite.from_tag
    solo.hear(reply(again, 200, body=SDP))
    solo.take(Accepted)
    assert proof(solo.last, status) == proof(again, status)
    solo.reinvite(leg, OTHER_SDP)
    assert "nc=00000002" in proof(solo.last, status)
    solo.hear(reply(solo.last, status, headers=[challenge(status, "n2", ", stale=true")]))
    assert 'nonce="n2"' in proof(solo.last, status)
    solo.hear(reply(solo.last, 200, body=SDP))
    solo.take(Renegotiated)
    solo.bye(leg)
    solo.hear(reply(solo.last, status, headers=[challenge(status, "n3", ", stale=true")]))
    bye = solo.last
    assert (bye.method, bye.cseq) == ("BYE", 6)
    assert 'nonce="n3"' in proof(bye, status)
    solo.hear(reply(bye, 200))
    assert solo.take(Ended).by == "local"
    assert solo.is_spent()


def test_a_wrong_password_of_a_call_is_told_as_its_refusal() -> None:
    solo = Solo()
    solo.invite(auth=session())
    solo.hear(reply(solo.last, 407, headers=[challenge(407)]))
    solo.hear(reply(solo.last, 407, headers=[challenge(407, "n2")]))
    assert solo.take(Refused).status == 407
    assert len(solo.of("INVITE")) == 2
    assert solo.is_spent()


def test_a_challenged_call_that_was_cancelled_is_not_tried_again() -> None:
    solo = Solo()
    leg = solo.invite(auth=session())
    invite = solo.last
    solo.cancel(leg)
    solo.hear(reply(invite, 407, headers=[challenge(407)]))
    assert solo.take(Refused).status == 407
    assert len(solo.of("INVITE")) == 1
    assert solo.is_spent()


def test_a_late_answer_to_an_invite_with_a_password_is_known_after_a_restart() -> None:
    before = Solo()
    before.invite(auth=session())
    before.hear(reply(before.last, 401, headers=[challenge(401)]))
    after = Solo()
    after.hear(reply(before.last, 200, body=SDP))
    assert [sent.message.method for sent in after.sent] == ["ACK", "BYE"]
    after.hear(reply(after.last, 200))
    assert after.is_spent()


def test_over_a_connection_that_breaks_a_request_is_decided_as_503() -> None:
    solo = Solo()
    asks(solo, "OPTIONS")
    solo.lose()
    assert solo.take(Responded)[1:] == (503, None)
    assert solo.is_spent()
