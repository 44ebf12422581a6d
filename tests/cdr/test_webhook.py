"""Call records from the log to real receivers: order, repeats, failures that hold back nobody else, disabling."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from cdr.webhook import BATCH, Webhooks
from cdr.webhook_policy import Policy
from cdr.webhook_send import Sender
from cdr.webhook_signature import endpoint_secret
from store.webhooks import rotate
from tests.cdr.receiver import Behave, Post, answer, close_before_answering, hang, receiving, slow
from tests.cdr.samples import START, phone
from tests.cdr.test_webhook_signature import is_genuine
from tests.cdr.webhook_world import KEY, QUICK, WebhookWorld, call_events, webhook_world, whole_calls

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[WebhookWorld]:
    async with webhook_world(tmp_path / "dialer.db") as made:
        yield made


def in_turn(*behaviours: Behave, then: Behave | None = None) -> Behave:
    left = list(behaviours)

    def behave(handler: BaseHTTPRequestHandler, post: Post) -> None:
        (left.pop(0) if left else then or answer())(handler, post)

    return behave


async def test_finished_calls_and_dispositions_arrive_in_order_signed_and_nothing_else_does(
    world: WebhookWorld,
) -> None:
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        expected = await world.calls(3, range(1, 31))
        async with world.delivering():
            await world.settled()
    assert receiver.event_ids == expected
    assert len(expected) == 45
    secret = endpoint_secret(KEY, 3, 1)
    for post in receiver.posts:
        assert is_genuine(secret, post.headers["x-dialer-signature"], post.body, time.time())
        assert post.told["event_id"] == post.event_id
    assert [post.told["event"] for post in receiver.posts[:2]] == ["cdr.finalized", "disposition.set"]
    assert receiver.posts[0].told["phone"] == phone(1)
    assert len({post.headers["x-dialer-delivery"] for post in receiver.posts}) == 45
    row = await world.row(3)
    assert (row.delivered, row.failures, row.waiting) == (45, 0, False)


async def test_what_comes_while_it_runs_is_posted_soon(world: WebhookWorld) -> None:
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        async with world.delivering():
            await asyncio.sleep(0.2)
            expected = await world.calls(3, [1])
            began = time.monotonic()
            await world.until(lambda: receiver.event_ids == expected)
            assert time.monotonic() - began < 3


async def test_only_campaigns_with_an_address_and_only_since_they_have_it(world: WebhookWorld) -> None:
    with receiving() as receiver:
        await world.campaign(3, receiver.url, since=START + 5 + 40)
        await world.campaign(4, None)
        await world.calls(4, range(1, 4))
        events = [event for number in range(1, 10) for event in call_events(number, 3)]
        await world.happen(events)
        async with world.delivering():
            await world.settled()
    # Talks last 40 s and the others 2.5 s: what ended before the address was set is left out.
    expected = [(number, version) for number in (5, 7, 9) for version in (1, 2)]
    got = [(int(post.told["call_id"][-6:]), post.told["version"]) for post in receiver.posts]
    assert got[-6:] == expected
    assert set(got[:-6]) <= {(number, 2) for number in (1, 3)}


async def test_a_damaged_record_and_an_unknown_event_hold_nothing_up(
    world: WebhookWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        first, second = call_events(2, 3)[-1], call_events(4, 3)[-1]
        damaged = msgspec.structs.replace(first, event_id="d-1", value=first.value[:-9])
        newer = msgspec.structs.replace(
            first, event_id="n-1", value=first.value.replace(b"cdr.finalized", b"cdr.archived")
        )
        await world.happen([first, damaged, newer, second])
        async with world.delivering():
            await world.settled()
    assert receiver.event_ids == [first.event_id, second.event_id]
    told = [record.__dict__ for record in caplog.records if record.__dict__.get("action") == "webhook.unreadable"]
    assert [(one["partition"], one["offset"]) for one in told] == [(0, 2)]
    assert phone(2)[1:] not in caplog.text + str(told)


@pytest.mark.parametrize(
    "trouble", [answer(500), answer(429, Retry_After="0"), answer(302, Location="/"), close_before_answering, hang(2)]
)
async def test_a_failure_is_tried_again_and_the_order_kept(world: WebhookWorld, trouble: Behave) -> None:
    with receiving(in_turn(answer(), trouble, trouble)) as receiver:
        await world.campaign(3, receiver.url)
        expected = await world.calls(3, range(1, 5))
        async with world.delivering(deadline_s=0.3):
            await world.settled()
    first, second, *rest = expected
    assert receiver.event_ids == [first, second, second, second, *rest]
    assert len({post.headers["x-dialer-delivery"] for post in receiver.posts}) == len(receiver.posts)
    assert (await world.row(3)).failures == 0


async def test_the_receiver_says_when_to_come_again(world: WebhookWorld) -> None:
    with receiving(in_turn(answer(429, Retry_After="1"))) as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2])
        async with world.delivering():
            await world.settled()
    assert 0.95 <= receiver.posts[1].at - receiver.posts[0].at < 5


async def test_a_failing_receiver_holds_up_nobody_else(world: WebhookWorld) -> None:
    with receiving(hang(1.0)) as bad, receiving() as good:
        for campaign_id in range(10, 18):  # more of them than there are places
            await world.campaign(campaign_id, bad.url)
            await world.calls(campaign_id, [2])
        await world.campaign(3, good.url)
        async with world.delivering(deadline_s=0.5, policy=msgspec.structs.replace(QUICK, give_up_s=1e9, cap_s=0.01)):
            await world.until(lambda: len(bad.posts) >= 8)
            expected = await world.calls(3, range(1, 21))
            began = time.monotonic()
            await world.until(lambda: good.event_ids == expected)
            assert time.monotonic() - began < 4
            await world.until_row(3, lambda row: not row.waiting)
    assert await world.queued() == 8, "they still wait, and nothing of the good one does"


async def test_a_receiver_that_keeps_failing_is_disabled_and_goes_on_where_it_stopped(
    world: WebhookWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving(in_turn(answer(), then=answer(500))) as receiver:
        await world.campaign(3, receiver.url)
        expected = await world.calls(3, range(1, 4))
        with caplog.at_level(logging.INFO, "cdr.webhook"):
            async with world.delivering():
                row = await world.until_row(3, lambda row: row.disabled_at is not None)
                assert row.disabled_reason.startswith(
                    "4 failures in a row over 0.0 h, the last: the receiver answered 500"
                )
                tried = len(receiver.posts)
                expected += await world.calls(3, [4])
                await asyncio.sleep(1.5)
                assert len(receiver.posts) == tried == 5
                receiver.behave = answer()
                await world.enable(3)
                await world.settled()
    assert list(dict.fromkeys(receiver.event_ids)) == expected
    actions = [getattr(record, "action", "") for record in caplog.records]
    assert actions == ["webhook.failed"] * 3 + ["webhook.disabled"]
    (told,) = [record for record in caplog.records if getattr(record, "action", "") == "webhook.disabled"]
    assert vars(told)["campaign_id"] == 3
    assert receiver.url not in told.getMessage()
    row = await world.row(3)
    assert (row.disabled_at, row.failures, row.delivered) == (None, 0, len(expected))


async def test_gone_is_gone(world: WebhookWorld) -> None:
    with receiving(answer(410)) as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2])
        async with world.delivering():
            row = await world.until_row(3, lambda row: row.disabled_at is not None)
    assert row.disabled_reason == "the receiver answered 410 Gone"
    assert len(receiver.posts) == 1


async def test_what_waits_goes_to_the_new_address(world: WebhookWorld) -> None:
    with receiving(answer(410)) as old, receiving() as new:
        await world.campaign(3, old.url)
        expected = await world.calls(3, range(1, 3))
        async with world.delivering():
            await world.until_row(3, lambda row: row.disabled_at is not None)
            await world.campaign(3, new.url)
            await world.settled()
    assert new.event_ids == expected


async def test_without_an_address_nothing_is_queued_and_what_waits_stays(world: WebhookWorld) -> None:
    with receiving(answer(410)) as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2])
        async with world.delivering():
            await world.until_row(3, lambda row: row.disabled_at is not None)
            await world.campaign(3, None)
            await world.calls(3, [4])
            await world.until_moved()
    assert await world.queued() == 1


async def test_the_state_outlives_the_process(world: WebhookWorld) -> None:
    with receiving(answer(500)) as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2])
        patient = msgspec.structs.replace(QUICK, give_up_s=1e9, base_s=60.0, cap_s=60.0)
        async with world.delivering(policy=patient, chance=lambda: 0.5):
            row = await world.until_row(3, lambda row: row.failures == 1)
        assert row.next_at == pytest.approx(time.time() + 30, abs=5)
        async with world.delivering(policy=patient):
            await asyncio.sleep(0.5)
    assert len(receiver.posts) == 1, "it waits as it was told before the restart"


async def test_an_orderly_stop_repeats_nothing_that_was_accepted(world: WebhookWorld) -> None:
    with receiving(slow(0.02)) as receiver:
        await world.campaign(3, receiver.url)
        expected = await world.calls(3, range(1, 31))
        async with world.delivering():
            await world.until(lambda: len(receiver.posts) >= 7)
        accepted = (await world.row(3)).delivered
        assert len(receiver.posts) - accepted <= 1, "only the post that was cut short"
        async with world.delivering():
            await world.settled()
    assert list(dict.fromkeys(receiver.event_ids)) == expected
    assert len(receiver.posts) <= len(expected) + 1


async def test_a_secret_of_another_home_folder_signs_nothing(world: WebhookWorld) -> None:
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2])
        async with world.delivering():
            await world.settled()
        await world.calls(3, [4])
        async with world.delivering(key="another-installation's-secret-of-32"):
            row = await world.until_row(3, lambda row: row.disabled_at is not None)
    assert "secrets.json" in row.disabled_reason
    assert len(receiver.posts) == 1


async def test_for_a_while_after_a_rotation_the_old_secret_checks_too(world: WebhookWorld) -> None:
    old, new, newest = (endpoint_secret(KEY, 3, generation) for generation in (1, 2, 3))
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        for number, old_until in ((2, None), (4, time.time() + 60), (6, time.time() - 1)):
            if old_until is not None:
                await world.run(partial(rotate, campaign_id=3, old_until=old_until))
            await world.calls(3, [number])
            async with world.delivering():
                await world.settled()
    checks = [
        [is_genuine(secret, post.headers["x-dialer-signature"], post.body, post.at) for secret in (old, new, newest)]
        for post in receiver.posts
    ]
    assert checks == [[True, False, False], [True, True, False], [False, False, True]]


async def test_what_nobody_takes_is_dropped_in_the_end_and_counted(
    world: WebhookWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving(answer(410)) as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2, 4])
        async with world.delivering():
            await world.until_row(3, lambda row: row.disabled_at is not None)
        async with world.delivering(keep_s=3600.0):
            await asyncio.sleep(0.3)
            assert await world.queued() == 2
        later = time.time() + 3700
        async with world.delivering(keep_s=3600.0, wall=lambda: later):
            row = await world.until_row(3, lambda row: row.dropped == 2)
    assert not row.waiting
    assert [vars(one)["count"] for one in caplog.records if getattr(one, "action", "") == "webhook.dropped"] == [2]


async def test_the_log_is_read_on_when_no_campaign_has_an_address(world: WebhookWorld) -> None:
    await world.campaign(3, None)
    await world.calls(3, range(1, 40))
    async with world.delivering():
        await world.settled()
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        async with world.delivering():
            expected = await world.calls(3, [50])
            await world.until(lambda: receiver.event_ids)
    assert receiver.event_ids == expected


async def test_a_database_that_does_not_answer_ends_the_run_with_its_error(world: WebhookWorld) -> None:
    """So that the process's lifecycle logs it and starts it again."""

    class Broken:
        async def __call__(self, *_args: Any, **_options: Any) -> Any:
            raise OperationalError("SELECT", {}, Exception("gone"))

    webhooks = world.webhooks()
    world.store.endpoints = Broken()  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(webhooks.run(), 10)
    assert caught.group_contains(OperationalError)


