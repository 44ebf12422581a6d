from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from aiokafka import AIOKafkaProducer

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, ensure_topic
from dialer.errors import Unreachable
from tests.plugins.kafka import POM, VERSION, KafkaServer

ROOT = Path(__file__).resolve().parents[2]


async def write_one(kafka: KafkaServer, topic: str) -> int:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        return int((await producer.send_and_wait(topic, b"value")).offset)


async def test_the_broker_is_real_and_keeps_what_it_was_given(kafka: KafkaServer, kafka_topic: str) -> None:
    server = KafkaAt(kafka.bootstrap)
    await ensure_topic(server, TopicSettings(kafka_topic, partitions=1))
    assert await write_one(kafka, kafka_topic) == 0
    kafka.stop()
    with pytest.raises(Unreachable):
        await ensure_topic(KafkaAt(kafka.bootstrap, timeout_s=2), TopicSettings(kafka_topic, partitions=1))
    kafka.start()
    assert await write_one(kafka, kafka_topic) == 1


def test_each_test_gets_a_topic_of_its_own(kafka_topic: str) -> None:
    assert kafka_topic.startswith("cdr.events.")


@pytest.mark.parametrize(
    ("there", "says"),
    [([], "no java found: install default-jre-headless and maven"), (["java"], "no mvn to fetch Kafka with")],
    ids=["no java", "no maven"],
)
def test_where_there_is_none_a_run_that_requires_it_fails_and_says_what_to_install(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, there: list[str], says: str
) -> None:
    programs = pytester.mkdir("bin")
    for name in there:
        program(programs / name, "exit 1")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    monkeypatch.setenv("DIALER_REQUIRE", "kafka")
    monkeypatch.delenv("DIALER_TEST_KAFKA", raising=False)
    pytester.makeconftest('pytest_plugins = ["tests.plugins.components", "tests.plugins.kafka"]')
    pytester.makepyfile("def test_it(kafka): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*kafka is absent, and DIALER_REQUIRE wants it: {says}*"])


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def fetch(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Fetch the jars into an empty cache with a Maven that does this."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    program(programs / "mvn", script)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "tests.plugins.kafka"]
    return subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=60)


def test_a_maven_that_fails_is_told_and_leaves_no_half_of_a_cache(tmp_path: Path) -> None:
    done = fetch(tmp_path, "echo 'Could not transfer artifact'; exit 1")
    assert done.returncode != 0
    assert f"Maven could not fetch Kafka {VERSION}: Could not transfer artifact" in done.stderr
    cache = tmp_path / "cache" / "predictive-dialer"
    assert [path.name for path in cache.iterdir()] == [f"kafka-{VERSION}.lock"]


def test_the_jars_are_fetched_once_by_the_poms_names_alone(tmp_path: Path) -> None:
    log = tmp_path / "asked"
    script = f'echo "$@" >> {log}; for word; do case $word in -DoutputDirectory=*) folder=${{word#*=}};; esac; done'
    for _ in range(2):
        done = fetch(tmp_path, f"{script}; touch $folder/kafka_2.13-{VERSION}.jar")
        assert (done.returncode, done.stderr) == (0, "")
    (asked,) = log.read_text().splitlines()
    words = [word for word in asked.split() if not word.startswith("-DoutputDirectory=")]
    assert words == ["-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]


def test_compose_the_pom_and_the_tests_mean_one_version_and_the_pom_names_no_place_to_fetch_it_from() -> None:
    pom = ET.parse(POM).getroot()  # noqa: S314 -- our own file
    space = {"": "http://maven.apache.org/POM/4.0.0"}
    named = [*pom.iterfind(".//dependency", space), *pom.iterfind(".//plugin", space)]
    versions = {one.findtext("artifactId", "", space): one.findtext("version", "", space) for one in named}
    assert versions["kafka_2.13"] == VERSION
    assert all(versions.values()), versions
    assert not list(pom.iterfind(".//repository", space))
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{VERSION}"
