from __future__ import annotations

import pytest

from simulator.wire.course import Login
from simulator.wire.gatekeeper import PROXY, USER, Gatekeeper, Refusal
from simulator.wire.profile import Auth, Challenges
from telephony_adapters.sip.digest import Attempt, Credentials, DigestSession, Outcome
from telephony_adapters.sip.message import Request
from tests.simulator.wire.test_line import invite

URI = "sip:0900000001@192.0.2.2"


def keeper(challenge: Challenges = Challenges.INVITE, **more: object) -> Gatekeeper:
    return Gatekeeper(Auth(challenge=challenge, **more), seed=7)  # type: ignore[arg-type]


def retried(session: DigestSession, refusal: Refusal) -> Request:
    name = "WWW-Authenticate" if refusal.status == USER else "Proxy-Authenticate"
    values = [value for header, value in refusal.headers if header == name]
    assert session.challenged(refusal.status, values, Attempt()) is Outcome.RETRY
    return invite(*(f"{header}: {value}" for header, value in session.authorize("INVITE", URI, "cnonce")))


def session(word: str = "dialer") -> DigestSession:
    return DigestSession([Credentials("dialer", word)])


@pytest.mark.parametrize(("login", "status"), [(Login.PROFILE, PROXY), (Login.USER, USER), (Login.PROXY, PROXY)])
def test_an_invite_without_credentials_is_challenged_and_with_them_let_in(login: Login, status: int) -> None:
    gate, caller = keeper(), session()
    refusal = gate.judge(invite(), 100.0, login=login)
    assert refusal is not None
    assert refusal.status == status
    assert gate.judge(retried(caller, refusal), 100.1, login=login, refused=1) is None


def test_a_wrong_password_and_an_unknown_user_are_challenged_again() -> None:
    gate = keeper()
    for who in (session("wrong"), DigestSession([Credentials("nobody", "dialer")])):
        refusal = gate.judge(invite(), 100.0)
        assert refusal is not None
        assert gate.judge(retried(who, refusal), 100.1) is not None


def test_a_scene_may_find_the_first_nonce_stale() -> None:
    gate, caller = keeper(Challenges.NEVER), session()
    first = gate.judge(invite(), 100.0, login=Login.STALE)
    assert first is not None
    second = gate.judge(retried(caller, first), 100.1, login=Login.STALE, refused=1)
    assert second is not None
    assert "stale=true" in second.headers[0][1]
    assert gate.judge(retried(caller, second), 100.2, login=Login.STALE, refused=2) is None


def test_a_nonce_wears_out() -> None:
    gate, caller = keeper(nonce_s=10.0), session()
    refusal = gate.judge(invite(), 100.0)
    assert refusal is not None
    late = gate.judge(retried(caller, refusal), 111.0)
    assert late is not None
    assert "stale=true" in late.headers[0][1]


@pytest.mark.parametrize(("login", "named"), [(Login.MD5, ["MD5"]), (Login.SHA256, ["SHA-256"])])
def test_a_scene_may_offer_one_algorithm(login: Login, named: list[str]) -> None:
    gate, caller = keeper(Challenges.NEVER), session()
    refusal = gate.judge(invite(), 100.0, login=login)
    assert refusal is not None
    assert [value.partition("algorithm=")[2].partition(",")[0] for _, value in refusal.headers] == named
    assert gate.judge(retried(caller, refusal), 100.1, login=login) is None


def test_the_profile_says_who_is_asked() -> None:
    wanted = {
        challenge: [keeper(challenge).wants(m) for m in ("INVITE", "REGISTER", "OPTIONS")] for challenge in Challenges
    }
    assert wanted == {
        Challenges.NEVER: [False, False, False],
        Challenges.INVITE: [True, True, False],
        Challenges.ALL: [True, True, True],
    }
    assert keeper(Challenges.NEVER).judge(invite(), 100.0) is None


def test_a_refusal_that_nothing_satisfies_bears_challenges_too() -> None:
    assert [name for name, _ in keeper().challenge(USER, 100.0)] == ["WWW-Authenticate"] * 2
    assert [name for name, _ in keeper().challenge(PROXY, 100.0)] == ["Proxy-Authenticate"] * 2


def test_the_same_seed_gives_the_same_nonces() -> None:
    assert keeper().challenge(USER, 100.0) == keeper().challenge(USER, 100.0)
    other = Gatekeeper(Auth(), seed=8)
    assert other.challenge(USER, 100.0) != keeper().challenge(USER, 100.0)
