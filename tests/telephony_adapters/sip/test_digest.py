"""The client's side of digest authentication, by the examples of the RFCs and against our own server's side."""

from __future__ import annotations

import hashlib

import pytest

from telephony_adapters.sip.digest import (
    Attempt,
    Credentials,
    DigestSession,
    Outcome,
    parse_challenges,
    response,
    scheme_parameters,
    session_key,
    user_key,
)
from telephony_adapters.sip.lexical import parameters

ME = Credentials("dialer", "hush-hush")
NONCE_2617 = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def answered(headers: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [given for _, value in headers for _, given in scheme_parameters(value)]


def challenge(realm: str = "a.example", nonce: str = "n1", rest: str = 'algorithm=SHA-256, qop="auth"') -> str:
    return f'Digest realm="{realm}", nonce="{nonce}", {rest}'


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, expected: str) -> None:
    key = user_key(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    found = response(
        algorithm, key, NONCE_7616, "GET", "/dir/index.html", qop="auth", nc="00000001", cnonce=CNONCE_7616
    )
    assert found == expected


@pytest.mark.skipif("sha512_256" not in hashlib.algorithms_available, reason="this OpenSSL has no SHA-512/256")
def test_rfc_7616_section_3_9_2_as_its_erratum_4897_mends_it() -> None:
    """The text's own figures are of SHA-512 cut short, which is another function."""
    key = user_key("SHA-512-256", "Jäsøn Doe", "api@example.org", "Secret, or not?")
    nonce, cnonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    found = response("SHA-512-256", key, nonce, "GET", "/doe.json", qop="auth", nc="00000001", cnonce=cnonce)
    assert found == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"


def test_rfc_2617_section_3_5_and_rfc_2069_as_its_erratum_749_mends_it() -> None:
    key = user_key("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    found = response("MD5", key, NONCE_2617, "GET", "/dir/index.html", qop="auth", nc="00000001", cnonce="0a4f113b")
    assert found == "6629fae49393a05397450978507c4ef1"
    old = user_key("MD5", "Mufasa", "testrealm@host.com", "CircleOfLife")
    assert response("MD5", old, NONCE_2617, "GET", "/dir/index.html") == "1949323746fe6a43ef61f9606e7febea"


def test_a_challenge_is_read_with_escapes_commas_and_any_case() -> None:
    (read,) = parse_challenges(
        [r'DIGEST Realm="a \"b\", c", NONCE="n=,1",opaque="" , Stale=TRUE, algorithm=sha-256-SESS, qop="auth,auth-int"']
    )
    assert (read.realm, read.nonce, read.opaque, read.stale) == ('a "b", c', "n=,1", "", True)
    assert (read.algorithm, read.base, read.qops, read.qop) == ("SHA-256-sess", "SHA-256", ("auth", "auth-int"), "auth")


def test_several_challenges_may_stand_in_one_value_beside_other_schemes() -> None:
    values = ['Basic realm="x", Digest realm="a", nonce="1", qop="auth", Digest realm = "b", nonce="2"']
    assert [(read.realm, read.nonce) for read in parse_challenges(values)] == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    "value", ["", "Digest", 'Digest realm="a"', 'Digest nonce="a"', "Basic eDp5", ",,=,", 'realm="a"']
)
def test_what_is_no_digest_challenge_is_left_out(value: str) -> None:
    assert parse_challenges([value]) == []


def test_no_challenge_can_put_a_line_into_our_header() -> None:
    session = DigestSession([ME])
    assert session.challenged(401, [challenge(nonce="n\r\nVia: x")], Attempt()) is Outcome.NOT_ALLOWED
    assert session.authorize("INVITE", "sip:a", "c") == []


def test_the_repr_of_credentials_hides_the_password() -> None:
    assert "hush" not in f"{ME!r} {ME}"
    assert "dialer" in repr(ME)


def test_after_a_challenge_every_request_is_authorised_at_once_and_counts() -> None:
    session = DigestSession([ME])
    assert session.authorize("INVITE", "sip:b@a.example", "c0") == []
    assert (
        session.challenged(401, [challenge(rest='algorithm=SHA-256, qop="auth", opaque="o"')], Attempt())
        is Outcome.RETRY
    )
    first, second = (session.authorize(method, "sip:b@a.example", "c" + method) for method in ("INVITE", "BYE"))
    assert [name for name, _ in first] == ["Authorization"]
    assert [given["nc"] for given in answered(first + second)] == ["00000001", "00000002"]
    (given,) = answered(second)
    key = user_key("SHA-256", "dialer", "a.example", "hush-hush")
    expected = response("SHA-256", key, "n1", "BYE", "sip:b@a.example", qop="auth", nc="00000002", cnonce="cBYE")
    assert given == {
        "username": "dialer", "realm": "a.example", "nonce": "n1", "uri": "sip:b@a.example", "response": expected,
        "algorithm": "SHA-256", "opaque": "o", "qop": "auth", "nc": "00000002", "cnonce": "cBYE",
    }  # fmt: skip


def test_the_form_of_the_header_is_that_of_rfc_3261() -> None:
    """qop, nc and algorithm bare, all else quoted (section 25.1); no algorithm where the challenge named none."""
    session = DigestSession([Credentials('we "x"', "p")])
    session.challenged(407, ['Digest realm="r", nonce="n", qop="auth"'], Attempt())
    ((name, value),) = session.authorize("BYE", "sip:b@h", "c")
    assert name == "Proxy-Authorization"
    assert value.startswith(r'Digest username="we \"x\"", realm="r", nonce="n", uri="sip:b@h", response="')
    assert value.endswith('", qop=auth, nc=00000001, cnonce="c"')
    assert "algorithm" not in value


def test_without_qop_the_answer_is_that_of_rfc_2069() -> None:
    session = DigestSession([ME])
    session.challenged(401, ['Digest realm="r", nonce="n"'], Attempt())
    (given,) = answered(session.authorize("BYE", "sip:b@h", "c"))
    assert given.keys() == {"username", "realm", "nonce", "uri", "response"}


def test_a_body_is_protected_where_nothing_less_is_offered() -> None:
    session = DigestSession([ME])
    session.challenged(401, [challenge(rest='qop="auth-int"')], Attempt())
    bodies = [answered(session.authorize("INVITE", "sip:b", "c", body))[0] for body in (b"v=0\r\n", b"")]
    key = user_key("MD5", "dialer", "a.example", "hush-hush")
    expected = response("MD5", key, "n1", "INVITE", "sip:b", qop="auth-int", nc="00000001", cnonce="c", body=b"v=0\r\n")
    assert (bodies[0]["response"], bodies[0]["qop"]) == (expected, "auth-int")


def test_a_session_key_is_made_once_and_keeps_its_cnonce() -> None:
    session = DigestSession([ME])
    session.challenged(401, [challenge(rest='algorithm=MD5-sess, qop="auth"')], Attempt())
    session.authorize("INVITE", "sip:b", "first")
    (given,) = answered(session.authorize("BYE", "sip:b", "second"))
    key = session_key("MD5", user_key("MD5", "dialer", "a.example", "hush-hush"), "n1", "first")
    assert given["response"] == response("MD5", key, "n1", "BYE", "sip:b", qop="auth", nc="00000002", cnonce="first")
    assert (given["cnonce"], given["algorithm"]) == ("first", "MD5-sess")


@pytest.mark.parametrize(
    ("allow", "used"),
    [
        (("SHA-256", "MD5"), "SHA-256"),
        (("MD5",), "MD5"),
        (("MD5", "SHA-256"), "MD5"),
        (("SHA-256",), "SHA-256"),
    ],
)
def test_the_policy_chooses_among_algorithms_whatever_the_servers_order(allow: tuple[str, ...], used: str) -> None:
    session = DigestSession([ME], allow)
    offered = [challenge(rest=f'algorithm={name}, qop="auth"') for name in ("X-1", "MD5", "SHA-256")]
    assert session.challenged(401, offered, Attempt()) is Outcome.RETRY
    assert answered(session.authorize("BYE", "sip:b", "c"))[0]["algorithm"] == used


@pytest.mark.parametrize(
    "rest",
    [
        'qop="auth"',
        "algorithm=MD5",
        'algorithm=SHA-1, qop="auth"',
        'algorithm=SHA-256, qop="x"',
        "algorithm=SHA-256-sess",
    ],
)
def test_nothing_weaker_than_the_policy_and_nothing_unknown_is_answered(rest: str) -> None:
    session = DigestSession([ME], ("SHA-256",))
    assert session.challenged(401, [challenge(rest=rest)], Attempt()) is Outcome.NOT_ALLOWED
    assert session.authorize("BYE", "sip:b", "c") == []


def test_a_policy_of_unknown_algorithms_is_refused() -> None:
    with pytest.raises(ValueError, match="change SHA-1"):
        DigestSession([ME], ("SHA-256", "SHA-1"))


def test_user_and_proxies_are_answered_in_one_request() -> None:
    session = DigestSession([Credentials("u", "1", "user.example"), Credentials("p", "2")])
    attempt = Attempt()
    assert session.challenged(407, [challenge("one.example"), challenge("two.example")], attempt) is Outcome.RETRY
    assert session.challenged(401, [challenge("user.example")], attempt) is Outcome.RETRY
    headers = session.authorize("INVITE", "sip:b", "c")
    pairs = zip(headers, answered(headers), strict=True)
    assert [(name, given["realm"], given["username"]) for (name, _), given in pairs] == [
        ("Proxy-Authorization", "one.example", "p"),
        ("Proxy-Authorization", "two.example", "p"),
        ("Authorization", "user.example", "u"),
    ]  # fmt: skip


def test_a_realm_without_credentials_is_said_so() -> None:
    session = DigestSession([Credentials("u", "1", "user.example")])
    assert session.challenged(401, [challenge("other.example")], Attempt()) is Outcome.NO_CREDENTIALS


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (challenge(), Outcome.WRONG_CREDENTIALS),
        (challenge(nonce="n2"), Outcome.WRONG_CREDENTIALS),
        (challenge(nonce="n2") + ", stale=true", Outcome.RETRY),
        (challenge() + ", stale=true", Outcome.WRONG_CREDENTIALS),
    ],
)
def test_a_second_challenge_of_one_request_means_wrong_credentials_unless_stale(second: str, outcome: Outcome) -> None:
    session, attempt = DigestSession([ME]), Attempt()
    session.challenged(401, [challenge()], attempt)
    session.authorize("INVITE", "sip:b", "c")
    assert session.challenged(401, [second], attempt) is outcome


