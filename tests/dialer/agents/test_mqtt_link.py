"""The link over both brokers, the same body: signing in, calls, lost and stolen connections, restarts, rights."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from aiomqtt import Client, Will

from dialer.agents import messages as m
from dialer.agents.desk import Desk
from dialer.agents.messages import DeskState
from dialer.agents.mqtt_at import MqttAt
from dialer.agents.mqtt_link import MqttLink
from dialer.agents.topics import DIALER, Leaf, topic
from dialer.agents.visit import visit
from dialer.clock import SystemClock
from dialer.core import events as e
from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import AgentEvent
from dialer.core.types import Lead
from dialer.errors import BadInput, IllegalAction
from statuses.lead import Trigger
from tests.dialer.agents.brokers import Broker, running, wrong

WAIT_S = 60.0
CAMPAIGNS = {"spring": 1, "autumn": 2}
BROKERS = ["embedded", pytest.param("mosquitto", marks=pytest.mark.component("mosquitto"))]


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    async with running(request.param) as one:
        yield one


class Engine:
    """The engine's side of a link: what it is told, in order."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.events: list[tuple[int, AgentEvent]] = []
        self._news = asyncio.Condition()

    async def hear(self) -> None:
        async for event in self.link.events():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def told(self, *wanted: AgentEvent) -> None:
        """Return when the latest events of agents are these."""
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(lambda: [event for _, event in self.events[-len(wanted) :]] == list(wanted))

    async def order(self, agent: str, order: AgentOrder, call_id: str | None = None, **more: Any) -> None:
        await self.link.command(1, CommandAgent(agent, order, call_id, **more))


@contextlib.asynccontextmanager
async def engine_at(at: MqttAt, *, grace_s: float = 30.0) -> AsyncIterator[Engine]:
    async def find(text: str) -> int | None:
        return CAMPAIGNS.get(text)

    async with MqttLink(at, clock=SystemClock(), find_campaign=find, grace_s=grace_s) as link:
        engine = Engine(link)
        hearing = asyncio.create_task(engine.hear())
        await link.announce(1)
        await link.announce(2)
        await asyncio.wait_for(link.connected.wait(), WAIT_S)
        try:
            yield engine
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})


@contextlib.asynccontextmanager
async def desk_at(at: MqttAt, agent: str, *, client_id: str | None = None) -> AsyncIterator[Desk]:
    desk = Desk(at, agent, client_id=client_id, keep_alive_s=5)
    task = asyncio.create_task(desk.run())
    try:
        await asyncio.wait_for(desk.connected.wait(), WAIT_S)
        yield desk
    finally:
        task.cancel()
        await asyncio.wait({task})


async def at_work(desk: Desk, campaign: str = "spring") -> None:
    assert (await desk.sign_in(campaign)).error is None
    assert (await desk.ready()).error is None


def is_in(state: DeskState) -> Callable[[m.State], bool]:
    return lambda shown: shown.state is state


@pytest.mark.req("S2-13")
async def test_a_day_at_a_desk(broker: Broker) -> None:
    async with engine_at(broker.at(DIALER)) as engine, desk_at(broker.at("an"), "an") as desk:
        offers: asyncio.Queue[m.Offer] = asyncio.Queue()
        desk.on_offer = offers.put_nowait
        assert (await desk.sign_in("winter")).error is m.Refused.UNKNOWN_CAMPAIGN
        await at_work(desk)
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"))
        assert (await desk.ask(m.Dial, phone="+84900000001")).error is None
        await engine.told(e.DialRequested("an", Lead(0, 0, 0, "+84900000001")))
        await engine.order("an", AgentOrder.OFFER, "c1", lead_id=7, offer_s=60.0, name="Bình")
        assert (await asyncio.wait_for(offers.get(), WAIT_S)).name == "Bình"
        await desk.until(is_in(DeskState.RINGING), within_s=WAIT_S)
        assert (await desk.ask(m.Accept, call_id="c1")).error is None
        await engine.told(e.AgentAccepted("an", "c1", 7))
        await engine.order("an", AgentOrder.TALK, "c1", lead_id=7)
        await desk.until(is_in(DeskState.TALKING), within_s=WAIT_S)
        assert (await desk.ask(m.Hold, call_id="c1", on=True)).error is None
        assert (await desk.ask(m.Transfer, call_id="c1", to_agent="ba")).error is None
        assert (await desk.ask(m.HangUp, call_id="c1")).error is None
        await engine.told(e.AgentHeld("an", on=True), e.AgentTransferred("an", to_agent="ba"), e.AgentHungUp("an"))
        await engine.order("an", AgentOrder.WRAP_UP, "c1", lead_id=7, wrap_up_s=60.0)
        await desk.until(is_in(DeskState.WRAP_UP), within_s=WAIT_S)
        command = m.WrapUp.model_validate({
            "id": "w1", "session": desk.session, "call_id": "c1", "result": "callback", "note": "Gọi lại sau",
            "callback_at": "2026-03-02T09:00:00+07:00",
        })  # fmt: skip
        await desk.say(command)
        await desk.say(command)
        await desk.say(command.model_copy(update={"id": "w2"}))
        assert (await desk.pause("lunch")).error is None
        told = e.AgentWrappedUp("an", Trigger.CALLBACK_ASKED, note="Gọi lại sau", callback_at=1_772_416_800.0)
        await engine.told(told, e.AgentPaused("an", "lunch"))
        assert (await desk.sign_out()).error is None
        await engine.told(e.AgentLost("an"))


