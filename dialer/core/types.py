"""Values that the engine, its drivers and its adapters share; all frozen, times in UTC epoch seconds."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from statuses.classify import AttemptFacts, Verdict
from statuses.lead import ErrorKind, LeadState, Trigger
from statuses.retry import RetryPolicy

CallId: TypeAlias = str
AgentId: TypeAlias = str


class CampaignKind(StrEnum):
    """How a campaign dials (architecture.md section 3)."""

    PREDICTIVE = "predictive"
    PROGRESSIVE = "progressive"
    RATIO = "ratio"
    PREVIEW = "preview"
    MANUAL = "manual"
    AUTODIALER = "autodialer"
    INBOUND = "inbound"


class Purpose(StrEnum):
    """Why people are called; advertising falls under Decree 91/2020/ND-CP."""

    ADVERTISING = "advertising"
    CARE = "care"
    COLLECTION = "collection"
    SURVEY = "survey"


class Offering(StrEnum):
    """How an agent gets a call: joined at once, or asked first."""

    AUTO = "auto"
    ASK = "ask"


class Strategy(StrEnum):
    """Who of the ready agents is offered a call."""

    LONGEST_IDLE = "longest_idle"
    RING_ALL = "ring_all"
    """All of them; the first who accepts. Asks, whatever `offering` says."""
    FEWEST_CALLS = "fewest_calls"
    ROUND_ROBIN = "round_robin"
    TOP_DOWN = "top_down"
    """In the order of their ids."""


class Supervision(StrEnum):
    """What a supervisor in a talk may do."""

    LISTEN = "listen"
    WHISPER = "whisper"
    """The agent hears them, the customer does not."""
    BARGE = "barge"
    """Both hear them."""


class Direction(StrEnum):
    """Who called whom."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class HoldReason(StrEnum):
    """Why a lead, or a whole campaign, is not being dialed right now."""

    CAMPAIGN_NOT_RUNNING = "campaign_not_running"
    WINDOW = "window"
    NO_AGENT = "no_agent"
    PACING = "pacing"
    LEGAL_BUDGET = "legal_budget"
    TRUNK_CAPACITY = "trunk_capacity"
    TRUNK_CPS = "trunk_cps"
    NO_HOTLINE = "no_hotline"
    CAMPAIGN_CAP = "campaign_cap"
    INBOUND_ONLY = "inbound_only"
    ADAPTER = "adapter"
    """The telephony adapter cannot do what the campaign's calls need."""
    HOPPER_EMPTY = "hopper_empty"
    STORE_SLOW = "store_slow"
    NOTHING_DUE = "nothing_due"
    RETRY_NOT_DUE = "retry_not_due"
    CALLBACK_NOT_DUE = "callback_not_due"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    DNC = "dnc"
    BLACKLIST = "blacklist"
    SUPPRESSED = "suppressed"
    NUMBER_CAP = "number_cap"
    NUMBER_IN_FLIGHT = "number_in_flight"
    MAX_ATTEMPTS = "max_attempts"
    LIST_OFF = "list_off"
    PAUSED_LEAD = "paused_lead"
    RECONCILE = "reconcile"
    FINISHED = "finished"
    GONE = "gone"
    FENCED = "fenced"
    CONTENT = "content"
    """What the campaign would play is broken or missing: it is tried again now and then."""


class Declined(StrEnum):
    """Why what a person asked of an agent's desk is not done, where no HoldReason says it."""

    NOT_SIGNED_IN = "not_signed_in"
    NOT_READY = "not_ready"
    """The agent, or the one to be transferred to, takes no calls now."""
    AGENT_BUSY = "agent_busy"
    WRAP_UP_FIRST = "wrap_up_first"
    """The previous customer is not wrapped up (statuses.md 3.1)."""
    NO_CALL = "no_call"
    """The agent has no call that this could be done to."""
    NOT_BY_HAND = "not_by_hand"
    """Agents of this kind of campaign do not choose whom to call."""
    BAD_TARGET = "bad_target"
    """A call cannot be given to its own agent, or to nobody."""
    UNREACHABLE = "unreachable"
    """The agent's phone did not come up."""
    TRANSFER_FAILED = "transfer_failed"
    TOO_LATE = "too_late"
    """Nobody took the request in time."""


class Slot(msgspec.Struct, frozen=True):
    """One daily calling slot, minutes of the local day, `opens_min` <= t < `closes_min`."""

    opens_min: int
    closes_min: int


