"""Hold our reading of messages against another parser's, `sipmessage`: where they differ is said, and who is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.message import Request
from telephony_adapters.sip.parse import SipSyntax, parse_message, parse_via
from telephony_adapters.sip.uri import parse_name_addr, parse_uri
from tests.telephony_adapters.sip.messages import Parts, messages
from tests.telephony_adapters.sip.torture import VECTORS, Vector

Params = dict[str, str]


class Address(NamedTuple):
    """What both parsers say about a URI and the address around it."""

    scheme: str
    user: str
    host: str
    port: int | None
    params: Params
    display: str = ""
    header_params: Params = {}  # noqa: RUF012 -- never changed


class Reading(NamedTuple):
    """What both parsers say about a message, in one spelling."""

    start: tuple[str, Address] | tuple[int, str]
    vias: list[tuple[str, str, int | None, Params]]
    from_: Address
    to: Address
    call_id: str
    cseq: tuple[int, str]
    contacts: list[Address]
    routes: list[Address]


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def _plain(params: Mapping[str, str | None], *, escaped: bool = False) -> Params:
    """Write parameters alike: names small, no value as an empty one, %XX undone (sipmessage undoes it everywhere)."""
    read = {name: value or "" for name, value in params.items()}
    if escaped:
        read = {_undo(name): _undo(value) for name, value in read.items()}
    return {name.lower(): value for name, value in read.items()}


def _undo(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


def _spaced(display: str) -> str:
    """Write a display name alike: sipmessage makes one blank of any, also within quotes."""
    return " ".join(display.split())


def _our_uri(text: str) -> Address:
    uri = parse_uri(text)
    return Address(uri.scheme, _undo(uri.user), uri.host, uri.port, _plain(uri.params, escaped=True))


def _our_address(text: str) -> Address:
    address = parse_name_addr(text)
    params = _plain(address.params, escaped=True)
    return _our_uri(address.uri)._replace(display=_spaced(address.display), header_params=params)


def our_reading(data: bytes) -> Reading:
    message = parse_message(data)
    start: tuple[str, Address] | tuple[int, str]
    if isinstance(message, Request):
        start = (message.method, _our_uri(message.uri))
    else:
        start = (message.status, message.reason)
    vias = [parse_via(value) for value in message.all("Via")]
    from_, to = message.get("From"), message.get("To")
    assert from_ is not None
    assert to is not None
    assert message.via == vias[0]
    assert (message.from_tag, message.to_tag) == tuple(
        parse_name_addr(value).params.get("tag", "") for value in (from_, to)
    )
    return Reading(
        start,
        [(via.transport, via.host, via.port, _plain(via.params, escaped=True)) for via in vias],
        _our_address(from_),
        _our_address(to),
        message.call_id,
        (message.cseq, message.cseq_method),
        [_our_address(value) for value in message.all("Contact")],
        [_our_address(value) for value in message.all("Route")],
    )


def _their_uri(uri: sipmessage.URI) -> Address:
    user = (uri.user or "") + (f":{uri.password}" if uri.password else "")
    return Address(uri.scheme, user, _bare(uri.host), uri.port, _plain(uri.parameters))


def _their_address(address: sipmessage.Address) -> Address:
    return _their_uri(address.uri)._replace(display=_spaced(address.name), header_params=_plain(address.parameters))


def their_reading(data: bytes) -> Reading:
    message = sipmessage.Message.parse(data)
    start: tuple[str, Address] | tuple[int, str]
    if isinstance(message, sipmessage.Request):
        start = (message.method, _their_uri(message.uri))
    else:
        start = (message.code, message.phrase)
    return Reading(
        start,
        [(via.transport, _bare(via.host), via.port, _plain(via.parameters)) for via in message.via],
        _their_address(message.from_address),
        _their_address(message.to_address),
        message.call_id,
        (message.cseq.sequence, message.cseq.method),
        [_their_address(address) for address in message.contact],
        [_their_address(address) for address in message.route],
    )


@settings(max_examples=60)
@given(messages())
def test_both_read_the_same_in_a_well_formed_message(parts: Parts) -> None:
    assert our_reading(parts.data) == their_reading(parts.data)


@settings(max_examples=25)
@given(messages(), st.integers(0, 2**16))
def test_an_unusual_spelling_reads_the_same(parts: Parts, seed: int) -> None:
    assert our_reading(parts.disguised(Random(seed))) == our_reading(parts.data)


DIFFER = {
    "wsinv": "sipmessage unfolds no lines",
    "intmeth": "sipmessage keeps the backslash before an escaped character of a quoted string",
    "esc01": "sipmessage unfolds no lines: it loses the Contact",
    "longreq": "sipmessage leaves out a header whose name has a blank before its colon",
    "semiuri": "sipmessage unfolds no lines",
    "clerr": "sipmessage leaves Content-Length to its user",
    "ncl": "sipmessage leaves Content-Length to its user",
    "mcl01": "sipmessage leaves Content-Length to its user",
    "scalarlg": "sipmessage sets no limit to CSeq",
    "bigcode": "sipmessage sets no limit to a status",
    "mismatch01": "sipmessage does not hold CSeq against the method",
    "mismatch02": "sipmessage does not hold CSeq against the method",
    "multi01": "sipmessage takes the first of several values where only one may stand",
    "escruri": "sipmessage refuses the headers part of a URI; the RFC leaves it to us",
    "regescrt": "sipmessage refuses the headers part of a URI, which a Contact may have (RFC 3261 19.1.1)",
}
"""Where the two differ over RFC 4475, and why ours is right."""


def _outcome(read: Callable[[bytes], Reading], data: bytes) -> Reading | None:
    try:
        return read(data)
    except (ValueError, KeyError, SipSyntax):
        return None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_torture_messages_that_the_two_read_otherwise_are_known(vector: Vector) -> None:
    differs = _outcome(our_reading, vector.data) != _outcome(their_reading, vector.data)
    assert differs == (vector.name in DIFFER)