async def test_a_killed_desk_leaves_its_last_will_and_comes_back_as_it_was(broker: Broker) -> None:
    async with engine_at(broker.at(DIALER)) as engine, desk_at(broker.at("an"), "an") as desk:
        await at_work(desk)
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"))
        desk.drop()
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentPaused("an", "away"), e.AgentReady("an"))
        await asyncio.wait_for(desk.connected.wait(), WAIT_S)
        assert desk.connections == 2
    async with engine_at(broker.at(DIALER), grace_s=0.5) as engine, desk_at(broker.at("an"), "an") as desk:
        await at_work(desk)
        desk.lose()
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentPaused("an", "away"), e.AgentLost("an"))


async def test_a_stolen_client_id_leaves_one_session_in_charge(broker: Broker) -> None:
    async with engine_at(broker.at(DIALER)) as engine, desk_at(broker.at("an"), "an", client_id="laptop") as first:
        await at_work(first)
        stranger = wrong(broker.at("an"))
        with pytest.raises(BadInput, match="refuses the user an"):
            async with stranger.connected(name="laptop"):
                pass
        assert (await first.pause("still here")).error is None, "a stranger takes nobody's place"
        await first.ready()
        old = first.session
        async with desk_at(broker.at("an"), "an", client_id="other") as second:
            await second.until(lambda state: state.session == second.session, within_s=WAIT_S)
            await first.until(lambda state: state.session == second.session, within_s=WAIT_S)
            late = m.Pause(id="late", session=old)
            await second.say(late)
            assert (await second.pause("mine")).error is None
            await engine.told(
                e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentPaused("an", "still here"), e.AgentReady("an"),
                e.AgentPaused("an", "mine"),
            )  # fmt: skip
            assert first.replaced


async def test_the_same_client_id_ends_the_connection_before(broker: Broker) -> None:
    async with engine_at(broker.at(DIALER)) as engine, desk_at(broker.at("an"), "an", client_id="laptop") as first:
        await at_work(first)
        session = first.session
        will = Will(topic("an", Leaf.PRESENCE), m.encode(m.Presence(session="thief", online=False)), 1, retain=True)
        async with broker.at("an").connected(name="laptop", will=will):
            await asyncio.wait_for(_other(first, session), WAIT_S)
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentPaused("an", "away"), e.AgentReady("an"))


async def _other(desk: Desk, session: str) -> None:
    while desk.session == session or not desk.connected.is_set():  # noqa: ASYNC110 -- it becomes so by itself
        await asyncio.sleep(0.02)


async def test_a_broker_that_restarts_loses_nobody(broker: Broker) -> None:
    async with engine_at(broker.at(DIALER)) as engine, desk_at(broker.at("an"), "an") as desk:
        await at_work(desk)
        await engine.order("an", AgentOrder.TALK, "c1", lead_id=7)
        await desk.until(is_in(DeskState.TALKING), within_s=WAIT_S)
        async with desk_at(broker.at("ba"), "ba") as other:
            await at_work(other)
            await broker.restart()
            await engine.told(
                e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentSignedIn("ba"), e.AgentReady("ba"),
                e.AgentPaused("ba", "away"), e.AgentReady("ba"),
            )  # fmt: skip
            await desk.until(is_in(DeskState.TALKING), within_s=WAIT_S)
            await other.until(is_in(DeskState.READY), within_s=WAIT_S)


async def test_a_broker_that_is_away_for_long_costs_every_agent_until_it_is_back(broker: Broker) -> None:
    async with engine_at(broker.at(DIALER), grace_s=0.5) as engine, desk_at(broker.at("an"), "an") as desk:
        await at_work(desk)
        away = asyncio.create_task(broker.restart(away_s=1.2))
        lost = [e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentPaused("an", "away"), e.AgentLost("an")]
        await engine.told(*lost)
        await away
        async with asyncio.timeout(WAIT_S):
            while engine.events[-1] != (1, e.AgentReady("an")):  # noqa: ASYNC110 -- after as many others as there are
                await asyncio.sleep(0.02)
        assert e.AgentSignedIn("an") in [event for _, event in engine.events[len(lost) :]]


