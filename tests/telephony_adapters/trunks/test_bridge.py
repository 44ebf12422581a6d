"""Third-party call control: RFC 3725, RFC 3264 sections 6 and 8, RFC 3261 section 14."""

from __future__ import annotations

import pytest

from dialer.core.events import CallConnected, CallEnded, ConnectFailed
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.sip.sdp import PCMA, PCMU, TELEPHONE_EVENT, Codec, parse
from telephony_adapters.trunks.desks import DeskState
from tests.telephony_adapters.trunks.bank import Habits
from tests.telephony_adapters.trunks.stage import AGENTS, CUSTOMERS, HERE, ONE, TWO, Stage, hears_each_other

KEPT = "nailed_up = true\n"
G722 = Codec(9, "G722")


def kept(**how: Habits) -> Stage:
    """Return a stage whose agent a1 is on the line."""
    stage = Stage(agents=KEPT, phones=dict(how))
    stage.station()
    stage.run(1)
    assert stage.machine.phones()["a1"] is DeskState.UP
    return stage


@pytest.mark.parametrize("agents", ["", KEPT])
@pytest.mark.parametrize("offer", ["sendrecv", "inactive", "none"])
def test_media_flows_between_agent_and_customer(agents: str, offer: str) -> None:
    stage = Stage(agents=agents, trunk=f'offer = "{offer}"\n')
    stage.station()
    stage.run(1)
    stage.talking()
    assert hears_each_other(stage)
    assert stage.short == ["CallRinging", "CallAnswered", "CallConnected"]
    stage.hang_up(reason=CancelReason.OVERFLOW)
    stage.run(1)
    assert stage.end().ended_by is EndedBy.DIALER
    stage.station(up=False)
    assert stage.quiet()


def test_a_phone_that_is_kept_up_is_joined_in_one_round_trip() -> None:
    stage = kept()
    stage.answered()
    begun = stage.now
    stage.connect()
    stage.run(1)
    assert stage.moment(CallConnected) + 1_790_000_000.0 - begun == pytest.approx(0.02, abs=0.001)
    assert [len(stage.sent("INVITE", one)) for one in (CUSTOMERS, AGENTS)] == [2, 2]


def test_the_offers_are_cut_to_the_codecs_that_both_know() -> None:
    stage = Stage(agents=KEPT, phones={"a1": Habits(codecs=(G722, PCMA))}, customers={ONE: Habits(codecs=(PCMU, PCMA))})
    stage.station()
    stage.run(1)
    stage.talking()
    for phone in (stage.agent, stage.customer):
        audio = parse(phone.offers[-1]).audio
        assert audio is not None
        assert [codec.name for codec in audio.codecs] == ["PCMA"]


def test_without_a_common_codec_the_join_fails_and_the_customer_stays() -> None:
    stage = Stage(agents=KEPT, phones={"a1": Habits(codecs=(PCMA,))}, customers={ONE: Habits(codecs=(PCMU,))})
    for agent in ("a1", "a2"):
        stage.station(agent)
    stage.run(1)
    stage.answered()
    stage.connect()
    stage.run(0.1)
    assert stage.failed() == ["a1"]
    stage.connect(agent="a2")
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a2")]


@pytest.mark.parametrize(
    ("agents", "habits"),
    [
        ("", Habits(refuses=486)), ("", Habits(picks_up_s=None)), ("", Habits(codecs=(G722,))),
        (KEPT, Habits(refuses=486)), (KEPT, Habits(picks_up_s=None)), (KEPT, Habits(reoffer=488)),
        (KEPT, Habits(reoffer=0)),
    ],
)  # fmt: skip
def test_a_phone_that_cannot_be_joined_fails_within_five_seconds_and_another_is_joined(
    agents: str, habits: Habits
) -> None:
    stage = Stage(agents=agents, phones={"a1": habits})
    stage.station("a1")
    stage.station("a2")
    stage.run(0.08)
    stage.answered()
    stage.connect()
    stage.run(5)
    assert stage.failed() == ["a1"]
    stage.connect(agent="a2")
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a2")]
    assert stage.of(CallEnded) == []
    assert stage.customer.hears[:2] == (AGENTS.host, stage.agents.phone("a2").port)


