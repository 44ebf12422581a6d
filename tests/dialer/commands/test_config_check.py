"""The parts of `dialer config check`, most of which need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dialer.commands.config_check import _refuse_skew, _topic_words, check_all
from dialer.config import load
from dialer.errors import BadInput
from tests.plugins.clickhouse import chdb_server


@pytest.mark.parametrize(("skew_s", "took_s", "fine"), [(2.9, 0.0, True), (-3.5, 1.0, True), (3.5, 0.1, False)])
def test_clocks_may_differ_by_a_fifth_of_the_lease(skew_s: float, took_s: float, *, fine: bool) -> None:
    settings = load(lease_s=15)
    if fine:
        _refuse_skew(skew_s, took_s, settings)
    else:
        with pytest.raises(BadInput, match=r"differs from this machine's by \+3\.5 s.*NTP"):
            _refuse_skew(skew_s, took_s, settings)


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ({"error_code": 3, "partitions": []}, "will be made with 6 partitions"),
        ({"error_code": 0, "partitions": [{}] * 6}, "has 6 partitions"),
    ],
)
def test_a_topic_is_there_or_will_be(topic: dict[str, Any], says: str) -> None:
    assert says in _topic_words(load(kafka="k:9092"), topic)


def test_a_topic_with_other_partitions_is_refused() -> None:
    with pytest.raises(BadInput, match="has 3 partitions and DIALER_KAFKA_PARTITIONS says 6"):
        _topic_words(load(kafka="k:9092"), {"error_code": 0, "partitions": [{}] * 3})


async def test_a_home_that_cannot_be_one_and_an_address_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = {one.what: one for one in await check_all(load(home=tmp_path / "file", clickhouse_url="clickhouse:9000"))}
    assert (found["home"].ok, found["clickhouse"].ok) == (False, False)
    assert "http(s)://HOST:PORT/DATABASE" in found["clickhouse"].words


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://h:abc/db", "no address"),
        ("http://h:1/db?verfy=false", "unknown options: verfy"),
        ("http://127.0.0.1:1/db", "nothing answers as ClickHouse does"),
    ],
)
async def test_a_clickhouse_that_cannot_be_asked(url: str, says: str, tmp_path: Path) -> None:
    found = {one.what: one for one in await check_all(load(home=tmp_path, clickhouse_url=url))}
    assert not found["clickhouse"].ok
    assert says in found["clickhouse"].words


async def test_a_clickhouse_that_answers_and_one_that_is_too_old(tmp_path: Path, clickhouse_url: str) -> None:
    found = {one.what: one for one in await check_all(load(home=tmp_path, clickhouse_url=clickhouse_url))}
    assert found["clickhouse"].ok, found["clickhouse"].words
    assert "answers (ClickHouse " in found["clickhouse"].words
    assert str(urlsplit(clickhouse_url).password) not in found["clickhouse"].words
    with chdb_server(version="23.3.1.1") as old:
        found = {one.what: one for one in await check_all(load(home=tmp_path, clickhouse_url=old.url))}
    assert not found["clickhouse"].ok
    assert "it is ClickHouse 23.3.1.1; 24.8 is the least" in found["clickhouse"].words


async def test_a_broker_that_is_not_named_is_not_missed_and_one_that_is_no_address_is_told(tmp_path: Path) -> None:
    found = {one.what: one for one in await check_all(load(home=tmp_path))}
    assert (found["mqtt"].ok, found["mqtt"].words) == (True, "not set: no desks over MQTT")
    found = {one.what: one for one in await check_all(load(home=tmp_path, mqtt_url="mosquitto:1883"))}
    assert not found["mqtt"].ok
    assert "must be mqtt://HOST:1883" in found["mqtt"].words


async def test_the_storage_of_recordings_is_tried(tmp_path: Path) -> None:
    async def said(url: str) -> tuple[bool, str]:
        found = {one.what: one for one in await check_all(load(home=tmp_path / "home", recording_url=url))}
        return found["recordings"].ok, found["recordings"].words

    assert await said("") == (True, f"not set: {tmp_path / 'home' / 'recordings'} keeps the recordings")
    kept = (tmp_path / "kept").as_uri()
    assert await said(kept) == (True, f"{kept} takes, gives and deletes a file")
    assert [one for one in (tmp_path / "kept").rglob("*") if one.is_file()] == []
    ok, words = await said("nonsense://x")
    assert not ok
    assert "no storage that can be opened" in words