def test_an_old_nonce_in_a_later_request_is_replaced_even_if_nobody_says_stale() -> None:
    session = DigestSession([ME])
    session.challenged(401, [challenge()], Attempt())
    session.authorize("INVITE", "sip:b", "c")
    assert session.challenged(401, [challenge(nonce="n2")], Attempt()) is Outcome.RETRY
    (given,) = answered(session.authorize("BYE", "sip:b", "c"))
    assert (given["nonce"], given["nc"]) == ("n2", "00000001")


def test_a_nonce_that_is_asked_for_again_goes_on_counting() -> None:
    session = DigestSession([ME])
    session.challenged(401, [challenge()], Attempt())
    session.authorize("INVITE", "sip:b", "c")
    session.challenged(401, [challenge()], Attempt())
    assert answered(session.authorize("BYE", "sip:b", "c"))[0]["nc"] == "00000002"


def test_a_server_that_always_says_stale_or_invents_realms_is_left() -> None:
    session, attempt = DigestSession([ME]), Attempt()
    outcomes = [session.challenged(401, [challenge(nonce=f"n{n}") + ", stale=true"], attempt) for n in range(9)]
    assert outcomes == [Outcome.RETRY] * 4 + [Outcome.WRONG_CREDENTIALS] * 5
    for n in range(100):
        session.challenged(401, [challenge(f"r{n}.example")], Attempt())
    assert len(session.authorize("INVITE", "sip:b", "c")) == 16
    attempt = Attempt()
    assert session.challenged(401, [challenge(f"s{n}.example") for n in range(100)], attempt) is Outcome.RETRY
    assert len(attempt.answered) == 16


def test_parameters_of_a_header_come_back() -> None:
    assert scheme_parameters('Digest a="b", c=d') == [("digest", parameters(['a="b"', "c=d"]))]
