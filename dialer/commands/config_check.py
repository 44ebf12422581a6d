"""Ask everything that the settings name whether it is there; nothing is changed that is not put back."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.config import Settings
from dialer.errors import BadInput, DialerError
from dialer.redact import hide_secrets
from store.open import open_database
from store.upgrade import found_revision, head

WITHIN_S: Final = 10.0
"""What has not answered by then does not answer."""


class Finding(NamedTuple):
    """What was asked, whether it is well, and a sentence about it."""

    what: str
    ok: bool
    words: str


async def check_all(settings: Settings) -> list[Finding]:
    """Look at the home folder, the database, Kafka, ClickHouse, MQTT and the storage of recordings, in that order."""
    asked: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
        ("home", _home),
        ("database", _database),
        ("kafka", _kafka),
        ("clickhouse", _clickhouse),
        ("mqtt", _mqtt),
        ("recordings", _recordings),
    ]
    return [await _find(what, ask, settings) for what, ask in asked]


async def _find(what: str, ask: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(WITHIN_S):
            return Finding(what, ok=True, words=hide_secrets(await ask(settings)))
    except DialerError as error:
        return Finding(what, ok=False, words=hide_secrets(str(error)))
    except TimeoutError:
        return Finding(what, ok=False, words=f"no answer within {WITHIN_S:g} s; check the address and the firewall")


async def _home(settings: Settings) -> str:
    folder = settings.home.resolve()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise BadInput(f"{there} cannot be written; mend its permissions, or name another folder with --home")
    return f"{folder} {'can be written' if folder.exists() else 'will be made at the first start'}"


async def _database(settings: Settings) -> str:
    if not settings.database_url and not _has_file(settings):
        return f"SQLite; {settings.home / 'dialer.db'} will be made at the first start"
    engine = open_database(settings.database)
    try:
        return await _look_at(engine, settings)
    except DBAPIError as error:
        raise BadInput(
            f"{_address(engine)} refuses: {error.orig}; check the address, the user and the rights"
        ) from error
    except (OSError, SQLAlchemyError) as error:
        raise BadInput(f"{_address(engine)} cannot be reached: {error}; check that it runs and the address") from error
    finally:
        await engine.dispose()


def _has_file(settings: Settings) -> bool:
    return (settings.home / "dialer.db").exists()


async def _look_at(engine: AsyncEngine, settings: Settings) -> str:
    async with engine.connect() as connection:
        revision = await connection.run_sync(found_revision)
        version = await connection.run_sync(_version)
        if engine.dialect.name == "postgresql":
            asked, database_s = time.time(), float((await connection.execute(_NOW)).scalar_one())
            _refuse_skew(database_s - asked, time.time() - asked, settings)
    if revision is None:
        return f"{_address(engine)} answers ({version}); its tables will be made at the first start"
    if revision != head():
        return (
            f"{_address(engine)} answers ({version}); schema {revision} will be brought to {head()} at the next start"
        )
    return f"{_address(engine)} answers ({version}); schema {revision} is this program's"


_NOW: Final = text("SELECT extract(epoch FROM clock_timestamp())")


def _refuse_skew(skew_s: float, took_s: float, settings: Settings) -> None:
    if abs(skew_s) > settings.lease_s / 5 + took_s:
        raise BadInput(
            f"the database's clock differs from this machine's by {skew_s:+.1f} s; leases bear a fifth of "
            f"DIALER_LEASE_S ({settings.lease_s / 5:g} s): set the clocks (NTP)"
        )


def _version(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}"
    return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar_one()}"


def _address(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=True)


async def _kafka(settings: Settings) -> str:
    if not settings.kafka:
        return "not set: the database's outbox is the event log"
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    from dialer.kafka import kafka_at

    options = msgspec.structs.replace(kafka_at(settings), timeout_s=WITHIN_S / 2).options()
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        (topic,) = await admin.describe_topics([settings.kafka_topic])
    except (KafkaError, OSError, ValueError) as error:
        raise BadInput(
            f"{settings.kafka} does not answer as Kafka does ({type(error).__name__}); "
            "check that it runs, DIALER_KAFKA and the brokers' advertised listeners"
        ) from error
    finally:
        await admin.close()
    return _topic_words(settings, topic)


def _topic_words(settings: Settings, topic: dict[str, Any]) -> str:
    name, wanted, there = settings.kafka_topic, settings.kafka_partitions, len(topic["partitions"])
    if topic["error_code"]:
        return f"{settings.kafka} answers; the topic {name} will be made with {wanted} partitions"
    if there != wanted:
        raise BadInput(
            f"the topic {name} has {there} partitions and DIALER_KAFKA_PARTITIONS says {wanted}: events of one lead "
            "would lose their order; set it to what is there"
        )
    return f"{settings.kafka} answers; the topic {name} has {there} partitions"


async def _clickhouse(settings: Settings) -> str:
    if not settings.clickhouse_url:
        return f"not set: chDB keeps the call records in {settings.analytics_path}"
    from cdr.clickhouse_http import look

    return await look(settings.clickhouse_url)


async def _mqtt(settings: Settings) -> str:
    if not settings.mqtt_url:
        return "not set: no desks over MQTT"
    from dialer.agents.mqtt_at import MqttAt

    broker = MqttAt.parse(settings.mqtt_url)
    await broker.ask()
    return f"{broker.where} answers; {f'the user {broker.user} is let in' if broker.user else 'anybody is let in'}"


async def _recordings(settings: Settings) -> str:
    if not settings.recording_url:
        return f"not set: {settings.recordings_path} keeps the recordings"
    from dialer.recorder import open_files

    return f"{await open_files(settings).look()} takes, gives and deletes a file"
