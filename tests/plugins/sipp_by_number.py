"""One SIPp as a whole carrier: the end of the number that is called says what becomes of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

from tests.plugins.sipp_scenarios import callee, mark, pause, receive, request_of_callee, respond, respond_to_call

Steps = tuple[str, ...]
_OVER: Final = "over"
_END: Final = f'<nop next="{_OVER}"/>'
_NO_NUMBER: Final = "404 Not Found"


def carrier(fates: Mapping[str, Steps]) -> str:
    """Return the scenario in which a call to a number that ends so (a regular expression) takes these steps.

    The first that fits counts; a number that fits none is 404. Steps end with `then="over"`, or at their end.
    """
    ends = {f"fits{number}": end for number, end in enumerate(fates)}
    noted = {name: f'regexp={quoteattr(f"sip:[^@]*{end}@")} search_in="hdr" header="To:"' for name, end in ends.items()}
    choices = [f'<nop next="when_{name}" test="{name}"/>' for name in ends]
    branches = [
        step for name, steps in zip(ends, fates.values(), strict=True)
        for step in (mark(f"when_{name}"), *steps, _END)
    ]  # fmt: skip
    return callee(*choices, *refusing(_NO_NUMBER), _END, *branches, mark(_OVER), noted=noted)


def talking(shortest_s: float, longest_s: float, *, ring_s: float = 0.05) -> Steps:
    """Ring, answer, and hang up after a time that is drawn anew for each call; the caller may hang up first."""
    span = f'distribution="uniform" min="{round(shortest_s * 1000)}" max="{round(longest_s * 1000)}"'
    bye = request_of_callee("BYE", 1, headers=("Reason: Q.850;cause=16",))
    return (
        respond_to_call("180 Ringing"), pause(ring_s), respond_to_call("200 OK", sdp=True), receive("ACK"),
        f"<pause {span}/>", bye, receive(200),
    )  # fmt: skip


def waiting(*, ring_s: float = 0.05) -> Steps:
    """Ring, answer, and talk until the caller hangs up."""
    return (
        respond_to_call("180 Ringing"), pause(ring_s), respond_to_call("200 OK", sdp=True), receive("ACK"),
        receive("BYE"), respond("200 OK"),
    )  # fmt: skip


def refusing(status: str, *, ring_s: float = 0.0) -> Steps:
    """Refuse: `refusing("486 Busy Here")`; after some ringing if it has a length."""
    ringing = (respond_to_call("180 Ringing"), pause(ring_s)) if ring_s else ()
    return (*ringing, respond_to_call(status), receive("ACK"))


def ringing() -> Steps:
    """Ring until CANCEL."""
    cancelled = (respond("200 OK"), respond_to_call("487 Request Terminated"), receive("ACK"))
    return (respond_to_call("180 Ringing"), receive("CANCEL"), *cancelled)
