"""What a carrier, a trunk and the people behind it are like: the numbers that a scenario may set."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from simulator.chance import Duration, Shape

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Keys = Annotated[str, msgspec.Meta(pattern="^[0-9*#]{1,20}$")]


class Fate(StrEnum):
    """What becomes of an attempt, left to itself."""

    ANSWER = "answer"
    RING_OUT = "ring_out"
    REJECT = "reject"
    ENGAGED = "engaged"
    SWITCHED_OFF = "switched_off"
    UNREACHABLE = "unreachable"
    """A recording in 183 says that the handset cannot be reached."""
    LOCKED = "locked"
    LOCKED_MESSAGE = "locked_message"
    WRONG_NUMBER = "wrong_number"
    WRONG_NUMBER_MESSAGE = "wrong_number_message"
    MACHINE = "machine"
    """A mailbox that answers with 200."""
    MAILBOX = "mailbox"
    """A mailbox in early media (183)."""
    SILENCE = "silence"
    """100 Trying, then nothing until 408."""
    NO_REPLY = "no_reply"
    """Not even 100: the trunk is deaf."""
    CONGESTION = "congestion"
    BUSY_NETWORK = "busy_network"
    """A recording says that the network is overloaded."""
    HOTLINE_BLOCKED = "hotline_blocked"
    MEDIA_FAULT = "media_fault"
    """488: our codec offer is not acceptable."""


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of attempts that meets each fate; they sum to 1. LOCKED* and WRONG_NUMBER* stay with the number."""

    answer: Share = 0.0
    ring_out: Share = 0.0
    reject: Share = 0.0
    engaged: Share = 0.0
    switched_off: Share = 0.0
    unreachable: Share = 0.0
    locked: Share = 0.0
    locked_message: Share = 0.0
    wrong_number: Share = 0.0
    wrong_number_message: Share = 0.0
    machine: Share = 0.0
    mailbox: Share = 0.0
    silence: Share = 0.0
    no_reply: Share = 0.0
    congestion: Share = 0.0
    busy_network: Share = 0.0
    hotline_blocked: Share = 0.0
    media_fault: Share = 0.0


class Burst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span in which a share of the INVITEs is refused (503 storm); `every_s` 0 = once. Times from the start."""

    from_s: Seconds
    for_s: Annotated[float, msgspec.Meta(gt=0)]
    every_s: Seconds = 0.0
    share: Share = 1.0
    retry_after_s: float | None = None


class Habit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span in which a share of the people whose number ends in one of these digits, who would answer, let it ring."""

    ends_in: Annotated[str, msgspec.Meta(pattern="^[0-9]+$")]
    from_s: Seconds
    for_s: Annotated[float, msgspec.Meta(gt=0)]
    every_s: Seconds = 0.0
    share: Share = 1.0


class Outage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span in which the trunk answers nothing at all. Times from the start."""

    from_s: Seconds
    for_s: Annotated[float, msgspec.Meta(gt=0)]


class Callers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People who call us: to these hotlines, at random moments."""

    per_hour: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 0.0
    """Calls to all hotlines together; 0 = none."""
    hotlines: tuple[str, ...] = ()
    """Each is called as often as the others; empty in a scenario = those of the campaigns that take calls."""
    trunk: str = "trunk-1"
    known: Share = 0.7
    """Callers who were called before, and call back; the others are strangers."""
    patience: Duration = Duration(60.0, 0.5, min_s=5.0, max_s=1800.0)
    """How long a caller waits for an agent, from the first ring to the hang-up."""


class CarrierProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a carrier and the people behind it behave. Durations are from the INVITE unless said."""

    shares: Shares
    trying_s: Seconds = 0.05
    """100 Trying."""
    post_dial_delay: Duration = Duration(2.5, 0.4, max_s=20.0)
    """INVITE to 180, or to the final refusal of the network."""
    answer_after: Duration = Duration(10.0, 0.4, Shape.NORMAL, 1.0, 60.0)
    """180 to 200 when a person answers."""
    ring_out_after: Duration = Duration(25.0, 0.1, Shape.NORMAL, 5.0, 120.0)
    """180 to the network's own end of ringing; beyond our ring time, we cancel first."""
    reject_after: Duration = Duration(7.0, 0.5, min_s=0.5, max_s=60.0)
    """180 to 486 when a person rejects."""
    announcement: Duration = Duration(6.0, 0.3, min_s=1.0, max_s=60.0)
    """How long the network's recording plays before the call is cleared."""
    mailbox_after: Duration = Duration(20.0, 0.1, Shape.NORMAL, 1.0, 60.0)
    """180 to the mailbox's greeting."""
    talk: Duration = Duration(105.0, 0.8, min_s=1.0, max_s=3600.0)
    machine_talk: Duration = Duration(8.0, 0.4, min_s=1.0, max_s=60.0)
    """Until an agent joined to an unrecognised mailbox hangs up."""
    patience: Duration = Duration(3.5, 0.4, Shape.UNIFORM, 0.5, 60.0)
    """How long a person who hears nobody waits before hanging up."""
    agent_hangs_up: Share = 0.4
    """Talks that the agent ends."""
    amd: bool = False
    """The switch tells machines from people on every call, and not only where it is asked to."""
    amd_delay: Duration = Duration(1.9, 0.2, min_s=0.2, max_s=5.0)
    amd_missed: Share = 0.05
    """Machines taken for people."""
    amd_false: Share = 0.01
    """People taken for machines."""
    lost_ringing: Share = 0.0
    """Ringing calls whose 180 never arrives."""
    late_answer: Share = 0.0
    """Calls cancelled while ringing whose 200 crosses our CANCEL."""
    reason_header: bool = True
    """Final responses carry a Q.850 cause (RFC 6432)."""
    cancel_s: Seconds = 0.1
    """CANCEL to 487, BYE to its 200."""
    connect_s: Seconds = 0.15
    """Connect to the moment when agent and customer hear each other."""
    connect_fails: Share = 0.0
    """Connects that find the agent's leg dead."""
    prompt_s: Seconds = 8.0
    """Length of a prompt."""
    prompt_patience: Duration | None = None
    """How long a person listens to a prompt before hanging up; absent = the patience of who hears nobody."""
    keys: Mapping[Keys, Share] = {}
    """What people press when they hear a prompt, and the share that does; the rest press nothing."""
    key_after: Duration = Duration(4.0, 0.4, min_s=0.3, max_s=60.0)
    """From the beginning of a prompt to the first key."""
    hold_patience: Duration | None = None
    """How long a person who waits for an agent with music waits; absent = the patience of who hears nobody."""
    transfer_fails: Share = 0.0
    """Transfers whose new number does not answer."""
    callers: Callers = Callers()
    silence_ends_s: Annotated[float, msgspec.Meta(gt=0)] = 32.0
    """INVITE to 408 when nothing comes back (RFC 3261 Timer B)."""
    known_hotlines: tuple[str, ...] = ()
    """Caller ids that are provisioned; empty = all."""
    blocked_hotlines: tuple[str, ...] = ()
    """Caller ids that the network refuses."""
    bursts: tuple[Burst, ...] = ()
    habits: tuple[Habit, ...] = ()
    outages: tuple[Outage, ...] = ()


class TrunkProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The far side of a trunk: what it admits; over a cap it answers 503. 0 = no cap."""

    name: str = "trunk-1"
    channels: Annotated[int, msgspec.Meta(ge=0)] = 0
    cps: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    retry_after_s: float | None = None


class AgentProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How agents work: a staggered start, after-call work, breaks, lost links, what they decide after a talk."""

    count: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 10
    arrive_within_s: Seconds = 60.0
    wrap_up: Duration = Duration(15.0, 0.5, max_s=600.0)
    accept_after: Duration = Duration(2.0, 0.5, min_s=0.2, max_s=60.0)
    """From an offer to the agent's word, where agents are asked."""
    rejects: Share = 0.0
    """Offers that the agent turns down."""
    misses: Share = 0.0
    """Offers that the agent does not answer."""
    break_every: Duration | None = None
    """Time at work between two breaks; absent = no breaks."""
    break_length: Duration = Duration(600.0, 0.2, max_s=7200.0)
    link_lost: Share = 0.0
    """Talks during which the agent's link goes down."""
    away: Duration = Duration(120.0, 0.5, min_s=1.0, max_s=7200.0)
    """From a lost link to the return."""
    leave_at_s: Seconds = 0.0
    """When a share of the agents goes home at once; 0 = never."""
    leave_share: Share = 0.0
    callback: Share = 0.05
    """Talks after which the customer wants to be called again."""
    callback_after: Duration = Duration(3600.0, 0.5, min_s=60.0, max_s=604800.0)
    do_not_recall: Share = 0.02
