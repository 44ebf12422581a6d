"""`dialer campaign webhook` as a person and as a program use it, and a whole installation that posts its calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cdr.webhook import BATCH
from cdr.webhook_policy import Health
from dialer.commands.campaign import app
from dialer.errors import BadInput, DialerError, IllegalAction, NotFound
from store.open import open_database
from store.webhooks import SqlWebhookStore
from tests.cdr.receiver import answer, receiving
from tests.cdr.test_webhook_signature import is_genuine
from tests.dialer.process import WAIT_S, run, started

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DIALER_WEBHOOK_PRIVATE", "yes")
    return tmp_path / "home"


def _run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def _said(*args: str) -> str:
    result = _run(*args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def _refused(kind: type[DialerError], *args: str) -> str:
    result = _run(*args)
    assert isinstance(result.exception, kind), (result.output, result.exception)
    assert result.stdout == ""
    return str(result.exception)


def _told(*args: str) -> Any:
    return json.loads(_said(*args, "--json"))


def _make_ill(home: Path) -> None:
    async def work() -> None:
        engine = open_database(f"sqlite:///{home / 'dialer.db'}")
        store = SqlWebhookStore(engine)
        (endpoint,) = await store.endpoints()
        ill = Health(
            failures=20, failing_since=1e9, next_at=1e9, error="500", disabled_at=1.8e9, disabled_reason="20 failures"
        )
        await store.settle(endpoint, [], ill, now=1.8e9)
        await engine.dispose()

    asyncio.run(work())


def test_an_address_is_a_setting_like_others(home: Path) -> None:
    assert "callback_url" in _said("keys")
    _said("create", "Tết", "callback_url=https://crm.example.com/calls")
    (status,) = _told("status", "Tết")
    assert status["settings"]["callback_url"] == "https://crm.example.com/calls"
    assert status["webhook"]["disabled_at"] is None
    assert "write a URL like" in _refused(BadInput, "set", "Tết", "callback_url=crm")
    assert "webhook" not in _said("status", "Tết")


def test_inner_addresses_need_the_setting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _said("create", "Tết", "callback_url=http://127.0.0.1:9/")
    monkeypatch.setenv("DIALER_WEBHOOK_PRIVATE", "no")
    assert "DIALER_WEBHOOK_PRIVATE=yes" in _refused(BadInput, "create", "Hè", "callback_url=http://127.0.0.1:9/")
    assert "DIALER_WEBHOOK_PRIVATE=yes" in _refused(BadInput, "set", "Tết", "callback_url=https://192.168.1.2/")


def test_show_gives_the_secret_and_rotate_another(home: Path) -> None:
    _said("create", "Tết", "callback_url=https://crm.example.com/calls")
    first = _told("webhook", "Tết")
    assert first["secret"].startswith("whsec_")
    assert (first["url"], first["queued"], first["generation"]) == ("https://crm.example.com/calls", 0, 1)
    shown = _said("webhook", "Tết", "show")
    assert f"secret      {first['secret']}" in shown
    assert "state       well" in shown
    rotated = _said("webhook", "Tết", "rotate")
    assert first["secret"] not in rotated
    assert "old secret  signs too until " in rotated
    second = _told("webhook", "Tết")
    assert second["old_until"] == pytest.approx(time.time() + 86_400, abs=60)
    assert second["secret"] in rotated
    with sqlite3.connect(home / "dialer.db") as db:
        assert first["secret"] not in "\n".join(db.iterdump())
    db.close()


def test_a_lost_secret_is_told_and_rotate_begins_anew(home: Path) -> None:
    _said("create", "Tết", "callback_url=https://crm.example.com/calls")
    _said("webhook", "Tết")
    (home / "secrets.json").unlink()
    told = _refused(IllegalAction, "webhook", "Tết")
    assert "secrets.json is not the one that signs" in told
    assert "dialer campaign webhook 'Tết' rotate" in told
    _said("webhook", "Tết", "rotate")
    assert _told("webhook", "Tết")["generation"] == 2


def test_a_disabled_one_is_seen_and_enabled(home: Path) -> None:
    _said("create", "Tết", "callback_url=https://crm.example.com/calls")
    _make_ill(home)
    for shown in (_said("status", "Tết"), _said("status"), _said("webhook", "Tết")):
        assert "disabled since 2027-01-15" in shown
        assert "20 failures; go on with: dialer campaign webhook 'Tết' enable" in shown
    assert _told("status", "Tết")[0]["webhook"]["disabled_reason"] == "20 failures"
    assert _said("webhook", "Tết", "enable") == "the webhook of campaign 'Tết' goes on\n"
    assert "disabled" not in _said("status", "Tết")
    assert _told("webhook", "Tết", "enable", "--from-now") == {"name": "Tết", "enabled": True, "dropped": 0}


def test_a_trial_is_one_signed_post(home: Path) -> None:
    with receiving() as receiver:
        _said("create", "Tết", f"callback_url={receiver.url}")
        secret = _told("webhook", "Tết")["secret"]
        assert _said("webhook", "Tết", "test").startswith("the receiver accepted the test in ")
        receiver.behave = answer(500)
        refused = _run("webhook", "Tết", "test", "--json")
        assert refused.exit_code == 1
        assert json.loads(refused.stdout)["error"] == "the receiver answered 500 Internal Server Error"
        assert (
            _run("webhook", "Tết", "test").stdout == "not accepted: the receiver answered 500 Internal Server Error\n"
        )
    post = receiver.posts[0]
    assert post.told["event"] == "webhook.test"
    assert is_genuine(secret, post.headers["x-dialer-signature"], post.body, time.time())


def test_mistakes_are_told(home: Path) -> None:
    assert "There is none yet" in _refused(NotFound, "webhook", "Tết")
    _said("create", "Tết")
    assert "callback_url=https://" in _refused(IllegalAction, "webhook", "Tết", "test")
    assert "--from-now goes with enable" in _refused(BadInput, "webhook", "Tết", "show", "--from-now")
    assert _run("webhook", "Tết", "dance").exit_code == 2


DEMO = ("demo", "--headless", "--speed", "60", "--leads", "300", "--agents", "8")


def _log(home: Path) -> list[str]:
    """List the event ids of the whole call records in the order of the log."""
    with contextlib.closing(sqlite3.connect(home / "dialer.db")) as db:
        query = "SELECT event_id FROM outbox WHERE type IN ('cdr.finalized', 'disposition.set') ORDER BY offset"
        return [event_id for (event_id,) in db.execute(query)]


def _waiting(home: Path) -> list[str]:
    """List what waits in the queue, and what the log has beyond it."""
    queued = "SELECT event_id FROM webhook_queue ORDER BY id"
    rest = """SELECT event_id FROM outbox WHERE type IN ('cdr.finalized', 'disposition.set')
        AND offset > (SELECT position FROM offset_ledger WHERE projection = 'webhook') ORDER BY offset"""
    with contextlib.closing(sqlite3.connect(home / "dialer.db")) as db:
        return [event_id for query in (queued, rest) for (event_id,) in db.execute(query)]


async def _until(condition: Any) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 -- nothing here is told when another process has posted
            await asyncio.sleep(0.1)


@pytest.mark.component("chdb")
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_an_installation_that_is_killed_posts_every_call_in_order(tmp_path: Path) -> None:
    private: dict[str, Any] = {"DIALER_WEBHOOK_PRIVATE": "yes"}
    with receiving() as receiver:
        async with started(tmp_path, *DEMO, **private) as demo:
            await demo.line_with("simulated agents")
            code, out, err = await run(tmp_path, "campaign", "list", "--json")
            assert code == 0, err
            name = json.loads(out)[0]["name"]
            code, _, err = await run(tmp_path, "campaign", "set", name, f"callback_url={receiver.url}", **private)
            assert code == 0, err
            await _until(lambda: len(receiver.posts) >= 20)
            await demo.stop(signal.SIGKILL)
        for more, number in ((20, signal.SIGKILL), (40, signal.SIGTERM)):
            wanted = len(receiver.posts) + more
            async with started(tmp_path, *DEMO, **private) as demo:
                await _until(lambda wanted=wanted: len(receiver.posts) >= wanted)
                await demo.stop(number)
    log, firsts, waiting = _log(tmp_path), list(dict.fromkeys(receiver.event_ids)), _waiting(tmp_path)
    start = log.index(firsts[0])
    assert firsts == log[start : start + len(firsts)], "each record of the log, in the log's order"
    left = log[start + len(firsts) :]
    assert waiting[len(waiting) - len(left) :] == left, "what has not arrived waits"
    assert len(waiting) - len(left) <= 1, "at most the post that the stop cut short waits although it arrived"
    assert len(receiver.posts) - len(firsts) <= 2 * BATCH
    assert Counter(post.told["event"] for post in receiver.posts).keys() == {"cdr.finalized", "disposition.set"}
    lines = (tmp_path / "dialer.log").read_text()
    assert not [post for post in receiver.posts if post.told["phone"].lstrip("+") in lines]
