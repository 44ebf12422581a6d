"""The server's side of digest authentication, mostly against our client's side."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.digest import HASHES, Attempt, Credentials, DigestSession, Outcome
from telephony_adapters.sip.digest_server import Checked, DigestServer, Verdict

SECRET = b"sixteen bytes or more"
PASSWORD = "hush-hush"
PASSWORDS = {"dialer": PASSWORD}
NOW = 1_790_000_000.0
URI = "sip:0900000001@carrier.example"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


def server(**options: Any) -> DigestServer:
    return DigestServer("carrier.example", SECRET, **options)


def client(challenges: list[str], password: str = PASSWORD, username: str = "dialer") -> DigestSession:
    session = DigestSession([Credentials(username, password)], tuple(HASHES))
    assert session.challenged(407, challenges, Attempt()) is Outcome.RETRY
    return session


def check(
    here: DigestServer, session: DigestSession, *, now: float = NOW, method: str = "INVITE", cnonce: str = "c"
) -> Checked:
    values = [value for _, value in session.authorize(method, URI, cnonce)]
    return here.verify(values, method, now=now, lookup=PASSWORDS.get, uri=URI)


@settings(max_examples=60)
@given(
    algorithm=st.sampled_from([name + end for name in HASHES for end in ("", "-sess")]),
    qop=st.sampled_from(["auth", "auth-int"]),
    names=st.tuples(TEXT, TEXT, TEXT),
    body=st.binary(max_size=30),
    cnonce=TEXT,
)
def test_what_our_client_answers_our_server_takes(
    algorithm: str, qop: str, names: tuple[str, str, str], body: bytes, cnonce: str
) -> None:
    realm, username, password = names
    here = DigestServer(realm, SECRET, algorithms=(algorithm,), qops=(qop,))
    session = client(here.challenge(NOW), password, username)
    for _ in range(3):
        values = [value for _, value in session.authorize("INVITE", URI, cnonce, body)]
        checked = here.verify(values, "INVITE", now=NOW, lookup={username: password}.get, uri=URI, body=body)
        assert checked == (Verdict.GENUINE, username)
        other = here.verify(values, "INVITE", now=NOW, lookup={username: password}.get, uri=URI, body=body + b"x")
        assert other.verdict is (Verdict.REPLAYED if qop == "auth" else Verdict.WRONG)


def test_a_challenge_names_each_algorithm_the_best_first() -> None:
    first, second = server().challenge(NOW, stale=True)
    assert first.startswith('Digest realm="carrier.example", nonce="')
    assert first.endswith('", algorithm=SHA-256, qop="auth", stale=true')
    assert second == first.replace("SHA-256", "MD5")


def test_every_nonce_is_another_even_at_one_moment() -> None:
    here = server()
    nonces = {here.challenge(NOW)[0] for _ in range(100)}
    assert len(nonces) == 100
    assert all(check(here, client([each])).verdict is Verdict.GENUINE for each in nonces)


def test_the_same_time_and_secret_give_the_same_nonce() -> None:
    assert server().challenge(NOW) == server().challenge(NOW) != DigestServer("carrier.example", b"x").challenge(NOW)


@pytest.mark.parametrize(("username", "password"), [("dialer", "wrong"), ("nobody", ""), ("nobody", "hush-hush")])
def test_wrong_credentials_are_never_stale(username: str, password: str) -> None:
    here = server()
    session = client(here.challenge(NOW), password, username)
    for now in (NOW, NOW + 10_000):
        checked = check(here, session, now=now)
        assert checked == (Verdict.WRONG, username)
        assert not checked.is_stale


def test_an_old_nonce_is_stale_and_the_next_one_serves() -> None:
    here = server()
    session, attempt = DigestSession([Credentials("dialer", "hush-hush")]), Attempt()
    session.challenged(407, here.challenge(NOW), attempt)
    assert check(here, session, now=NOW + 299).verdict is Verdict.GENUINE
    checked = check(here, session, now=NOW + 301)
    assert (checked.verdict, checked.is_stale) == (Verdict.STALE, True)
    assert session.challenged(407, here.challenge(NOW + 301, stale=True), attempt) is Outcome.RETRY
    assert check(here, session, now=NOW + 301).verdict is Verdict.GENUINE


def test_a_nonce_of_another_secret_or_of_an_earlier_run_is_stale() -> None:
    other = DigestServer("carrier.example", b"another secret")
    here = server()
    assert check(here, client(other.challenge(NOW))).verdict is Verdict.STALE
    earlier = client(server().challenge(NOW - 5))
    here.challenge(NOW)
    assert check(here, earlier).verdict is Verdict.STALE


@pytest.mark.parametrize("nonce", ["ffff-0", "-0", "x-0", "0", "-", "f" * 17 + "-0", "ffff-\u20ac"])
def test_a_nonce_that_was_made_up_is_stale(nonce: str) -> None:
    here = server()
    here.challenge(0.0)
    session = client([f'Digest realm="carrier.example", nonce="{nonce}", algorithm=SHA-256, qop="auth"'])
    assert check(here, session).verdict is Verdict.STALE


def test_a_request_is_taken_once_and_others_may_overtake_it() -> None:
    here = server()
    session = client(here.challenge(NOW))
    values = [session.authorize("INVITE", URI, "c")[0][1] for _ in range(70)]
    order = [0, 3, 2, 3, 1, 0, 69, 68, 5, 6]
    found = [here.verify([values[n]], "INVITE", now=NOW, lookup=PASSWORDS.get).verdict for n in order]
    good, again = Verdict.GENUINE, Verdict.REPLAYED
    assert found == [good, good, good, again, good, again, good, good, again, good]


@given(st.lists(st.one_of(st.integers(1, 9), st.integers(60, 70), st.integers(1, 0xFFFFFFFF)), max_size=40))
def test_counts_are_taken_once_within_a_window_of_64(counts: list[int]) -> None:
    here, taken = server(), set[int]()
    session = client(here.challenge(NOW))
    realm = session._realms["Proxy-Authorization", "carrier.example"]
    for count in counts:
        realm._count = count - 1
        is_new = count not in taken and count > max(taken, default=0) - 64
        assert (check(here, session).verdict is Verdict.GENUINE) is is_new
        taken |= {count} if is_new else set()


def test_memory_is_bounded_and_what_was_forgotten_cannot_be_replayed() -> None:
    here = server(nonces_max=10)
    sessions = [client(here.challenge(NOW + n)) for n in range(30)]
    used = [session.authorize("INVITE", URI, "c")[0][1] for session in sessions]
    found = [here.verify([value], "INVITE", now=NOW + 30, lookup=PASSWORDS.get).verdict for value in used]
    assert set(found) == {Verdict.GENUINE}
    again = [here.verify([value], "INVITE", now=NOW + 30, lookup=PASSWORDS.get).verdict for value in used]
    assert again == [Verdict.STALE] * 20 + [Verdict.REPLAYED] * 10
    assert check(here, sessions[-1], now=NOW + 30).verdict is Verdict.GENUINE


def test_without_qop_a_nonce_serves_once() -> None:
    here = server(qops=(), algorithms=("MD5",))
    session = client(here.challenge(NOW))
    assert [check(here, session).verdict for _ in range(2)] == [Verdict.GENUINE, Verdict.REPLAYED]


def test_the_uri_is_compared_where_it_is_given() -> None:
    here = server()
    session = client(here.challenge(NOW))
    values = [value for _, value in session.authorize("INVITE", "sip:else@x", "c")]
    assert here.verify(values, "INVITE", now=NOW, lookup=PASSWORDS.get, uri=URI).verdict is Verdict.MALFORMED
    assert here.verify(values, "BYE", now=NOW, lookup=PASSWORDS.get).verdict is Verdict.WRONG
    assert here.verify(values, "INVITE", now=NOW, lookup=PASSWORDS.get).verdict is Verdict.GENUINE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("algorithm=SHA-256", "algorithm=SHA-512"),
        (", algorithm=SHA-256", ""),
        ("qop=auth", "qop=auth-int"),
        (", qop=auth", ""),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=0000000g"),
        (', cnonce="c"', ""),
        ('uri="', 'x="'),
        ('nonce="', 'n="'),
    ],
)
def test_what_was_not_offered_or_is_incomplete_is_malformed(old: str, new: str) -> None:
    here = server(algorithms=("SHA-256",))
    ((_, value),) = client(here.challenge(NOW)).authorize("INVITE", URI, "c")
    assert old in value
    checked = here.verify([value.replace(old, new)], "INVITE", now=NOW, lookup=PASSWORDS.get)
    assert checked.verdict is Verdict.MALFORMED


def test_a_count_of_zero_was_never_given() -> None:
    here = server()
    session = client(here.challenge(NOW))
    session._realms["Proxy-Authorization", "carrier.example"]._count = -1
    assert check(here, session).verdict is Verdict.REPLAYED


def test_other_realms_and_schemes_are_not_ours() -> None:
    here = server()
    values = ["Basic eDp5", 'Digest realm="other", nonce="n"']
    assert here.verify(values, "INVITE", now=NOW, lookup=PASSWORDS.get).verdict is Verdict.ABSENT
    values.append(client(here.challenge(NOW)).authorize("INVITE", URI, "c")[0][1])
    assert here.verify(values, "INVITE", now=NOW, lookup=PASSWORDS.get).verdict is Verdict.GENUINE


@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_no_header_breaks_the_check(text: str) -> None:
    checked = server().verify(["Digest realm=carrier.example," + text, text], "INVITE", now=NOW, lookup=PASSWORDS.get)
    assert checked.verdict is not Verdict.GENUINE


def test_unknown_algorithms_are_refused() -> None:
    with pytest.raises(ValueError, match="change SHA-1"):
        server(algorithms=("SHA-1-sess", "MD5"))