async def test_nobody_uses_the_topics_of_another(broker: Broker) -> None:
    heard: list[str] = []
    async with broker.at(DIALER).connected() as dialer, broker.at("an").connected() as an:
        await dialer.subscribe("dialer/#", qos=1)
        await an.subscribe([(topic("an", Leaf.OFFER), 1)])
        for forbidden in (topic("ba", Leaf.OFFER), topic("an", Leaf.COMMAND), "dialer/agents/+/state", "#"):
            with contextlib.suppress(Exception):  # a client may call a refusal an error
                await an.subscribe(forbidden, qos=1)
        for leaf in Leaf:
            await an.publish(topic("ba", leaf), b"forged", qos=1)
        for leaf in (Leaf.OFFER, Leaf.STATE, Leaf.SUPERVISE):
            await an.publish(topic("an", leaf), b"forged", qos=1)
        await an.publish(topic("an", Leaf.COMMAND), b"mine", qos=1)
        async for message in dialer.messages:
            assert message.payload == b"mine"
            break
        await dialer.publish(topic("ba", Leaf.OFFER), b"not an's", qos=1)
        await dialer.publish(topic("an", Leaf.OFFER), b"an's", qos=1)
        heard.append(str((await _next(an)).payload))
    assert heard == [str(b"an's")]
    async with broker.at(DIALER).connected() as dialer, broker.at("boss").connected() as boss:
        await dialer.subscribe("dialer/agents/+/supervise", qos=1)
        await boss.publish(topic("boss", Leaf.SUPERVISE), b"listen", qos=1)
        assert (await _next(dialer)).payload == b"listen"


async def _next(client: Client) -> Any:
    return await asyncio.wait_for(anext(aiter(client.messages)), WAIT_S)


async def test_what_cannot_be_read_is_left_and_a_kept_command_is_not_obeyed(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine_at(broker.at(DIALER)) as engine, broker.at("an").connected() as client:
        presence, command = topic("an", Leaf.PRESENCE), topic("an", Leaf.COMMAND)
        for payload in (b"{", b'{"v": 2, "session": "s", "online": true}', b"x" * 20_000):
            await client.publish(presence, payload, qos=1)
        await client.publish(presence, m.encode(m.Presence(session="s1", online=True)), qos=1, retain=True)
        await client.publish(command, m.encode(m.SignIn(id="1", session="s1", campaign="spring")), qos=1)
        await engine.told(e.AgentSignedIn("an"))
        await client.publish(command, m.encode(m.Ready(id="2", session="s1")), qos=1, retain=True)
        await engine.told(e.AgentReady("an"))
    assert {record.action for record in caplog.records if hasattr(record, "action")} >= {"mqtt.unreadable"}


async def test_one_act_leaves_the_agent_signed_in_for_the_next(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.agents.visit.STATE_S", 1.0)

    async def sign_in(desk: Desk) -> None:
        await at_work(desk)

    async def pause(desk: Desk) -> None:
        await desk.pause("lunch")

    async def sign_out(desk: Desk) -> None:
        await desk.sign_out()

    async with engine_at(broker.at(DIALER), grace_s=0.5) as engine:
        with pytest.raises(IllegalAction, match="an is not signed in"):
            await visit(broker.at("an"), "an", pause, new=False, stays=True)
        await visit(broker.at("an"), "an", sign_in, new=True, stays=True)
        await visit(broker.at("an"), "an", pause, new=False, stays=True)
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"), e.AgentPaused("an", "lunch"))
        await visit(broker.at("an"), "an", sign_out, new=False, stays=False)
        await engine.told(e.AgentLost("an"))


async def test_a_dialer_that_is_started_again_finds_its_agents(broker: Broker) -> None:
    at = msgspec.structs.replace(broker.at("an"))
    async with contextlib.AsyncExitStack() as stack:
        engine = await stack.enter_async_context(engine_at(broker.at(DIALER)))
        desk = await stack.enter_async_context(desk_at(at, "an"))
        await at_work(desk)
        await engine.told(e.AgentSignedIn("an"), e.AgentReady("an"))
        await desk.until(is_in(DeskState.READY), within_s=WAIT_S)
        async with engine_at(broker.at(DIALER)) as again:
            await again.told(e.AgentSignedIn("an"), e.AgentReady("an"))


async def test_a_database_that_is_away_costs_one_command() -> None:
    async def find(_text: str) -> int | None:
        if away:
            raise ConnectionRefusedError("the database restarts")
        return 1

    away = True
    async with (
        running("embedded") as broker,
        MqttLink(broker.at(DIALER), clock=SystemClock(), find_campaign=find, grace_s=30.0) as link,
    ):
        await link.announce(1)
        await asyncio.wait_for(link.connected.wait(), WAIT_S)
        async with desk_at(broker.at("an"), "an") as desk:
            assert (await desk.sign_in("spring")).error is m.Refused.UNAVAILABLE
            away = False
            assert (await desk.sign_in("spring")).error is None
