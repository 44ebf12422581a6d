"""Several engine processes over one PostgreSQL: shares, failover, a hung owner, a number in two campaigns (P5)."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from dialer.clock import SystemClock
from dialer.core.effects import BeginAttempts
from dialer.core.events import Event
from dialer.core.types import CampaignKind, NumberCaps
from dialer.ports import Owned
from dialer.service.writer import Writer
from store.lead_store import SqlLeadStore
from store.open import open_database
from store.upgrade import upgrade
from tests.dialer.centre import LEASE_S, Attempt, centre_at, end, is_stopped, resume, until
from tests.store.worlds import SqlWorld, intent, leased, standing

pytestmark = [pytest.mark.component("postgresql"), pytest.mark.timeout(300)]

SLACK_S = 5.0
"""What a busy machine may add to the lease: the others look twice a second, and settle what is open first."""


async def test_two_engines_share_campaigns_and_one_takes_over_from_a_killed_one(
    postgres_url: str, tmp_path: Path
) -> None:
    async with centre_at(postgres_url, tmp_path) as centre:
        ids = [await centre.campaign(f"c{n}", leads=150, first=1 + 1000 * n) for n in range(4)]
        async with centre.dialing("a") as a, centre.dialing("b") as b:

            async def shared() -> bool:
                return sorted(Counter((await centre.owners()).values()).values()) == [2, 2]

            await until(shared)
            mine, theirs = centre.installation("a"), centre.installation("b")
            assert set((await centre.owners()).values()) == {mine, theirs}

            async def both_dial() -> bool:
                return len(centre.invites("a")) > 20 and len(centre.invites("b")) > 20

            await until(both_dial)
            lost = [id_ for id_, owner in (await centre.owners()).items() if owner == mine]
            a.process.send_signal(signal.SIGKILL)

            async def taken_over() -> bool:
                return await centre.owners() == dict.fromkeys(ids, theirs)

            took_s = await until(taken_over)
            assert took_s < LEASE_S + SLACK_S, f"took over after {took_s:.1f} s"
            since = time.time()

            async def dials_them() -> bool:
                made = {one.call_id for one in await centre.attempts() if one.campaign_id in lost}
                return any(invite.call_id in made and invite.at > since for invite in centre.invites("b"))

            await until(dials_them)
            await end(b)
        await centre.check("a", "b")
        assert await centre.owners() == {}
        assert [row.owner.rpartition(":")[2] for row in await centre.rows("SELECT owner FROM engines")] == [mine]


@pytest.mark.parametrize(
    "stale_s", [3.0, pytest.param(60.0, marks=pytest.mark.soak)], ids=["a moment past", "60 s past"]
)
async def test_an_owner_that_hung_past_its_lease_places_no_call(
    postgres_url: str, tmp_path: Path, stale_s: float
) -> None:
    async with centre_at(postgres_url, tmp_path) as centre:
        ids = [await centre.campaign(f"c{n}", leads=400, first=1 + 1000 * n) for n in range(2)]
        # It hangs at the worst moment: its intents are durable, and their INVITEs are the next thing that it does.
        async with centre.dialing("a", DIALER_CRASH_AT="begin.after_commit:12:stop") as a:

            async def hangs() -> bool:
                return is_stopped(a)

            await until(hangs)
            begun = [one for one in await centre.attempts() if not one.settled]
            owed = {one.call_id for one in begun} - {invite.call_id for invite in centre.invites("a")}
            assert owed, "it stopped between an intent and its INVITE"
            stopped_at = time.time()
            async with centre.dialing("b") as b:

                async def taken_over() -> bool:
                    owners = await centre.owners()
                    return owners == dict.fromkeys(ids, centre.installation("b"))

                await until(taken_over)
                await asyncio.sleep(max(0.0, stopped_at + LEASE_S + stale_s - time.time()))
                resume(a)

                async def fenced() -> bool:
                    return len(centre.logged("a", "campaign.fenced")) == len(ids)

                await until(fenced)
                assert len(centre.logged("a", "call.fenced")) >= len(owed)

                async def shared_again() -> bool:
                    return len(set((await centre.owners()).values())) == 2

                await until(shared_again)  # it lives: it takes its share again, under a new epoch
                await end(a, b)
        await centre.check("a", "b")
        assert not owed & {invite.call_id for invite in centre.invites("a", "b")}


async def test_a_campaign_that_is_handed_over_and_comes_back_finds_its_agents_again(
    postgres_url: str, tmp_path: Path
) -> None:
    talks = {"kind": CampaignKind.PROGRESSIVE, "pacer": "progressive", "prompt": None}
    async with centre_at(postgres_url, tmp_path) as centre:
        ids = [await centre.campaign(f"c{n}", leads=400, first=1 + 1000 * n, **talks) for n in range(2)]
        agents = [word for n in range(2) for word in ("--simulate-agents", f"c{n}=4")]
        async with centre.dialing("a", *agents) as a:
            owners = dict.fromkeys(ids, "")

            async def dials_all() -> bool:
                return {one.campaign_id for one in await centre.attempts()} == set(ids)

            await until(dials_all)
            async with centre.dialing("b", *agents) as b:

                async def shared() -> bool:
                    nonlocal owners
                    owners = await centre.owners()
                    return len(set(owners.values())) == 2

                await until(shared)
                assert len(centre.logged("a", "campaign.handed_over")) == 1
                (given,) = [id_ for id_, owner in owners.items() if owner == centre.installation("b")]

                async def b_dials() -> bool:
                    return bool(centre.invites("b"))

                await until(b_dials)
                await end(b)
            since = time.time()

            async def dials_it_again() -> bool:
                late = [one for one in await centre.attempts() if one.begun_at > since and one.campaign_id == given]
                return bool(late)

            await until(dials_it_again)
            await end(a)
        await centre.check("a", "b")
        lost = [one for one in await centre.attempts() if one.sub_reason == "lost"]
        assert lost == [], "nothing is cut when campaigns move"


async def test_one_number_in_two_campaigns_of_two_engines_is_never_called_twice_at_once_nor_too_often(
    postgres_url: str, tmp_path: Path
) -> None:
    caps = NumberCaps(per_24h=2, strict=True)
    async with centre_at(postgres_url, tmp_path) as centre:
        for name in ("c0", "c1"):
            await centre.campaign(name, leads=80, caps=caps)
        async with centre.dialing("a") as a, centre.dialing("b") as b:

            async def both_dial() -> bool:
                return len({one.campaign_id for one in await centre.attempts()}) == 2

            await until(both_dial)

            async def all_dialed_twice() -> bool:
                return len(await centre.attempts()) >= 160

            await until(all_dialed_twice)
            await asyncio.sleep(5)  # a third call would come now
            await end(a, b)
        await centre.check("a", "b")
        by_phone: dict[str, list[Attempt]] = defaultdict(list)
        for one in await centre.attempts():
            by_phone[one.phone_e164].append(one)
        assert len(by_phone) == 80
        assert max(map(len, by_phone.values())) == 2, "the cap is reached, and kept"
        for calls in by_phone.values():
            ordered = sorted(calls, key=lambda one: one.begun_at)
            assert all(
                (first.ended_at or time.time()) <= second.begun_at for first, second in itertools.pairwise(ordered)
            )


async def test_what_waits_is_committed_together(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    try:
        await upgrade(engine)
        world = SqlWorld(engine)
        fence = await standing(world, 300)
        leads = await leased(world, fence, 300)
        commits, answers = list[str](), list[Event]()
        store = SqlLeadStore(engine, fault=commits.append)
        writer = Writer(store, SystemClock(), lambda _campaign, event: answers.append(event))
        for lead in leads:
            writer.put(Owned(fence, BeginAttempts((intent(lead, at=time.time()),))))
        running = asyncio.create_task(writer.run())
        await asyncio.wait_for(writer.flushed(), 60)
        running.cancel()
        await asyncio.wait({running})
    finally:
        await engine.dispose()
    assert len(leads) == len(answers) == 300
    assert commits.count("commit.after") == 1, "300 effects, one transaction"