def test_a_customer_who_cannot_be_told_of_the_agent_is_told_that_nobody_is_there() -> None:
    stage = kept(a1=Habits(reoffer=488))
    stage.answered()
    stage.connect()
    stage.run(0.3)
    assert stage.customer.hears[0] == AGENTS.host
    stage.run(1)
    assert stage.customer.hears == (HERE.host, 4000, "sendrecv")


def test_an_answer_from_another_place_is_passed_on() -> None:
    stage = kept(a1=Habits(moves=1))
    stage.talking()
    assert hears_each_other(stage)
    assert [len(stage.sent("INVITE", one)) for one in (CUSTOMERS, AGENTS)] == [3, 2]


def test_who_moves_all_the_time_is_not_joined() -> None:
    stage = kept(a1=Habits(moves=100))
    stage.customers.habits[ONE] = Habits(moves=100)
    stage.answered()
    stage.connect()
    stage.run(3)
    assert stage.failed() == ["a1"]
    assert len(stage.sent("INVITE")) < 14


def test_a_kept_phone_falls_silent_after_each_talk_and_is_joined_again_with_all_its_codecs() -> None:
    stage = kept()
    stage.customers.habits[ONE] = Habits(codecs=(PCMA, TELEPHONE_EVENT))
    stage.customers.habits[TWO] = Habits(codecs=(PCMU,))
    stage.talking()
    stage.hang_up()
    stage.run(0.001)  # the agent is free at once, its phone has not fallen silent yet
    stage.call("c2", TWO)
    stage.run(0.1)
    stage.connect("c2")
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1"), CallConnected("c2", "a1")]
    two = stage.customers.phone(TWO)
    assert two.hears == (AGENTS.host, stage.agent.port, "sendrecv")
    stage.hang_up("c2")
    stage.run(1)
    assert stage.agent.hears == (HERE.host, 4000, "inactive")


def test_a_phone_that_is_still_ringing_is_joined_when_it_is_picked_up() -> None:
    stage = Stage(agents=KEPT, phones={"a1": Habits(picks_up_s=2.0)})
    stage.station()
    stage.answered()
    stage.connect()
    stage.run(1)
    assert stage.of(CallConnected) == []
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1")]
    assert len(stage.sent("INVITE", AGENTS)) == 2


def test_a_phone_that_a_customer_does_not_wait_for_rings_on_when_it_is_to_be_kept() -> None:
    stage = Stage(agents=KEPT + "answer_limit_s = 8\n", phones={"a1": Habits(picks_up_s=6.0)})
    stage.station()
    stage.answered()
    stage.connect()
    stage.run(4.5)
    assert stage.failed() == ["a1"]
    stage.run(3)
    assert stage.machine.phones() == {"a1": DeskState.UP}
    stage.connect()
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1")]


# --- whose word counts --------------------------------------------------------------------------------------------


def test_the_engine_may_choose_another_agent_while_a_join_is_under_way() -> None:
    stage = Stage(phones={"a1": Habits(picks_up_s=None)})
    stage.answered()
    stage.connect(agent="a1")
    stage.run(1)
    stage.connect(agent="a2")
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a2")]
    assert stage.failed() == []
    assert stage.agent.ended == ["cancelled"]


def test_a_second_wish_for_the_same_agent_changes_nothing() -> None:
    stage = kept()
    stage.answered()
    stage.connect()
    stage.connect()
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1")]
    stage.connect()
    assert stage.of(CallConnected) == [CallConnected("c1", "a1")] * 2
    assert hears_each_other(stage)


def test_an_agent_who_talks_is_not_taken_away() -> None:
    stage = kept()
    stage.talking()
    stage.answered("c2", TWO)
    stage.connect("c2")
    stage.run(1)
    assert stage.of(ConnectFailed) == [ConnectFailed("c2", "a1")]
    assert hears_each_other(stage)


def test_an_agent_may_be_given_to_another_customer_before_they_talk() -> None:
    stage = Stage(phones={"a1": Habits(picks_up_s=1.0)})
    stage.answered("c1", ONE)
    stage.answered("c2", TWO)
    stage.connect("c1")
    stage.run(0.2)
    stage.connect("c2")
    stage.run(2)
    assert stage.of(ConnectFailed) == [ConnectFailed("c1", "a1")]
    assert stage.of(CallConnected) == [CallConnected("c2", "a1")]


