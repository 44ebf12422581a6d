from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.models import AppSetting, Base, User
from store.open import open_database
from web.auth import Passwords, Sessions, Throttle, make_login_token, redeem_login_token

SECRET = "a secret of the tests"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_database(f"sqlite:///{tmp_path / 'auth.db'}")
    async with opened.begin() as db:
        await db.run_sync(Base.metadata.create_all)
    yield opened
    await opened.dispose()


async def test_a_password_is_set_once_and_kept_as_an_argon2id_hash(engine: AsyncEngine) -> None:
    passwords = Passwords(engine)
    assert not await passwords.is_set()
    assert await passwords.set_first("a long password", now=1.0)
    assert await passwords.is_set()
    assert await passwords.matches("a long password")
    assert not await passwords.matches("another password")
    assert not await passwords.set_first("somebody else's", now=2.0)
    assert not await passwords.matches("somebody else's")
    async with engine.connect() as db:
        stored = await db.scalar(select(User.password_hash))
    assert stored is not None
    assert stored.startswith("$argon2id$")


async def test_no_password_matches_before_one_is_set(engine: AsyncEngine) -> None:
    assert not await Passwords(engine).matches("")


async def test_a_link_signs_in_once(engine: AsyncEngine) -> None:
    token = make_login_token(SECRET, now=100.0, ttl_s=60.0)
    assert await redeem_login_token(engine, SECRET, token, now=110.0)
    assert not await redeem_login_token(engine, SECRET, token, now=111.0)


async def test_a_link_that_expired_or_was_changed_is_refused(engine: AsyncEngine) -> None:
    token = make_login_token(SECRET, now=100.0, ttl_s=60.0)
    expires, nonce, signature = token.split(".")
    refused = [
        (token, 160.0),  # expired
        (f"{int(expires) + 1000}.{nonce}.{signature}", 110.0),
        (f"{expires}.x{nonce}.{signature}", 110.0),
        (f"{expires}.{nonce}.{signature[::-1]}", 110.0),
        ("", 110.0),
        ("nonsense", 110.0),
        ("é.é.é", 110.0),
    ]
    for wrong, now in refused:
        assert not await redeem_login_token(engine, SECRET, wrong, now=now)
    assert not await redeem_login_token(engine, "another secret", token, now=110.0)
    assert await redeem_login_token(engine, SECRET, token, now=110.0)


async def test_used_links_are_forgotten_when_they_have_expired(engine: AsyncEngine) -> None:
    for start in (100.0, 1_000.0, 2_000.0):
        token = make_login_token(SECRET, now=start, ttl_s=60.0)
        assert await redeem_login_token(engine, SECRET, token, now=start + 1)
    async with engine.connect() as db:
        kept = (await db.scalars(select(AppSetting.key))).all()
    assert len(kept) == 1


def test_two_links_are_never_the_same() -> None:
    assert make_login_token(SECRET, now=1.0) != make_login_token(SECRET, now=1.0)


def test_wrong_passwords_make_an_address_wait_and_time_heals() -> None:
    throttle = Throttle(allowed=3, window_s=60.0)
    for now in (0.0, 1.0, 2.0):
        assert throttle.wait_s("10.0.0.1", now=now) == 0
        throttle.wrong("10.0.0.1", now=now)
    assert throttle.wait_s("10.0.0.1", now=3.0) == pytest.approx(57.0)
    assert throttle.wait_s("10.0.0.2", now=3.0) == 0
    assert throttle.wait_s("10.0.0.1", now=61.0) == 0


def test_a_right_password_forgets_the_wrong_ones() -> None:
    throttle = Throttle(allowed=2, window_s=60.0)
    throttle.wrong("a", now=0.0)
    throttle.right("a")
    throttle.wrong("a", now=1.0)
    assert throttle.wait_s("a", now=2.0) == 0


def test_many_addresses_do_not_help_a_guesser() -> None:
    throttle = Throttle(allowed=5, everyone=20, window_s=60.0)
    for number in range(20):
        throttle.wrong(f"10.0.0.{number}", now=float(number))
    assert throttle.wait_s("10.0.1.1", now=21.0) > 0


def test_a_session_opens_expires_and_closes_for_every_copy_of_its_cookie() -> None:
    clock = [1000.0]
    sessions = Sessions(lambda: clock[0])
    session: dict[str, object] = {"lang": "en"}
    assert not sessions.is_open(session)
    sessions.open(session, user="admin")
    assert sessions.is_open(session)
    stolen = dict(session)
    sessions.close(session)
    assert session == {"lang": "en"}
    assert not sessions.is_open(stolen)
    sessions.open(session, user="admin")
    clock[0] += 13 * 3600
    assert not sessions.is_open(session)