class CallWindow(msgspec.Struct, frozen=True):
    """When a campaign may call: several slots a weekday (0 = Monday), holidays closed.

    `holidays` are ISO dates; `holiday_country` adds that country's public holidays (ISO 3166-1 alpha-2).
    Default 08:00-17:00 every day in Viet Nam (Decree 91/2020/ND-CP, advertising calls).
    """

    timezone: str = "Asia/Ho_Chi_Minh"
    weekdays: tuple[tuple[Slot, ...], ...] = ((Slot(480, 1020),),) * 7
    holidays: frozenset[str] = frozenset()
    holiday_country: str | None = None


class NumberCaps(msgspec.Struct, frozen=True):
    """How often one number may be called in any 24 h over all campaigns; attempts that never rang count if `strict`."""

    per_24h: int = 3
    strict: bool = False


class LegalProfile(msgspec.Struct, frozen=True):
    """What the law of a place asks, as data (`crm/laws/*.toml`); a campaign may be stricter than its law.

    The abandonment rule: abandoned / answered by a person <= `abandon_limit` over `window_s`. The denominator leaves
    out what was recognised as a machine; a machine that was not counts as a person.
    """

    law: str = "VN"
    abandon_limit: float = 0.03
    window_s: float = 30 * 86_400.0
    connect_within_s: float = 2.0
    min_ring_s: float = 15.0
    target_share: float = 0.95
    """Pacing aims at this share of the limit; the hard budget keeps the limit whatever happens."""
    lockout_s: float = 0.0
    """No campaign calls a number for so long after a call to it was abandoned; 0 = the law names none."""
    advertising_hours: tuple[Slot, ...] = (Slot(480, 1020),)
    """When advertising may call, in the campaign's zone; empty = the law names none."""
    advertising_per_24h: int = 1
    """Advertising calls to a number in 24 hours; 0 = the law names none."""
    consent_needed: bool = True
    """Advertising may only call people who consented: the operator declares it (`consent`)."""
    message_needed: bool = False
    """Whoever finds no agent must hear a message (`overflow_prompt`)."""
    machine_correction: bool = False
    """The law lets a reasoned share of the abandoned calls count as machines; reported, never used to dial more."""
    dnc_max_age_days: float = 0.0
    """The do-not-call register may be so old; 0 = the law names none."""


class CampaignSettings(msgspec.Struct, frozen=True):
    """Everything that an operator may set for one campaign."""

    campaign_id: int
    name: str
    kind: CampaignKind = CampaignKind.PREDICTIVE
    purpose: Purpose = Purpose.CARE
    pacer: str = "predictive"
    ratio: float = 1.5
    max_ratio: float = 6.0
    max_calls: int = 500
    ring_timeout_s: float = 30.0
    wrap_up_s: float = 30.0
    hopper_size: int = 0
    """0 = from agents and pacing."""
    hotlines: tuple[str, ...] = ()
    hotline_strategy: str = "rotate"
    window: CallWindow = CallWindow()
    agreed_otherwise: bool = False
    """The people called agreed to advertising calls outside the legal hours."""
    consent: bool = False
    """The operator declares that the people called consented to these calls."""
    retry: RetryPolicy = RetryPolicy()
    caps: NumberCaps = NumberCaps()
    legal: LegalProfile = LegalProfile()
    no_recall_days: int = 180
    overflow_prompt: str | None = None
    overflow_s: float = 8.0
    starts_at: float | None = None
    ends_at: float | None = None
    end_when_done: bool = False
    best_time: bool = False
    """Of the leads that are due alike, dial those first that most likely answer in this hour."""
    prompt: str | None = None
    """The message that an autodialer campaign plays to whoever answers."""
    callback_url: str | None = None
    """Where finished call records are posted (docs/webhook.md)."""
    script: str | None = None
    """The script that an autodialer campaign follows instead of `prompt`, by name (docs/scripts.md)."""
    amd: bool = False
    """Have the switch tell people from answering machines."""
    record: bool = False
    """Record the talks."""
    inbound: bool = False
    """Calls to the hotlines come to this campaign's agents too (always so for the kind inbound)."""
    offering: Offering = Offering.AUTO
    offer_s: float = 20.0
    """How long an agent who is asked has to accept."""
    strategy: Strategy = Strategy.LONGEST_IDLE
    queue_s: float = 120.0
    """A caller who has waited so long for an agent hears `overflow_prompt` and is let go."""


