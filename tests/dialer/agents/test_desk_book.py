"""The book of desks: what flaps, repeats or comes late; no agent has two campaigns, no loss is told twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialer.agents import messages as m
from dialer.agents.desk_book import AWAY
from dialer.agents.messages import DeskState, Refused
from dialer.core import events as e
from dialer.core.effects import AgentOrder
from dialer.core.events import AgentEvent
from dialer.core.types import Lead, Supervision
from tests.dialer.agents.desks import GRACE_S, Room


def test_an_agent_signs_in_is_ready_and_is_shown_so() -> None:
    room = Room()
    room.presence("an", "s1")
    assert room.states == {}, "of an agent in no campaign no process speaks unasked: another one may know better"
    assert room.say("an", "s1", m.SignIn, campaign_id=1) == [e.AgentSignedIn("an")]
    assert room.states["an"].state is DeskState.NOT_READY
    assert room.say("an", "s1", m.Ready) == [e.AgentReady("an")]
    state = room.states["an"]
    assert (state.state, state.campaign_id, state.session, state.by) == (DeskState.READY, 1, "s1", "me")
    assert room.events == [(1, e.AgentSignedIn("an")), (1, e.AgentReady("an"))]


def test_a_command_counts_once_and_its_answer_is_said_again() -> None:
    room = Room()
    room.at_work("an")
    assert room.say("an", "s1", m.Pause, id="twice", code="lunch") == [e.AgentPaused("an", "lunch")]
    assert room.say("an", "s1", m.Pause, id="twice", code="lunch") == []
    answer = room.last.states[0][1].answer
    assert answer is not None
    assert answer.id == "twice"


def test_the_latest_session_is_in_charge_and_what_the_one_before_says_is_refused() -> None:
    room = Room()
    room.at_work("an", "laptop")
    assert room.presence("an", "thief") == [], "the engine learns nothing of it: the agent is as they were"
    assert room.states["an"].session == "thief"
    assert room.say("an", "laptop", m.Pause) == []
    assert room.answer("an") is Refused.OLD_SESSION
    assert room.presence("an", "laptop", online=False) == [], "its last will comes late"
    assert room.last.presences == [("an", m.Presence(session="thief", online=True))], "the broker keeps the live one"
    assert room.presence("an", "laptop") == []
    assert room.states["an"].session == "thief", "a session that was replaced is over"


def test_a_desk_that_flaps_is_offered_nothing_meanwhile_and_goes_on_as_before() -> None:
    room = Room()
    room.at_work("an", "s1")
    assert room.presence("an", "s1", online=False) == [e.AgentPaused("an", AWAY)]
    assert (room.states["an"].state, room.states["an"].code) == (DeskState.NOT_READY, AWAY)
    assert room.later(GRACE_S - 0.1) == []
    assert room.presence("an", "s2") == [e.AgentReady("an")]
    assert room.later(GRACE_S * 2) == []


def test_a_desk_that_does_not_come_back_is_lost_once_and_must_sign_in_anew() -> None:
    room = Room()
    room.at_work("an", "s1")
    room.presence("an", "s1", online=False)
    assert room.book.next_timer() == room.now + GRACE_S
    assert room.later(GRACE_S) == [e.AgentLost("an")]
    assert room.later(GRACE_S) == []
    assert room.presence("an", "s2") == []
    assert room.say("an", "s2", m.Ready) == []
    assert room.answer("an") is Refused.NOT_SIGNED_IN


def test_a_flap_in_a_talk_changes_nothing_and_its_wrap_up_is_the_agents_own() -> None:
    room = Room()
    room.at_work("an", "s1")
    room.order("an", AgentOrder.RESERVE, "c1", lead_id=7)
    room.order("an", AgentOrder.TALK, "c1", lead_id=7)
    assert room.presence("an", "s1", online=False) == []
    assert room.presence("an", "s2") == []
    assert room.states["an"].state is DeskState.TALKING
    room.order("an", AgentOrder.WRAP_UP, "c1", lead_id=7, wrap_up_s=30.0)
    assert room.states["an"].ends_at == room.now + 30
    said = room.say("an", "s2", m.WrapUp, call_id="c1", disposition="SALE", note="nice")
    assert said == [e.AgentWrappedUp("an", disposition="SALE", note="nice")]


def test_who_is_freed_while_away_is_taken_off_calls_until_the_desk_is_back() -> None:
    room = Room()
    room.at_work("an", "s1")
    room.order("an", AgentOrder.WRAP_UP, "c1", wrap_up_s=3.0)
    room.presence("an", "s1", online=False)
    assert room.order("an", AgentOrder.READY) == [e.AgentPaused("an", AWAY)]
    assert room.presence("an", "s2") == [e.AgentReady("an")]


def test_a_wrap_up_of_another_call_comes_too_late() -> None:
    room = Room()
    room.at_work("an")
    room.order("an", AgentOrder.WRAP_UP, "c2", wrap_up_s=30.0)
    assert room.say("an", "s1", m.WrapUp, call_id="c1") == []
    assert room.answer("an") is Refused.TOO_LATE


def test_an_offer_is_accepted_in_time_only() -> None:
    room = Room()
    room.at_work("an")
    room.order("an", AgentOrder.OFFER, "c1", lead_id=7, offer_s=20.0, phone="+84900000001", name="Bình")
    offer = room.offers[-1][1]
    assert (offer.call_id, offer.lead_id, offer.phone, offer.expires_at) == ("c1", 7, "+84900000001", room.now + 20)
    assert room.states["an"].state is DeskState.RINGING
    assert room.say("an", "s1", m.Accept, call_id="c0") == []
    room.now += 20.1
    assert room.say("an", "s1", m.Accept, call_id="c1") == []
    assert room.answer("an") is Refused.TOO_LATE
    room.order("an", AgentOrder.WITHDRAW, "c1", code="missed")
    assert (room.states["an"].state, room.states["an"].code) == (DeskState.NOT_READY, "missed")
    assert room.offers[-1][1].type is m.OfferKind.WITHDRAW


@pytest.mark.parametrize(("kind", "event"), [(m.Accept, e.AgentAccepted), (m.Reject, e.AgentRejected)])
def test_what_is_said_to_an_offer_reaches_the_engine(kind: type[Any], event: type[Any]) -> None:
    room = Room()
    room.at_work("an")
    room.order("an", AgentOrder.OFFER, None, lead_id=7, offer_s=20.0)
    assert room.say("an", "s1", kind, lead_id=7) == [event("an", None, 7)]
    assert room.say("an", "s1", kind, lead_id=7) == [], "once"


def test_an_offer_to_a_desk_that_is_away_is_rejected_for_it() -> None:
    room = Room()
    room.at_work("an")
    room.presence("an", "s1", online=False)
    assert room.order("an", AgentOrder.OFFER, "c1", lead_id=7) == [e.AgentRejected("an", "c1", 7)]


def test_an_agent_moves_to_another_campaign_but_not_out_of_a_call() -> None:
    room = Room()
    room.at_work("an")
    room.order("an", AgentOrder.RESERVE, "c1")
    assert room.say("an", "s1", m.SignIn, campaign_id=2) == []
    assert room.answer("an") is Refused.BUSY
    room.order("an", AgentOrder.RELEASE, "c1")
    assert room.say("an", "s1", m.SignIn, campaign_id=2) == [e.AgentLost("an"), e.AgentSignedIn("an")]
    assert [campaign for campaign, _ in room.events[-2:]] == [1, 2]
    assert room.order("an", AgentOrder.RESERVE, "c9", campaign_id=1) == [], "late, of the campaign before"
    assert room.states["an"].state is DeskState.NOT_READY


def test_a_lost_broker_pauses_everybody_and_a_short_loss_loses_nobody() -> None:
    room = Room()
    room.at_work("an", "s1")
    room.at_work("ba", "s1")
    room.say("ba", "s1", m.Pause, code="lunch")
    room.book.link_lost(room.now)
    assert room.taken() == [e.AgentPaused("an", AWAY)]
    room.now += 5
    room.book.link_back(room.now)
    assert room.presence("an", "s1") == [e.AgentReady("an")], "the retained word of the same connection"
    assert room.presence("ba", "s2") == []
    assert room.states["ba"].code == "lunch"


def test_a_long_loss_of_the_broker_loses_everybody_once_and_their_word_brings_them_back() -> None:
    room = Room()
    room.at_work("an", "s1")
    room.book.link_lost(room.now)
    room.taken()
    assert room.later(GRACE_S) == [e.AgentLost("an")]
    assert room.later(3600) == []
    room.book.link_back(room.now)
    assert room.presence("an", "s2") == [e.AgentSignedIn("an"), e.AgentReady("an")]


def test_who_is_not_heard_of_after_the_broker_is_back_must_sign_in_anew() -> None:
    room = Room()
    room.at_work("an", "s1")
    room.book.link_lost(room.now)
    room.book.link_back(room.now + 1)
    room.taken()
    assert room.later(GRACE_S + 1) == [e.AgentLost("an")]
    assert room.presence("an", "s2") == []
    assert room.states["an"].state is DeskState.OFFLINE


def test_a_new_engine_is_told_who_is_there() -> None:
    room = Room(campaigns=())
    room.at_work("an")
    room.at_work("ba")
    room.say("ba", "s1", m.Pause, code="lunch")
    assert room.events == []
    assert room.states == {}, "of a campaign that another process has, that one speaks"
    room.book.announce(1, room.now)
    assert room.taken() == [
        e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentSignedIn("ba"), e.AgentPaused("ba", "lunch"),
    ]  # fmt: skip
    room.book.leave(1)
    assert room.say("an", "s1", m.Pause) == []


def test_a_dialer_that_is_started_again_reads_in_the_broker_where_everybody_was() -> None:
    room = Room()
    before = m.State(session="s1", by="before", campaign_id=1, state=DeskState.TALKING, call_id="c1")
    room.book.heard("an", before, room.now)
    assert room.presence("an", "s1") == [e.AgentSignedIn("an"), e.AgentReady("an")]
    room.presence("ba", "s1")
    paused = m.State(session="s1", by="before", campaign_id=2, state=DeskState.NOT_READY, code="lunch")
    room.book.heard("ba", paused, room.now)
    assert room.taken() == [e.AgentSignedIn("ba"), e.AgentPaused("ba", "lunch")]


@pytest.mark.parametrize("state_first", [True, False])
def test_who_left_while_the_dialer_was_away_is_not_taken_for_ready(state_first: bool) -> None:
    room = Room()
    before = m.State(session="s1", by="before", campaign_id=1, state=DeskState.READY)
    if state_first:
        room.book.heard("an", before, room.now)
    room.presence("an", "s1", online=False)
    room.book.heard("an", before, room.now)
    assert room.presence("an", "s2") == []
    assert room.events == []


def test_the_word_of_another_process_keeps_its_agents_out_of_our_campaigns() -> None:
    room = Room(campaigns=(2,))
    room.at_work("an", campaign_id=1)
    room.book.heard("an", m.State(session="s1", by="other", campaign_id=1, state=DeskState.TALKING), room.now)
    assert room.say("an", "s1", m.SignIn, campaign_id=2) == []
    assert room.events == []


@pytest.mark.req("S2-13")
def test_a_wish_to_dial_reaches_the_engine_while_nothing_holds_the_agent_and_its_refusal_the_desk() -> None:
    room = Room()
    room.at_work("an")
    assert room.say("an", "s1", m.Dial, phone="+84900000001") == [e.DialRequested("an", Lead(0, 0, 0, "+84900000001"))]
    room.order("an", AgentOrder.REFUSED, code="dnc")
    refused = room.offers[-1][1]
    assert (refused.type, refused.code) == (m.OfferKind.REFUSED, "dnc")
    assert room.states["an"].state is DeskState.READY, "a refusal takes nobody off calls"
    room.order("an", AgentOrder.RESERVE, "c1")
    assert room.say("an", "s1", m.Dial, lead_id=3) == []
    assert room.answer("an") is Refused.BUSY


def test_a_supervisor_comes_into_a_talk_and_no_other_state() -> None:
    room = Room()
    room.at_work("an")
    room.presence("boss", "s1")
    listen = m.Supervise(id="1", session="s1", agent="an", mode=Supervision.LISTEN)
    room.book.supervised("boss", listen, room.now)
    assert room.taken() == []
    assert room.answer("boss") is Refused.NOT_TALKING
    room.order("an", AgentOrder.TALK, "c1")
    room.book.supervised("boss", listen.model_copy(update={"id": "2"}), room.now)
    assert room.taken() == [e.SupervisionAsked("an", "boss", Supervision.LISTEN)]


class Desks(RuleBasedStateMachine):
    """Any interleaving of desks, brokers and engines; the engine's side obeys its own rules."""

    agents = st.sampled_from(["an", "ba"])
    sessions = st.sampled_from(["s1", "s2", "s3", "s4"])
    campaigns = st.sampled_from([1, 2])

    def __init__(self) -> None:
        super().__init__()
        self.room = Room()
        self.up = True
        self.signed_in: dict[str, int] = {}
        self.losses: Counter[str] = Counter()
        self.comings: Counter[str] = Counter()
        self.checked = 0

    def _check(self, campaign: int, event: AgentEvent) -> None:
        agent = event.agent_id
        if isinstance(event, e.AgentSignedIn):
            assert agent not in self.signed_in, "in one campaign at a time, and told once"
            self.signed_in[agent] = campaign
            self.comings[agent] += 1
            return
        assert self.signed_in.get(agent) == campaign, f"{event} before its AgentSignedIn, or after its AgentLost"
        if isinstance(event, e.AgentLost):
            del self.signed_in[agent]
            self.losses[agent] += 1

    @invariant()
    def what_engines_are_told_is_in_order(self) -> None:
        self.room.taken()
        for campaign, event in self.room.events[self.checked :]:
            self._check(campaign, event)
        self.checked = len(self.room.events)
        assert all(self.comings[agent] - self.losses[agent] == (agent in self.signed_in) for agent in self.comings)

    @precondition(lambda self: self.up)
    @rule(agent=agents, session=sessions, online=st.booleans())
    def presence(self, agent: str, session: str, online: bool) -> None:
        self.room.presence(agent, session, online=online)

    @precondition(lambda self: self.up)
    @rule(agent=agents, session=sessions, campaign=campaigns, id_=st.sampled_from([None, "same", "other"]))
    def sign_in(self, agent: str, session: str, campaign: int, id_: str | None) -> None:
        self.room.say(agent, session, m.SignIn, campaign_id=campaign, id=id_)

    @precondition(lambda self: self.up)
    @rule(
        agent=agents, session=sessions, call=st.sampled_from(["c1", "c2"]), id_=st.sampled_from([None, "same"]),
        kind=st.sampled_from([m.Ready, m.Pause, m.SignOut, m.Accept, m.Reject, m.WrapUp, m.HangUp, m.Dial]),
    )  # fmt: skip
    def say(self, agent: str, session: str, call: str, id_: str | None, kind: type[Any]) -> None:
        fields: dict[str, Any] = {"call_id": call} if kind in {m.Accept, m.Reject, m.WrapUp, m.HangUp} else {}
        fields |= {"lead_id": 1} if kind is m.Dial else {}
        before = self.room.book._desks.get(agent)
        seen = before is not None and id_ is not None and id_ in before.seen
        over = before is None or before.is_over(session)
        said = self.room.say(agent, session, kind, id=id_, **fields)
        assert not (said and (seen or over)), "a command id counts once, and an ended session not at all"

    @rule(
        agent=agents, campaign=campaigns, call=st.sampled_from(["c1", "c2"]),
        order=st.sampled_from([order for order in AgentOrder if order is not AgentOrder.OFFLINE]),
    )  # fmt: skip
    def order(self, agent: str, campaign: int, call: str, order: AgentOrder) -> None:
        self.room.order(agent, order, call, campaign_id=campaign, lead_id=1, offer_s=5.0)

    @rule(seconds=st.sampled_from([0.5, 4.0, GRACE_S, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.room.later(seconds)

    @rule()
    def the_broker_goes_or_comes(self) -> None:
        self.up = not self.up
        (self.room.book.link_back if self.up else self.room.book.link_lost)(self.room.now)

    @rule(campaign=campaigns)
    def another_engine_takes_a_campaign_and_gives_it_back(self, campaign: int) -> None:
        self.what_engines_are_told_is_in_order()
        self.room.book.leave(campaign)
        for agent in [who for who, where in self.signed_in.items() if where == campaign]:
            del self.signed_in[agent]  # the engine is gone, and with it what it was told
            self.losses[agent] += 1
        self.room.book.announce(campaign, self.room.now)

    def teardown(self) -> None:
        """Switch everything off: whoever was signed in is lost, once."""
        for agent in ("an", "ba"):
            for session in ("s1", "s2", "s3", "s4"):
                self.room.presence(agent, session, online=False)
        self.room.book.link_back(self.room.now)
        self.room.later(3 * GRACE_S)
        self.room.later(3 * GRACE_S)
        self.what_engines_are_told_is_in_order()
        assert self.signed_in == {}
        assert self.losses == self.comings
        assert self.room.book.next_timer() is None


TestDesks = Desks.TestCase
TestDesks.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