async def test_no_more_than_a_batch_waits_in_memory_and_no_more_endpoints_than_places_are_served(
    world: WebhookWorld,
) -> None:
    flying, most = set[str](), 0

    def behave(handler: BaseHTTPRequestHandler, post: Post) -> None:
        nonlocal most
        key = post.event_id
        flying.add(key)
        most = max(most, len(flying))
        time.sleep(0.01)
        flying.discard(key)
        answer()(handler, post)

    taken: list[int] = []
    head = world.store.head

    async def counted(campaign_id: int, limit: int) -> Any:
        found = await head(campaign_id, limit)
        taken.append(len(found))
        return found

    world.store.head = counted  # type: ignore[method-assign]
    with receiving(behave) as receiver:
        expected: dict[int, list[str]] = {}
        for campaign_id in range(10, 19):
            await world.campaign(campaign_id, receiver.url)
            expected[campaign_id] = await world.calls(campaign_id, range(1, 21))
        async with world.delivering():
            await world.settled()
    for campaign_id, events in expected.items():
        got = [post.event_id for post in receiver.posts if post.told["campaign_id"] == campaign_id]
        assert got == events
    assert 1 < most <= QUICK.in_flight
    assert max(taken) == BATCH


async def test_by_default_the_sender_is_strict(world: WebhookWorld) -> None:
    with receiving() as receiver:
        await world.campaign(3, receiver.url)
        await world.calls(3, [2])
        webhooks = Webhooks(
            world.log, world.store, key=KEY, sender=Sender(), policy=Policy(give_up_failures=1, give_up_s=0)
        )
        task = asyncio.create_task(webhooks.run())
        row = await world.until_row(3, lambda row: row.disabled_at is not None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "127.0.0.1 is an address of a private network" in row.disabled_reason
    assert receiver.posts == []


def test_whole_calls_are_what_receivers_get() -> None:
    assert len(whole_calls(call_events(1, 3))) == 2
    assert len(whole_calls(call_events(2, 3))) == 1