class Lead(msgspec.Struct, frozen=True, gc=False):
    """A leased place on a campaign's list; `attempts` have counted, `dialed` counts every attempt begun."""

    lead_id: int
    customer_id: int
    list_id: int
    phone: str
    """E.164 with the plus sign."""
    attempts: int = 0
    dialed: int = 0
    error_attempts: int = 0
    status_attempts: dict[str, int] = {}
    """Attempts so far by CallStatus value."""
    last_status: str | None = None
    last_hotline: str | None = None
    due_at: float = 0.0
    callback_agent: AgentId | None = None
    from_state: LeadState = LeadState.NOT_CALLED
    name: str = ""
    fields: dict[str, str] = {}
    """The customer's attributes by name, in a campaign whose prompts name some."""


class AttemptIntent(msgspec.Struct, frozen=True, gc=False):
    """What is written down before a call leaves (write-ahead dialing)."""

    call_id: CallId
    lead_id: int
    customer_id: int
    list_id: int
    phone: str
    hotline: str
    trunk: str
    attempt_no: int
    begun_at: float
    direction: Direction = Direction.OUTBOUND
    by_hand: bool = False
    """An agent chose this number: it is not bound by when the lead was due (statuses.md 3.1, Manual is exempt)."""


class StepKind(StrEnum):
    """What happens to a call in a script; the values are CDR event types."""

    ENTERED = "ivr.entered"
    KEY = "ivr.dtmf"
    LEFT = "ivr.left"


class ScriptStep(msgspec.Struct, frozen=True, gc=False):
    """Something that happened at a node of a script; `digit`: the key that was pressed."""

    kind: StepKind
    at: float
    node: str
    digit: str = ""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """An intent that the store did not allow; the lead went back or was held for `reason`."""

    call_id: CallId
    lead_id: int
    reason: HoldReason


class OfferMade(msgspec.Struct, frozen=True, gc=False):
    """An agent was asked to take a call at `at`; `outcome`: accepted, rejected, missed, withdrawn, or lost."""

    agent_id: AgentId
    at: float
    outcome: str


class AttemptRecord(msgspec.Struct, frozen=True):
    """The whole of one finished attempt: times, facts, verdict, and what it does to the lead.

    Times are None when the thing did not happen. `lead_trigger` None: an agent is still in wrap-up and `SettleLead`
    follows. started <= ringing <= answered <= bridged <= ended.
    """

    call_id: CallId
    lead_id: int
    customer_id: int
    list_id: int
    phone: str
    hotline: str
    trunk: str
    attempt_no: int
    started_at: float
    ended_at: float
    facts: AttemptFacts
    verdict: Verdict
    originated_at: float | None = None
    ringing_at: float | None = None
    early_media_at: float | None = None
    answered_at: float | None = None
    bridged_at: float | None = None
    agent_id: AgentId | None = None
    lead_trigger: Trigger | None = None
    error_kind: ErrorKind | None = None
    next_at: float | None = None
    retry_reason: str = ""
    direction: Direction = Direction.OUTBOUND
    queued_at: float | None = None
    """When it began to wait for an agent."""
    queue_left_at: float | None = None
    offers: tuple[OfferMade, ...] = ()
    steps: tuple[ScriptStep, ...] = ()
    """What happened in the campaign's script."""
    recorded: bool = False
    """The switch was told to record the call: its recording may follow."""


class OpenAttempt(msgspec.Struct, frozen=True):
    """An attempt found begun and not settled at start-up, with the progress that was committed."""

    intent: AttemptIntent
    answered_at: float | None = None
    bridged_at: float | None = None
    agent_id: AgentId | None = None
    lead: Lead | None = None
    """Its lead, if it talks to an agent and the lead is still there: such a call can be taken up again."""


class LeadResult(msgspec.Struct, frozen=True):
    """What an agent's work after a talk means for the lead (statuses.md 3.2, T6 to T8)."""

    call_id: CallId
    lead_id: int
    trigger: Trigger
    agent_id: AgentId | None
    wrap_s: float
    disposition: str | None = None
    note: str | None = None
    callback_at: float | None = None
    next_at: float | None = None


class Fence(msgspec.Struct, frozen=True):
    """The right to dial a campaign: `epoch` grows with each owner and is checked in the store's transaction."""

    campaign_id: int
    owner: str
    epoch: int
    expires_at: float


class SavedEstimates(msgspec.Struct, frozen=True):
    """What a campaign had learned by `saved_at` (UTC epoch seconds); the bytes are its engine's own, none = nothing."""

    blob: bytes = b""
    saved_at: float = 0.0
    forgets: int = 0
    """How often people had it forgotten by then."""
