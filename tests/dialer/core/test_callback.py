from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.callback import Target, address_refusal, parse_callback, target_of, url_refusal

INNER = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12:3456::1", "::ffff:10.0.0.1",
    "64:ff9b::a00:1", "2002:a00:1::1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "::",
    "0.0.0.0",  # noqa: S104 -- nothing is bound to it
    "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://crm.example.com", Target("https", "crm.example.com", 443, "/"), "crm.example.com"),
        ("https://CRM.example.com:8443/a/b?x=1&y", Target("https", "crm.example.com", 8443, "/a/b?x=1&y"),
         "crm.example.com:8443"),
        ("http://[fd12::1]:80/", Target("http", "fd12::1", 80, "/"), "[fd12::1]"),
        ("http://crm:8000/hook", Target("http", "crm", 8000, "/hook"), "crm:8000"),
    ],
)  # fmt: skip
def test_an_address_is_taken_apart(url: str, target: Target, authority: str) -> None:
    assert target_of(url) == target
    assert target.authority == authority
    assert parse_callback(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "crm.example.com", "ftp://crm.example.com", "https://", "https:///path", "https://crm.example.com:0/",
        "https://crm.example.com:99999/", "https://user@crm.example.com", "https://u:p@crm.example.com/",
        "https://crm.example.com/#part", "https://crm.example.com/a b", "https://crm.example.com/\n", "https://crm\\@x/",
        "https://khách.vn/", "https://[::1", "https://crm.example.com/" + "x" * 2048,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"write|leave out"):
        parse_callback(url)


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_need_the_setting(address: str) -> None:
    said = address_refusal(address, secure=True, private=False)
    assert said is not None
    assert "DIALER_WEBHOOK_PRIVATE=yes" in said
    assert address_refusal(address, secure=True, private=True) is None
    assert address_refusal(address, secure=False, private=True) is None


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("private", [False, True])
def test_some_addresses_are_never_posted_to(address: str, private: bool) -> None:
    said = address_refusal(address, secure=True, private=private)
    assert said is not None
    assert "nothing is ever posted there" in said


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888"])
def test_public_addresses_need_tls(address: str) -> None:
    assert address_refusal(address, secure=True, private=False) is None
    assert "use https" in str(address_refusal(address, secure=False, private=True))


@pytest.mark.parametrize(
    ("url", "private", "words"),
    [
        ("https://crm.example.com/", False, None),
        ("https://8.8.8.8/", False, None),
        ("http://crm.example.com/", False, "use https, or set DIALER_WEBHOOK_PRIVATE=yes"),
        ("http://crm:8000/", True, None),
        ("http://127.0.0.1:8000/", True, None),
        ("https://localhost/", False, "127.0.0.1 is an address of a private network"),
        ("https://a.localhost/", False, "127.0.0.1 is an address of a private network"),
        ("https://192.168.0.7/", False, "192.168.0.7 is an address of a private network"),
        ("http://8.8.8.8/", True, "use https"),
        ("https://169.254.169.254/latest/meta-data", True, "nothing is ever posted there"),
    ],
)
def test_an_address_is_refused_as_it_is_set(url: str, private: bool, words: str | None) -> None:
    said = url_refusal(url, private=private)
    assert said is None if words is None else words in str(said)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_plain_refusal(text: str) -> None:
    for url in (text, f"https://{text}"):
        try:
            target = target_of(url)
        except ValueError:
            continue
        assert target.path.startswith(("/", "?"))
        url_refusal(url, private=True)
