"""What desks and dialer say to each other: JSON, version 1 (docs/agents.asyncapi.yaml is made of these models)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from dialer.core.types import Supervision
from dialer.requests import ID_MAX, clean
from statuses.lead import Trigger

VERSION: Final = 1
MAX_BYTES: Final = 16_384
"""A longer message is nobody's."""
Token: TypeAlias = Annotated[str, Field(min_length=1, max_length=64)]
Said: TypeAlias = Annotated[str, AfterValidator(clean)]
LeadId: TypeAlias = Annotated[int, Field(ge=1, le=ID_MAX)]
Model = TypeVar("Model", bound=BaseModel)


class DeskState(StrEnum):
    """What an agent is doing."""

    OFFLINE = "offline"
    NOT_READY = "not_ready"
    READY = "ready"
    RINGING = "ringing"
    """A call or a lead is offered."""
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


class Result(StrEnum):
    """What became of a talk."""

    ANSWERED = "answered"
    CALLBACK = "callback"
    """Hẹn gọi lại."""
    DO_NOT_RECALL = "do_not_recall"
    """Không gọi lại."""


TRIGGERS: Final = {
    Result.ANSWERED: Trigger.ANSWERED,
    Result.CALLBACK: Trigger.CALLBACK_ASKED,
    Result.DO_NOT_RECALL: Trigger.DO_NOT_RECALL,
}


class Message(BaseModel):
    """Base of all messages; fields that a reader does not know are ignored, another version is refused."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    v: Literal[1] = 1


class Presence(Message):
    """A desk is there, or (the last will) no longer. `session` is new for each connection."""

    session: Token
    online: bool


class Command(Message):
    """Base of what an agent asks. `id` is new for each command: a second one with the same id changes nothing."""

    id: Token
    session: Token


class SignIn(Command):
    """Join a campaign, by name or id; not ready yet. An agent is in one campaign at a time."""

    type: Literal["sign_in"] = "sign_in"
    campaign: Annotated[str, Field(min_length=1, max_length=255)]


class SignOut(Command):
    """Leave the campaign."""

    type: Literal["sign_out"] = "sign_out"


class Ready(Command):
    """Take calls; in wrap-up it ends that."""

    type: Literal["ready"] = "ready"


class Pause(Command):
    """Take no more calls after the present one; `code` says why."""

    type: Literal["pause"] = "pause"
    code: Annotated[str, Field(max_length=32), AfterValidator(clean)] = ""


class Accept(Command):
    """Take what is offered."""

    type: Literal["accept"] = "accept"
    call_id: str | None = None
    lead_id: LeadId | None = None


class Reject(Command):
    """Do not take what is offered."""

    type: Literal["reject"] = "reject"
    call_id: str | None = None
    lead_id: LeadId | None = None


class WrapUp(Command):
    """End the after-call work of this call; a callback needs its time."""

    type: Literal["wrap_up"] = "wrap_up"
    call_id: str
    result: Result = Result.ANSWERED
    disposition: Annotated[Said | None, Field(max_length=64)] = None
    """A result code of the campaign."""
    note: Annotated[Said | None, Field(max_length=2000)] = None
    callback_at: AwareDatetime | None = None
    ready: bool = True
    """False: not ready afterwards."""

    @model_validator(mode="after")
    def _timed(self) -> Self:
        if (self.result is Result.CALLBACK) != (self.callback_at is not None):
            raise ValueError("callback_at belongs to the result callback, and that needs it")
        return self


class HangUp(Command):
    """End the call."""

    type: Literal["hang_up"] = "hang_up"
    call_id: str


class Hold(Command):
    """Give the customer music, or come back."""

    type: Literal["hold"] = "hold"
    call_id: str
    on: bool


class Transfer(Command):
    """Give the customer to another agent, or to a number (E.164)."""

    type: Literal["transfer"] = "transfer"
    call_id: str
    to_agent: str | None = None
    to_phone: Annotated[str | None, Field(pattern=r"^\+[0-9]{4,15}$")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.to_agent is None) == (self.to_phone is None):
            raise ValueError("a transfer goes to one agent, or to one number")
        return self


class Dial(Command):
    """Have a number (E.164) or a lead of the campaign called now."""

    type: Literal["dial"] = "dial"
    phone: Annotated[str | None, Field(pattern=r"^\+[0-9]{4,15}$")] = None
    lead_id: LeadId | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.phone is None) == (self.lead_id is None):
            raise ValueError("name one number, or one lead")
        return self


class Supervise(Command):
    """Come into, change one's part in, or (no mode) leave the talk of an agent; for supervisors."""

    type: Literal["supervise"] = "supervise"
    agent: Token
    mode: Supervision | None = None


