"""`dialer agent simulate`: agents who speak real MQTT, for a running dialer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dialer.commands.context import open_store, print_json, settings
from dialer.errors import Unreachable

if TYPE_CHECKING:
    from dialer.agents.mqtt_at import MqttAt
    from dialer.agents.simulated import Habits, SimulatedAgents

MAX_AGENTS = 500
READY_S = 60.0
err = Console(stderr=True, highlight=False)


def simulate(
    count: Annotated[int, typer.Argument(metavar="N", min=1, max=MAX_AGENTS, help="How many.", show_default=False)],
    campaign: Annotated[str, typer.Option(help="The campaign, by name or id.", show_default=False)],
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so long; else at Ctrl-C.")] = None,
    wrap_s: Annotated[float, typer.Option(min=0, help="After-call work takes up to twice as many seconds.")] = 2.0,
    talk_s: Annotated[float, typer.Option(min=0, help="Hang up after so many seconds; 0: the customer does.")] = 0.0,
    rejects: Annotated[float, typer.Option(min=0, max=1, help="Of the offers.")] = 0.0,
    misses: Annotated[float, typer.Option(min=0, max=1, help="Of the offers: nothing is said to them.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same people.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Sign simulated agents in over MQTT; they accept, talk, wrap up, and count what they got.

    At the embedded broker each signs in with a password of their own (accounts sim-001 ..., gone afterwards); at the
    broker of DIALER_MQTT_URL all use the dialer's own.
    """
    from dialer.agents.simulated import Habits

    habits = Habits(
        wrap_s=(0.0, 2 * wrap_s), talk_s=(talk_s, talk_s) if talk_s else None, rejects=rejects, misses=misses
    )
    people = asyncio.run(_run(count, campaign, seconds, habits, seed))
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(people.counts) | {"doubled": people.doubles})
    else:
        counts = people.counts
        typer.echo(
            f"{counts.talks} talks, {counts.wrapped} wrap-ups ({counts.callbacks} to be called back); "
            f"{counts.offers} offers, {counts.rejected} rejected, {counts.missed} missed; "
            f"{len(people.doubles)} agents doubled"
        )


async def _run(count: int, campaign: str, seconds: float | None, habits: Habits, seed: int) -> SimulatedAgents:
    from dialer.agents.simulated import SimulatedAgents
    from dialer.commands.agent_desk import broker

    await _known(campaign)
    ids = [f"sim-{number:03}" for number in range(1, count + 1)]
    async with (
        _accounts(ids, broker()) as ats,
        SimulatedAgents(ats, campaign=campaign, habits=habits, seed=seed) as people,
    ):
        try:
            await people.ready(within_s=READY_S)
        except TimeoutError as error:
            raise Unreachable(
                f"the agents are not all ready after {READY_S:g} s: is {campaign!r} approved, and taken by an engine? "
                "`dialer campaign why` says it"
            ) from error
        err.print(f"{count} agents are ready in {campaign}; Ctrl-C ends")
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()
        return people


async def _known(campaign: str) -> None:
    """Raise NotFound, with the nearest names, for a campaign that is not there; an id is the engine's to look up."""
    from crm.campaigns import read_status

    if not campaign.isdecimal() and not settings().mqtt_url:
        async with open_store() as store:
            await read_status(store.engine, campaign, now=store.now())


@contextlib.asynccontextmanager
async def _accounts(ids: list[str], at: MqttAt) -> AsyncIterator[dict[str, MqttAt]]:
    """Give each an address with a password of their own, or all the dialer's at a broker of somebody else's."""
    import msgspec

    from dialer.agents.password import hashed, new_password
    from dialer.ports import AgentAccount
    from store.agents import SqlAgents

    if settings().mqtt_url:
        yield dict.fromkeys(ids, at)
        return
    secrets = {agent_id: new_password() for agent_id in ids}
    async with open_store() as store:
        accounts = SqlAgents(store.engine)
        await accounts.remove(ids)
        made = [AgentAccount(who, f"Simulated {who}", secret=hashed(secret)) for who, secret in secrets.items()]
        await accounts.add(made, now=store.now())
        try:
            yield {who: msgspec.structs.replace(at, user=who, password=secret) for who, secret in secrets.items()}
        finally:
            await accounts.remove(ids)