def test_nobody_is_joined_to_a_call_that_is_not_there_not_answered_or_hung_up() -> None:
    stage = Stage(customers={ONE: Habits(picks_up_s=None)})
    stage.connect("nobody")
    stage.call()
    stage.run(0.1)
    stage.connect("c1")
    stage.answered("c2", TWO)
    stage.hang_up("c2")
    stage.connect("c2")
    assert [event.call_id for event in stage.of(ConnectFailed)] == ["nobody", "c1", "c2"]
    assert stage.agents.invites == 0


def test_without_agents_phones_nobody_is_joined() -> None:
    stage = Stage(agents=None)
    stage.answered()
    stage.station()
    stage.connect()
    assert stage.failed() == ["a1"]
    stage.hang_up()
    assert stage.quiet()


# --- who hangs up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agents", ["", KEPT])
def test_when_the_agent_hangs_up_the_customer_is_let_go(agents: str) -> None:
    stage = Stage(agents=agents)
    stage.station()
    stage.run(1)
    stage.talking()
    stage.do(stage.agents.hang_up, "a1")
    stage.run(0.5)
    assert stage.end() == CallEnded("c1", sip_status=200, ended_by=EndedBy.AGENT)
    stage.run(2)
    assert stage.machine.phones() == {"a1": DeskState.UP if agents else DeskState.DOWN}


@pytest.mark.parametrize("agents", ["", KEPT])
def test_when_the_customer_hangs_up_the_agent_is_free(agents: str) -> None:
    stage = Stage(agents=agents)
    stage.station()
    stage.run(1)
    stage.talking()
    stage.do(stage.customers.hang_up, ONE)
    stage.run(0.5)
    assert stage.end() == CallEnded("c1", sip_status=200, ended_by=EndedBy.REMOTE)
    assert stage.agent.ended == ([] if agents else ["remote"])
    stage.answered("c2", TWO)
    stage.connect("c2")
    stage.run(1)
    assert stage.of(CallConnected)[-1] == CallConnected("c2", "a1")


def test_both_hang_up_at_once() -> None:
    stage = kept()
    stage.talking()
    stage.do(stage.customers.hang_up, ONE)
    stage.do(stage.agents.hang_up, "a1")
    stage.run(0.5)
    assert stage.end().ended_by in {EndedBy.AGENT, EndedBy.REMOTE}
    stage.station(up=False)
    assert stage.quiet()


def test_the_customer_hangs_up_during_the_join() -> None:
    stage = kept()
    stage.answered()
    stage.connect()
    stage.run(0.005)
    stage.do(stage.customers.hang_up, ONE)
    stage.run(1)
    assert stage.end().ended_by is EndedBy.REMOTE
    assert stage.of(CallConnected) == []
    assert stage.agent.hears == (HERE.host, 4000, "inactive")


def test_the_agent_hangs_up_during_the_join() -> None:
    stage = kept()
    stage.answered()
    stage.connect()
    stage.run(0.005)
    stage.do(stage.agents.hang_up, "a1")
    stage.run(0.1)
    assert stage.failed() == ["a1"]
    assert stage.of(CallEnded) == []
    stage.run(5)
    assert stage.customer.hears[0] == HERE.host
    stage.connect()
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1")]
    assert hears_each_other(stage)


def test_an_agent_who_leaves_during_a_talk_talks_to_its_end() -> None:
    stage = kept()
    stage.talking()
    stage.station(up=False)
    stage.run(5)
    assert stage.of(CallEnded) == []
    stage.hang_up()
    stage.run(1)
    assert stage.machine.phones() == {"a1": DeskState.DOWN}
    assert stage.quiet()


# --- changes during a talk ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_hold_and_resume_are_passed_on(who: str) -> None:
    stage = kept()
    stage.talking()
    bank, user = (stage.customers, ONE) if who == "customer" else (stage.agents, "a1")
    one, other = bank.phone(user), stage.agent if who == "customer" else stage.customer
    one.is_holding = True
    stage.do(bank.offer, user, "sendonly")
    stage.run(1)
    assert other.hears[2] == "sendonly"
    assert parse(one.answers[-1]).direction == "recvonly"
    one.is_holding = False
    stage.do(bank.offer, user, "sendrecv")
    stage.run(1)
    assert hears_each_other(stage)
    assert stage.of(CallEnded) == []


