"""RFC 4475: what each torture message says, and what comes of it."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import pytest

from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.events import Accepted, Incoming, Progressed, Requested, SipEvent
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.message import Request, Response
from telephony_adapters.sip.parse import SipSyntax, parse_message
from telephony_adapters.sip.uri import parse_name_addr, parse_uri
from telephony_adapters.sip.write import serialize
from tests.telephony_adapters.sip.torture import BY_NAME, FOLDER, VALID, VECTORS, Do, Layer, Vector

SECTIONS = {
    *(f"3.1.1.{number}" for number in range(1, 14)),
    *(f"3.1.2.{number}" for number in range(1, 20)),
    "3.2.1",
    *(f"3.3.{number}" for number in range(1, 16)),
    "3.4.1",
}

SUMS = (FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()


def vector_name(vector: Vector) -> str:
    return vector.name


each = pytest.mark.parametrize("vector", VECTORS, ids=vector_name)


def request(name: str) -> Request:
    message = parse_message(BY_NAME[name].data)
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = parse_message(BY_NAME[name].data)
    assert isinstance(message, Response)
    return message


def test_p16_every_section_of_the_rfc_has_its_message() -> None:
    assert {vector.section for vector in VECTORS} == SECTIONS
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(BY_NAME)
    assert len(VECTORS) == len(BY_NAME) == len(SECTIONS) == 49


@each
def test_the_message_is_that_of_the_rfcs_archive_octet_by_octet(vector: Vector) -> None:
    assert f"{hashlib.sha256(vector.data).hexdigest()}  {vector.name}.dat" in SUMS


@each
def test_we_do_nothing_that_the_rfc_does_not_allow(vector: Vector) -> None:
    assert vector.ours in vector.rfc


@each
def test_p16_the_parser_reads_what_is_not_its_own_to_refuse(vector: Vector) -> None:
    if vector.layer is not Layer.PARSER:
        parse_message(vector.data)
        return
    with pytest.raises(SipSyntax) as caught:
        parse_message(vector.data)
    assert caught.value.status == (None if vector.ours is Do.DROP else vector.ours)


def test_wsinv_has_blanks_folds_and_compact_names_everywhere() -> None:
    message = request("wsinv")
    assert (message.method, message.uri) == ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam")
    assert parse_uri(message.uri).params == {"unknownparam": ""}
    assert (message.to_tag, message.from_tag) == ("1918181833n", "98asjd8")
    assert parse_name_addr(message.get("From") or "").display == 'J Rosenberg \\"'
    assert message.call_id == "wsinv.ndaksdj@192.0.2.1"
    assert (message.cseq, message.cseq_method) == (9, "INVITE")
    assert message.get("Max-Forwards") == "0068"
    assert (message.via.transport, message.via.host, message.via.branch) == ("UDP", "192.0.2.2", "390skdjuw")
    assert len(message.all("Via")) == 3
    assert message.get("Subject") == ""
    assert message.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert message.all("Route") == ["<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"]
    contact = parse_name_addr(message.all("Contact")[0])
    assert (contact.display, contact.uri) == ('Quoted string ""', "sip:jdrosen@example.com")
    assert contact.params == {"newparam": "newvalue", "secondparam": "", "q": "0.33"}
    assert len(message.body) == 150


def test_intmeth_has_every_character_that_a_token_and_a_uri_may_have() -> None:
    message = request("intmeth")
    assert message.method == message.cseq_method == "!interesting-Method0123456789_*+`.%indeed'~"
    uri = parse_uri(message.uri)
    assert uri.user.startswith("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d")
    assert uri.host == "example.com"
    assert message.via.branch == "z9hG4bK-.!%66*_+`'~"
    assert parse_name_addr(message.get("To") or "").display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    caller = parse_name_addr(message.get("From") or "")
    assert caller.display == "token1~` token2'+_ token3*%!.-"
    assert caller.params["fromparam''~+*_!.-%"] == '"работающий"'
    assert message.from_tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.cseq == 139_122_385
    assert message.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_esc01_is_undone_nowhere_and_so_never_twice() -> None:
    message = request("esc01")
    assert (parse_uri(message.uri).user, parse_uri(message.uri).host) == ("sips%3Auser%40example.com", "example.net")
    assert parse_uri(parse_name_addr(message.get("To") or "").uri).user == "%75se%72"
    contact = parse_uri(parse_name_addr(message.all("Contact")[0]).uri)
    assert contact.params == {"%6c%72": "", "n%61me": "v%61lue%25%34%31"}


def test_escnull_registers_two_addresses_that_an_escaped_nul_does_not_shorten() -> None:
    message = request("escnull")
    assert parse_uri(parse_name_addr(message.get("To") or "").uri).user == "null-%00-null"
    users = [parse_uri(parse_name_addr(value).uri).user for value in message.all("Contact")]
    assert users == ["%00", "%00%00"]


def test_esc02_has_percent_signs_that_escape_nothing() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert parse_name_addr(message.get("To") or "").display == "%Z%45"
    assert message.all("Contact") == ["<sip:alias1@host1.example.com>", "<sip:alias3@host3.example.com>"]
    assert message.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def test_lwsdisp_has_no_blank_before_the_bracket() -> None:
    caller = parse_name_addr(request("lwsdisp").get("From") or "")
    assert (caller.display, caller.uri, caller.params) == ("caller", "sip:caller@example.com", {"tag": "323"})


def test_longreq_is_read_to_its_end() -> None:
    message = request("longreq")
    assert message.from_tag == "12" + "982" * 50 + "424"
    assert message.call_id == "longreq.one" + "really" * 20 + "longcallid"
    assert len(message.all("Via")) == 34
    assert (message.via.host, message.via.branch) == ("sip33.example.com", "")
    assert parse_uri(parse_name_addr(message.get("To") or "").uri).params["longparam" + "name" * 25] == "shortvalue"
    assert len(message.body) == 150


def test_dblreq_ends_where_its_content_length_says() -> None:
    message = request("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")
    assert message.call_id == "dblreq.0ha0isndaksdj99sdfafnl3lk233412"


def test_semiuri_keeps_the_parameter_in_the_user_part() -> None:
    uri = parse_uri(request("semiuri").uri)
    assert (uri.user, uri.host, uri.params) == ("user;par=u%40example.net", "example.com", {})


def test_transports_are_read_whether_they_are_known_or_not() -> None:
    values = request("transports").all("Via")
    assert [value.split()[0] for value in values] == [
        "SIP/2.0/UDP", "SIP/2.0/SCTP", "SIP/2.0/TLS", "SIP/2.0/UNKNOWN", "SIP/2.0/TCP",
    ]  # fmt: skip


def test_mpart01_keeps_a_binary_body_whole() -> None:
    body = request("mpart01").body
    assert len(body) == 553
    assert b"\x00" in body
    assert body.endswith(b"\r\n--7a9cbec02ceef655--\r\n")


def test_unreason_has_a_reason_phrase_in_another_script() -> None:
    message = response("unreason")
    assert (message.status, message.reason) == (200, "= 2**3 * 5**2 но сто девяносто девять - простое")


def test_noreason_has_none() -> None:
    message = response("noreason")
    assert (message.status, message.reason) == (100, "")


def test_a_response_without_the_blank_after_its_status_is_read_as_well() -> None:
    message = parse_message(BY_NAME["noreason"].data.replace(b"SIP/2.0 100 \r\n", b"SIP/2.0 100\r\n"))
    assert isinstance(message, Response)
    assert message.status == 100


def test_a_content_length_that_is_no_number_is_refused_like_a_negative_one() -> None:
    with pytest.raises(SipSyntax) as caught:
        parse_message(BY_NAME["ncl"].data.replace(b"-999", b"five"))
    assert caught.value.status == 400


def test_cparam_tells_a_headers_parameter_from_a_uris() -> None:
    header, uri = (parse_name_addr(request(name).all("Contact")[0]) for name in ("cparam01", "cparam02"))
    assert (header.uri, header.params) == ("sip:+19725552222@gw1.example.net", {"unknownparam": ""})
    assert (uri.uri, uri.params) == ("sip:+19725552222@gw1.example.net;unknownparam", {})


def test_regescrt_keeps_the_escaped_route_in_the_uri_and_makes_no_header_of_it() -> None:
    message = request("regescrt")
    assert parse_uri(parse_name_addr(message.all("Contact")[0]).uri).headers == "Route=%3Csip:sip.example.com%3E"
    assert message.get("Route") is None


def test_inv2543_has_no_tag_branch_or_length_and_its_body_all_the_same() -> None:
    message = request("inv2543")
    assert (message.from_tag, message.to_tag, message.via.branch) == ("", "", "")
    assert message.body.startswith(b"v=0\r\n")
    assert message.body.endswith(b"RTP/AVP 0\r\n")


@pytest.mark.parametrize("vector", VALID, ids=vector_name)
def test_a_valid_message_written_again_reads_the_same(vector: Vector) -> None:
    message = parse_message(vector.data)
    again = parse_message(serialize(message))
    assert type(again) is type(message)
    assert [header for header in again.headers if header[0] != "Content-Length"] == [
        header for header in message.headers if header[0] != "Content-Length"
    ]
    assert (again.body, again.via, again.cseq) == (message.body, message.via, message.cseq)


# --- what a user agent does -------------------------------------------------------------------------------------------


def agent(**changes: Any) -> UserAgent:
    """Make the agent of an application that takes everything."""
    takes = {"takes_invites": True, "takes": frozenset({"OPTIONS", "REGISTER", "MESSAGE"}), **changes}
    sent_by = dict.fromkeys(("udp", "tcp", "tls"), ("192.0.2.99", 5060))
    return UserAgent(UaConfig(key=b"torture", sent_by=sent_by, **takes))


class Answer(NamedTuple):
    """A response as it stands: one that repeats what is wrong with its request cannot be read by our own parser."""

    status: int
    headers: dict[str, str]


def answer(data: bytes) -> Answer:
    line, *lines = data.partition(b"\r\n\r\n")[0].decode("utf-8").split("\r\n")
    assert line.startswith("SIP/2.0 "), "only requests are answered"
    return Answer(int(line.split()[1]), dict(line.split(": ", 1) for line in reversed(lines)))


def given(ua: UserAgent, vector: Vector, now: float = 0.0) -> tuple[list[Answer], list[SipEvent]]:
    """Hand a vector to an agent; return what it answers, and what its application hears."""
    ua.receive(vector.data, Flow(vector.transport, "192.0.2.200", 5070), now)
    return [answer(send.data) for send in ua.take_sends()], ua.take_events()


@each
def test_p16_the_agent_does_what_the_table_says(vector: Vector) -> None:
    ua = agent()
    answers, events = given(ua, vector)
    match vector.ours:
        case Do.ACCEPT:
            assert answers == []
            assert [type(event) for event in events] == [Incoming if b"INVITE" in vector.data[:6] else Requested]
        case Do.DROP:
            assert (answers, events) == ([], [])
            assert ua.counters.total() == 1
        case status:
            assert ([each.status for each in answers], events) == ([status], [])
            assert ua.counters.total() == 1


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if isinstance(vector.ours, int)], ids=vector_name)
def test_a_refusal_repeats_what_tells_the_request_apart_and_keeps_nothing(vector: Vector) -> None:
    ua = agent()
    (refusal,), _ = given(ua, vector)
    text = vector.data.decode("utf-8")
    came = {name for name, value in refusal.headers.items() if value in text}
    assert came >= {"insuf": {"CSeq"}, "wsinv": {"Call-ID"}}.get(vector.name, {"Call-ID", "CSeq", "From"})
    assert ";tag=" in "".join(refusal.headers["To"].split())
    assert (ua.legs, ua.transactions, ua.next_timer()) == (0, 0, None)


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector.ours is Do.ACCEPT], ids=vector_name)
def test_what_the_application_answers_goes_out_once_and_nothing_is_left(vector: Vector) -> None:
    ua, now = agent(), 0.0
    _, (event,) = given(ua, vector)
    if isinstance(event, Incoming):
        ua.refuse(event.leg, 486, now)
    else:
        assert isinstance(event, Requested)
        ua.respond(event.transaction, 200, now)
    (send,) = ua.take_sends()
    came, went = parse_message(vector.data), parse_message(send.data)
    assert went.to_tag
    assert (went.cseq, went.call_id, went.from_tag) == (came.cseq, came.call_id, came.from_tag)
    assert len(went.all("Via")) == len(came.all("Via"))
    while (due := ua.next_timer()) is not None:
        assert due < 100
        ua.handle_timer(due)
    assert (ua.legs, ua.transactions) == (0, 0)


@each
def test_the_same_message_again_changes_nothing(vector: Vector) -> None:
    ua = agent()
    first, _ = given(ua, vector)
    again, events = given(ua, vector)
    assert (again, events) == (first, [])


@each
def test_a_trunk_takes_no_call_from_outside(vector: Vector) -> None:
    ua = agent(takes_invites=False, takes=frozenset({"OPTIONS"}))
    answers, events = given(ua, vector)
    assert ua.legs == 0
    assert [type(event) for event in events if not isinstance(event, Requested)] == []
    assert len(answers) + len(events) <= 1


def test_badbranch_is_told_from_another_request_without_an_identifier() -> None:
    ua, flow = agent(), Flow("udp", "192.0.2.200", 5070)
    ua.receive(BY_NAME["badbranch"].data, flow, 0.0)
    ua.receive(BY_NAME["badbranch"].data.replace(b"badbranch.", b"another."), flow, 0.0)
    assert [type(event) for event in ua.take_events()] == [Requested, Requested]


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("intmeth", "Allow", "INVITE"),
        ("esc02", "Allow", "BYE"),
        ("bext01", "Unsupported", "nothingSupportsThis"),
        ("bext01", "Unsupported", "nothingSupportsThisEither"),
        ("invut", "Accept", "application/sdp"),
    ],
)
def test_a_refusal_says_what_would_have_done(name: str, header: str, value: str) -> None:
    (refusal,), _ = given(agent(), BY_NAME[name])
    assert value in refusal.headers[header].split(", ")


def test_unsupported_names_nothing_of_proxy_require() -> None:
    (refusal,), _ = given(agent(), BY_NAME["bext01"])
    assert refusal.headers["Unsupported"] == "nothingSupportsThis, nothingSupportsThisEither"


# --- responses to a call that is live ---------------------------------------------------------------------------------


def live() -> tuple[UserAgent, Request, Flow]:
    """Place a call; return the agent, the INVITE that it sent, and where to."""
    ua, flow = agent(), Flow("udp", "192.0.2.200", 5070)
    ua.invite(
        0.0, flow=flow, uri="sip:user@example.com", call_id="live", from_="<sip:a@example.net>",
        to="<sip:user@example.com>", sdp=None,
    )  # fmt: skip
    (send,) = ua.take_sends()
    invite = parse_message(send.data)
    assert isinstance(invite, Request)
    return ua, invite, flow


def as_answer(name: str, invite: Request, *, more: bytes = b"") -> bytes:
    """Write a response of the RFC as the answer to an INVITE: the same start line, and body, other addresses."""
    head, _, body = BY_NAME[name].data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    same = (b"via", b"call-id", b"cseq", b"from", b"to")
    kept = [line for line in lines[1:] if line.partition(b":")[0].lower() not in same]
    ours = [f"{key}: {invite.get(key)}".encode() for key in ("Via", "Call-ID", "CSeq", "From")]
    return b"\r\n".join([lines[0], *ours, f"To: {invite.get('To')};tag=1".encode(), *kept]) + more + b"\r\n\r\n" + body


def test_unreason_answers_a_call() -> None:
    ua, invite, flow = live()
    ua.receive(as_answer("unreason", invite), flow, 1.0)
    assert [type(event) for event in ua.take_events()] == [Accepted]


def test_noreason_is_a_provisional_response() -> None:
    ua, invite, flow = live()
    ua.receive(as_answer("noreason", invite), flow, 1.0)
    (event,) = ua.take_events()
    assert isinstance(event, Progressed)
    assert event.status == 100


@pytest.mark.parametrize("name", ["bigcode", "scalarlg", "bcast"])
def test_a_response_that_is_dropped_leaves_a_live_call_as_it_was(name: str) -> None:
    ua, invite, flow = live()
    more = {
        "bcast": b"\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23",
        "scalarlg": b"\r\nCSeq: 9292394834772304023312 OPTIONS",
    }
    ua.receive(as_answer(name, invite, more=more.get(name, b"")), flow, 1.0)
    assert (ua.take_events(), ua.take_sends(), ua.legs) == ([], [], 1)
    ua.receive(as_answer("unreason", invite), flow, 2.0)
    assert [type(event) for event in ua.take_events()] == [Accepted]
