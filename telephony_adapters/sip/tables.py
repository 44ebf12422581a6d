"""The transactions of SIP as tables: RFC 3261 section 17 with the corrections of RFC 6026.

Each table maps (state, input) to the next state and what is done on the way. An input that a state does not name is
ignored. Timers bear the RFC's letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class State(StrEnum):
    """The states of figures 5 to 8, and Accepted (RFC 6026 section 7)."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Input(StrEnum):
    """What a transaction hears; A to M are its timers."""

    R1XX = "1xx"
    R2XX = "2xx"
    R3XX = "300-699"
    REQUEST = "request again"
    ACK = "ACK"
    ERROR = "transport error"
    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741 -- the RFC's letter
    J = "J"
    K = "K"
    L = "L"
    M = "M"


class Do(StrEnum):
    """What is done on a transition."""

    SEND = "send the request, or the last response, again"
    TELL = "hand the response to the user"
    ACK = "acknowledge the failure (section 17.1.1.3)"
    TIMEOUT = "tell the user that nobody answered: 408"
    FAIL = "tell the user that the transport failed: 503"
    REARM = "start the repeating timer with twice its interval"
    STOP = "stop the timers of the state that is left"
    LINGER = "start the timer that ends the new state"


class Step(NamedTuple):
    """A transition."""

    to: State
    do: tuple[Do, ...] = ()


Table = Mapping[tuple[State, Input], Step]

INVITE_CLIENT: Final[Table] = {
    (State.CALLING, Input.A): Step(State.CALLING, (Do.SEND, Do.REARM)),
    (State.CALLING, Input.B): Step(State.TERMINATED, (Do.STOP, Do.TIMEOUT)),
    (State.CALLING, Input.ERROR): Step(State.TERMINATED, (Do.STOP, Do.FAIL)),
    (State.CALLING, Input.R1XX): Step(State.PROCEEDING, (Do.STOP, Do.TELL)),
    (State.CALLING, Input.R2XX): Step(State.ACCEPTED, (Do.STOP, Do.LINGER, Do.TELL)),
    (State.CALLING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.LINGER, Do.ACK, Do.TELL)),
    (State.PROCEEDING, Input.R1XX): Step(State.PROCEEDING, (Do.TELL,)),
    (State.PROCEEDING, Input.R2XX): Step(State.ACCEPTED, (Do.STOP, Do.LINGER, Do.TELL)),
    (State.PROCEEDING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.LINGER, Do.ACK, Do.TELL)),
    (State.PROCEEDING, Input.B): Step(State.TERMINATED, (Do.STOP, Do.TIMEOUT)),
    (State.PROCEEDING, Input.ERROR): Step(State.TERMINATED, (Do.STOP, Do.FAIL)),
    (State.COMPLETED, Input.R3XX): Step(State.COMPLETED, (Do.ACK,)),
    (State.COMPLETED, Input.ERROR): Step(State.TERMINATED, (Do.STOP,)),
    (State.COMPLETED, Input.D): Step(State.TERMINATED),
    (State.ACCEPTED, Input.R2XX): Step(State.ACCEPTED, (Do.TELL,)),
    (State.ACCEPTED, Input.M): Step(State.TERMINATED),
}
"""RFC 3261 figure 5 with RFC 6026 figure 2. B in Proceeding is the end of a cancelled INVITE (section 9.1)."""

CLIENT: Final[Table] = {
    (State.TRYING, Input.E): Step(State.TRYING, (Do.SEND, Do.REARM)),
    (State.TRYING, Input.F): Step(State.TERMINATED, (Do.STOP, Do.TIMEOUT)),
    (State.TRYING, Input.ERROR): Step(State.TERMINATED, (Do.STOP, Do.FAIL)),
    (State.TRYING, Input.R1XX): Step(State.PROCEEDING),
    (State.TRYING, Input.R2XX): Step(State.COMPLETED, (Do.STOP, Do.LINGER, Do.TELL)),
    (State.TRYING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.LINGER, Do.TELL)),
    (State.PROCEEDING, Input.E): Step(State.PROCEEDING, (Do.SEND, Do.REARM)),
    (State.PROCEEDING, Input.F): Step(State.TERMINATED, (Do.STOP, Do.TIMEOUT)),
    (State.PROCEEDING, Input.ERROR): Step(State.TERMINATED, (Do.STOP, Do.FAIL)),
    (State.PROCEEDING, Input.R2XX): Step(State.COMPLETED, (Do.STOP, Do.LINGER, Do.TELL)),
    (State.PROCEEDING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.LINGER, Do.TELL)),
    (State.COMPLETED, Input.K): Step(State.TERMINATED),
}
"""RFC 3261 figure 6."""

INVITE_SERVER: Final[Table] = {
    (State.PROCEEDING, Input.REQUEST): Step(State.PROCEEDING, (Do.SEND,)),
    (State.PROCEEDING, Input.R1XX): Step(State.PROCEEDING, (Do.SEND,)),
    (State.PROCEEDING, Input.R2XX): Step(State.ACCEPTED, (Do.STOP, Do.SEND, Do.LINGER)),
    (State.PROCEEDING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.SEND, Do.LINGER)),
    (State.PROCEEDING, Input.ERROR): Step(State.TERMINATED, (Do.STOP,)),
    (State.COMPLETED, Input.REQUEST): Step(State.COMPLETED, (Do.SEND,)),
    (State.COMPLETED, Input.G): Step(State.COMPLETED, (Do.SEND, Do.REARM)),
    (State.COMPLETED, Input.H): Step(State.TERMINATED, (Do.STOP,)),
    (State.COMPLETED, Input.ACK): Step(State.CONFIRMED, (Do.STOP, Do.LINGER)),
    (State.COMPLETED, Input.ERROR): Step(State.TERMINATED, (Do.STOP,)),
    (State.CONFIRMED, Input.I): Step(State.TERMINATED),
    (State.ACCEPTED, Input.R2XX): Step(State.ACCEPTED, (Do.SEND,)),
    (State.ACCEPTED, Input.L): Step(State.TERMINATED),
}
"""RFC 3261 figure 7 with RFC 6026 figure 1: an INVITE that comes again in Accepted is swallowed."""

SERVER: Final[Table] = {
    (State.TRYING, Input.R1XX): Step(State.PROCEEDING, (Do.SEND,)),
    (State.TRYING, Input.R2XX): Step(State.COMPLETED, (Do.STOP, Do.SEND, Do.LINGER)),
    (State.TRYING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.SEND, Do.LINGER)),
    (State.PROCEEDING, Input.REQUEST): Step(State.PROCEEDING, (Do.SEND,)),
    (State.PROCEEDING, Input.R1XX): Step(State.PROCEEDING, (Do.SEND,)),
    (State.PROCEEDING, Input.R2XX): Step(State.COMPLETED, (Do.STOP, Do.SEND, Do.LINGER)),
    (State.PROCEEDING, Input.R3XX): Step(State.COMPLETED, (Do.STOP, Do.SEND, Do.LINGER)),
    (State.PROCEEDING, Input.ERROR): Step(State.TERMINATED),
    (State.COMPLETED, Input.REQUEST): Step(State.COMPLETED, (Do.SEND,)),
    (State.COMPLETED, Input.ERROR): Step(State.TERMINATED),
    (State.COMPLETED, Input.J): Step(State.TERMINATED),
}
"""RFC 3261 figure 8."""


def response_input(status: int) -> Input:
    """Return the input that a response is."""
    return Input.R1XX if status < 200 else Input.R2XX if status < 300 else Input.R3XX  # noqa: PLR2004 -- SIP classes