def test_a_side_that_resumes_without_an_offer_of_its_own_is_heard_again() -> None:
    stage = kept()
    stage.talking()
    stage.agent.is_holding = True
    stage.do(stage.agents.offer, "a1", "sendonly")
    stage.run(1)
    assert stage.customer.hears[2] == "sendonly"
    stage.agent.is_holding = False
    stage.do(stage.agents.ask, "a1")
    stage.run(1)
    assert hears_each_other(stage)


def test_asking_for_an_offer_does_not_end_the_other_sides_hold() -> None:
    stage = kept()
    stage.talking()
    stage.customer.is_holding = True
    stage.do(stage.customers.offer, ONE, "sendonly")
    stage.run(1)
    before = len(stage.customer.offers)
    stage.do(stage.agents.ask, "a1")
    stage.run(1)
    assert parse(stage.agent.answers[-1]).direction == "sendonly"
    assert len(stage.customer.offers) == before


def test_a_refresh_that_changes_nothing_is_answered_here() -> None:
    stage = kept()
    stage.talking()
    before = len(stage.customer.offers)
    stage.do(stage.agents.refresh, "a1")
    stage.run(1)
    assert len(stage.customer.offers) == before
    assert stage.agent.answers[-1] == stage.agent.offers[-1]
    assert hears_each_other(stage)


def test_who_moves_during_a_talk_is_followed() -> None:
    stage = kept()
    stage.talking()
    stage.agent.port += 10
    stage.do(stage.agents.offer, "a1", "sendrecv")
    stage.run(1)
    assert hears_each_other(stage)


def test_a_change_that_the_other_side_refuses_is_refused_and_leaves_the_talk_as_it_was() -> None:
    stage = kept()
    stage.talking()
    before = stage.agent.hears
    stage.customer.habits = Habits(reoffer=488)
    stage.do(stage.agents.offer, "a1", "inactive")
    stage.run(1)
    assert stage.agent.refused == [488]
    assert stage.agent.hears == before
    assert stage.of(CallEnded) == []


def test_both_change_at_once_and_both_come_through() -> None:
    stage = kept()
    stage.talking()
    stage.agent.port += 10
    stage.customer.port += 10
    stage.do(stage.agents.offer, "a1", "sendrecv")
    stage.do(stage.customers.offer, ONE, "sendrecv")
    stage.run(30)
    assert len(stage.said(491)) + len(stage.said(491, AGENTS)) + len(stage.said(491, CUSTOMERS)) > 0
    assert hears_each_other(stage)
    stage.hang_up()
    stage.station(up=False)
    assert stage.quiet()


def test_a_change_while_they_are_being_joined_comes_later() -> None:
    stage = Stage(phones={"a1": Habits(picks_up_s=1.0)})
    stage.answered()
    stage.connect()
    stage.customer.port += 10
    stage.do(stage.customers.offer, ONE, "sendrecv")
    stage.run(0.1)
    assert len(stage.said(491)) == 1
    stage.run(5)
    assert hears_each_other(stage)


def test_a_change_that_is_passed_on_when_the_talk_ends_is_refused() -> None:
    stage = kept()
    stage.talking()
    stage.customer.habits = Habits(reoffer=0)
    stage.do(stage.agents.offer, "a1", "sendonly")
    stage.run(1)
    stage.hang_up()
    stage.run(1)
    assert stage.agent.refused == [488]
    stage.station(up=False)
    assert stage.quiet()


def test_a_video_stream_is_offered_to_the_other_side_and_its_refusal_comes_back() -> None:
    stage = kept()
    stage.talking()
    leg = stage.agent.leg
    assert leg is not None
    assert leg.local_sdp is not None
    video = leg.local_sdp + b"m=video 30000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n"
    stage.do(lambda now: stage.agents.ua.reinvite(leg, now, video.replace(b"o=- 7 2", b"o=- 7 9")))
    stage.run(1)
    assert [media.kind for media in parse(stage.customer.offers[-1]).media] == ["audio", "video"]
    answer = parse(stage.agent.answers[-1])
    assert [(media.kind, media.port > 0) for media in answer.media] == [("audio", True), ("video", False)]


