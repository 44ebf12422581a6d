"""What one campaign's engine holds between two events; shared by the parts of the engine, owned by nobody else."""

from __future__ import annotations

import msgspec
import numpy as np

from dialer.core.agents import AgentState, Roster
from dialer.core.calls import Call
from dialer.core.content import ContentWatch
from dialer.core.effects import AnyEffect
from dialer.core.events import CallEnded
from dialer.core.hopper import Hopper
from dialer.core.hotlines import HotlinePicker
from dialer.core.kinds import is_scripted, pacer_for, script_for
from dialer.core.pacing.base import Pacer, Tally
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.guard import LegalBudget
from dialer.core.script import Prompt, Script, ScriptText, prompt_of
from dialer.core.timers import Timers
from dialer.core.trunks import TrunkPool
from dialer.core.types import AgentId, CallId, CampaignSettings, HoldReason, Lead
from dialer.core.window import WindowClock, effective
from statuses.classify import Override
from statuses.hotline import HotlineMonitor
from statuses.outcomes import LocalError


class Wish(msgspec.Struct, frozen=True, gc=False):
    """A call that an agent asked for by hand; `request_id` 0: from the desk itself."""

    lead_id: int
    phone: str
    request_id: int = 0


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The last pacing decision: calls placed and what stopped more."""

    dials: int
    reason: HoldReason | None
    detail: str


class Arrival:
    """A call to a hotline before it is written down; `ended`: the caller has hung up meanwhile."""

    __slots__ = ("at", "ended", "ended_at")

    def __init__(self, at: float) -> None:
        self.at = at
        self.ended: CallEnded | None = None
        self.ended_at = at


class Totals:
    """Counts since the engine began; people who answered and abandoned calls are the legal budget's."""

    __slots__ = ("abandoned", "answered", "fallbacks", "finished", "placed", "strays", "unrecorded")

    def __init__(self) -> None:
        self.placed = 0
        self.finished = 0
        self.answered = 0
        self.abandoned = 0
        self.fallbacks = 0
        """Decisions that the pacer could not make."""
        self.strays = 0
        """Events about calls that the engine does not know."""
        self.unrecorded = 0
        """Calls that the switch was told to record and did not."""

    def tally(self) -> Tally:
        """Return the counts that pacers may look at."""
        return Tally(self.placed, self.finished, self.answered, self.abandoned)


class EngineState:
    """The state of one campaign's engine."""

    def __init__(
        self,
        settings: CampaignSettings,
        pool: TrunkPool,
        overrides: tuple[Override, ...],
        epoch: int,
        script: ScriptText | None = None,
    ) -> None:
        self.pool = pool
        self.overrides = overrides
        self.epoch = epoch
        self.running = False
        self.hold: HoldReason | None = None
        self.hold_detail = ""
        self.timers = Timers()
        self.effects: list[AnyEffect] = []
        self.roster = Roster()
        self.hopper = Hopper()
        self.parked = 0
        """Leads in the hopper that the last decision passed over: their trunks had no room."""
        self.calls: dict[CallId, Call] = {}
        self.dialing: dict[CallId, Call] = {}
        """Unanswered calls, oldest first."""
        self.waiting: dict[CallId, Call] = {}
        """Answered calls without an agent."""
        self.wishes: dict[AgentId, Wish] = {}
        """Whom agents want called, while the store looks for the lead."""
        self.previews: dict[AgentId, Lead] = {}
        """Leads that agents are asked about."""
        self.turned_down: dict[int, set[AgentId]] = {}
        """Who does not want which of the leads in the hopper."""
        self.asking: dict[CallId, Call] = {}
        """Answered calls that agents are asked to take."""
        self.arrivals: dict[CallId, Arrival] = {}
        """Calls that came to a hotline and are not written down yet."""
        self.last_offered: AgentId = ""
        """Whose turn it was last."""
        self.monitor = HotlineMonitor()
        self.estimators = _nothing_learned(settings)
        self.forgets = 0
        """How often people had what was learned forgotten."""
        self.totals = Totals()
        self.decision = Decision(0, HoldReason.CAMPAIGN_NOT_RUNNING, "")
        self.budget = LegalBudget(settings.legal, 0, 0)
        self.budget_known = False
        self.settings = settings
        self.hotlines = HotlinePicker(settings.hotlines, settings.hotline_strategy)
        self.configure(settings, script)

    def configure(self, settings: CampaignSettings, script: ScriptText | None = None) -> None:
        """Take settings and the script that they name; raise ValueError when they cannot work."""
        self.pacer: Pacer = pacer_for(settings)
        self.scripted = is_scripted(settings)
        self.script: Script | LocalError | None = script_for(settings, script)
        """What calls follow; a fault of it ends each before it leaves; None: agents take them at once."""
        self.overflow: Prompt | None = prompt_of(settings.overflow_prompt) if settings.overflow_prompt else None
        """What who finds no agent hears; braces that do not go together are refused here."""
        self.content = ContentWatch()
        self.window = WindowClock(effective(settings))
        if _hotlines(settings) != _hotlines(self.settings):
            self.hotlines = HotlinePicker(settings.hotlines, settings.hotline_strategy)
        self.settings = settings

    def recall(self, blob: bytes, *, age_s: float = 0.0) -> None:
        """Take what `Estimators.dump` returned `age_s` ago; raise ValueError, and keep ours, for what cannot be."""
        loaded = _nothing_learned(self.settings)
        loaded.load(blob, age_s=age_s)
        if not _is_possible(loaded):
            raise ValueError("these are not the learned estimates of a campaign: their numbers are impossible")
        self.estimators = loaded

    def forget(self, forgets: int) -> None:
        """Start cold; `forgets` says how often people have asked for it by now."""
        self.estimators, self.forgets = _nothing_learned(self.settings), forgets

    @property
    def plays(self) -> bool:
        """Tell whether calls may have to play something."""
        return self.scripted or self.overflow is not None

    @property
    def meets_agents(self) -> bool:
        """Tell whether calls come to agents, at once or from the script."""
        return not self.scripted or (isinstance(self.script, Script) and self.script.transfers)

    @property
    def agents_at_work(self) -> int:
        """Count the agents who take calls: ready, reserved, talking, in wrap-up."""
        return len(self.roster) - len(self.roster.in_state(AgentState.NOT_READY))


def _nothing_learned(settings: CampaignSettings) -> Estimators:
    return Estimators(target=settings.legal.abandon_limit * settings.legal.target_share)


def _is_possible(learned: Estimators) -> bool:
    with np.errstate(all="ignore"):  # what comes of impossible numbers is looked for here
        known = learned.estimates()
    finite = np.isfinite(known.coins).all() and np.isfinite(known.mean_handle_s)
    return bool(finite and 0 <= known.p_answer <= 1 and 0 < learned.theta < 1)


def _hotlines(settings: CampaignSettings) -> tuple[tuple[str, ...], str]:
    return settings.hotlines, settings.hotline_strategy