AnyCommand: TypeAlias = Annotated[
    SignIn | SignOut | Ready | Pause | Accept | Reject | WrapUp | HangUp | Hold | Transfer | Dial,
    Field(discriminator="type"),
]


class OfferKind(StrEnum):
    """Whether an offer begins or is over, or what the agent wanted is not done."""

    OFFER = "offer"
    WITHDRAW = "withdraw"
    REFUSED = "refused"
    """What the agent wanted dialled is not: `code` says why."""


class Offer(Message):
    """A call, or (no `call_id`) a lead to be called, offered to the agent until `expires_at`; or the end of that."""

    type: OfferKind
    call_id: str | None = None
    lead_id: int | None = None
    phone: str = ""
    name: str = ""
    expires_at: float | None = None
    """UTC epoch seconds."""
    code: str = ""
    """Why it is over."""


class Refused(StrEnum):
    """Why a command was not obeyed."""

    OLD_SESSION = "old_session"
    """Another connection of this agent is in charge."""
    NOT_SIGNED_IN = "not_signed_in"
    UNKNOWN_CAMPAIGN = "unknown_campaign"
    BUSY = "busy"
    """A call, its offer or its wrap-up holds the agent."""
    TOO_LATE = "too_late"
    """The call, or the offer, that is meant is not the agent's now."""
    NOT_TALKING = "not_talking"
    """The agent to be supervised has no talk."""
    UNAVAILABLE = "unavailable"
    """The dialer cannot tell now: its database is away. Say it again later."""


class Answer(BaseModel):
    """What became of a command."""

    model_config = ConfigDict(frozen=True)
    id: str
    error: Refused | None = None


class State(Message):
    """What the dialer takes the agent to be doing; `session` is the connection in charge."""

    session: str = ""
    by: str = ""
    """Which engine says so."""
    campaign_id: int | None = None
    state: DeskState = DeskState.OFFLINE
    code: str = ""
    """Why the agent is not ready."""
    since: float = 0.0
    """UTC epoch seconds."""
    call_id: str | None = None
    lead_id: int | None = None
    ends_at: float | None = None
    """When the offer, or the wrap-up, is over by itself."""
    answer: Answer | None = None
    """To the latest command."""


class BadMessage(Exception):
    """A payload that is no message of ours; says why without repeating it."""


_COMMANDS: Final[TypeAdapter[AnyCommand]] = TypeAdapter(AnyCommand)


def encode(message: Message) -> bytes:
    """Return the payload."""
    return message.model_dump_json().encode()


def decode(kind: type[Model], payload: object) -> Model:
    """Read a payload; raise BadMessage."""
    try:
        return kind.model_validate_json(_bytes(payload))
    except ValidationError as error:
        raise BadMessage(_why(error)) from None


def decode_command(payload: object) -> AnyCommand:
    """Read a command; raise BadMessage."""
    try:
        return _COMMANDS.validate_json(_bytes(payload))
    except ValidationError as error:
        raise BadMessage(_why(error)) from None


def _bytes(payload: object) -> bytes:
    if not isinstance(payload, bytes | bytearray) or len(payload) > MAX_BYTES:
        raise BadMessage("empty, or too long")
    return bytes(payload)


def _why(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