# --- somebody who is alone ----------------------------------------------------------------------------------------


def test_changes_of_somebody_who_is_alone_are_answered_here() -> None:
    stage = kept()
    stage.answered()
    for bank, user, direction in ((stage.customers, ONE, "sendrecv"), (stage.agents, "a1", "inactive")):
        stage.do(bank.offer, user, "sendrecv")
        stage.run(1)
        audio = parse(bank.phone(user).answers[-1]).audio
        assert audio is not None
        assert (audio.host, audio.port, audio.direction) == (HERE.host, 4000, direction)
        stage.do(bank.ask, user)
        stage.run(1)
        assert parse(bank.phone(user).answers[-1]).direction == direction


def test_a_change_that_nobody_can_take_is_refused() -> None:
    stage = kept()
    stage.answered()
    leg = stage.customer.leg
    assert leg is not None
    fax = b"v=0\r\no=- 7 9 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=image 9 udptl t38\r\n"
    stage.do(lambda now: stage.customers.ua.reinvite(leg, now, fax))
    stage.run(1)
    assert stage.customer.refused == [488]
    stage.connect()
    stage.run(1)
    assert hears_each_other(stage)


# --- rare changes -------------------------------------------------------------------------------------------------


def test_a_phone_that_is_still_falling_silent_is_joined_when_it_has() -> None:
    stage = kept()
    stage.customers.habits = {ONE: Habits(codecs=(PCMA,)), TWO: Habits(codecs=(PCMU,))}
    stage.talking()
    stage.answered("c2", TWO)
    stage.hang_up()
    stage.connect("c2")
    stage.run(0.015)
    assert len(stage.sent("INVITE", AGENTS)) == 3  # the silence is out, the next offer waits for its answer
    stage.run(1)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1"), CallConnected("c2", "a1")]
    assert stage.customers.phone(TWO).hears == (AGENTS.host, stage.agent.port, "sendrecv")
    assert stage.failed() == []


def test_a_change_by_update_is_passed_on_as_well() -> None:
    stage = kept()
    stage.talking()
    ua, leg = stage.agents.ua, stage.agent.leg
    assert leg is not None
    assert leg.local_sdp is not None
    offer = leg.local_sdp.replace(b"a=sendrecv", b"a=sendonly").replace(b"o=- 7 2", b"o=- 7 9")
    answers: list[bytes] = []

    def update(now: float) -> None:
        leg.cseq += 1
        request = ua._state.request(
            leg, "UPDATE", cseq=leg.cseq, headers=[("Content-Type", "application/sdp")], body=offer
        )
        ua._state.transactions.begin(
            leg.flow, request, lambda _one, status, response, _now: answers.append(response.body if response else b""),
            leg, now,
        )  # fmt: skip

    stage.do(update)
    stage.run(1)
    assert stage.customer.hears[2] == "sendonly"
    assert parse(answers[0]).direction == "recvonly"


def test_a_change_that_is_taken_back_is_undone() -> None:
    stage = kept()
    stage.talking()
    before = stage.customer.hears
    stage.do(stage.agents.offer, "a1", "sendonly")
    stage.run(0.015)
    leg = stage.agent.leg
    assert leg is not None
    assert leg.pending is not None
    cancel = leg.pending.request.cancel().data()
    stage.do(lambda now: stage.machine.receive(cancel, AGENTS, now))
    stage.run(1)
    assert stage.agent.refused == [487]
    assert stage.customer.hears == before
    assert [parse(offer).direction for offer in stage.customer.offers[-2:]] == ["sendonly", "sendrecv"]


def test_a_customer_who_was_told_of_an_agent_that_went_hears_of_the_next_one_without_silence_between() -> None:
    stage = kept()
    stage.station("a2")
    stage.run(1)
    stage.answered()
    stage.connect()
    stage.run(0.005)
    stage.do(stage.agents.hang_up, "a1")
    stage.run(0.012)
    assert stage.failed() == ["a1"]
    stage.connect(agent="a2")
    stage.run(2)
    assert stage.of(CallConnected) == [CallConnected("c1", "a2")]
    assert all(b"192.0.2.1" not in offer.split(b"c=IN IP4 ")[1][:12] for offer in stage.customer.offers[1:])
