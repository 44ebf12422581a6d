"""The compose files, held to the compose specification's rules that matter here, to our settings and to each other.

No Docker engine is needed, nor asked: what only an engine can show (that images exist, that they start) is not shown.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from dialer.agents.mqtt_at import MqttAt
from dialer.app import Role
from dialer.cli import app
from dialer.config import Settings

ROOT = Path(__file__).parents[1]
FILES = sorted(ROOT.glob("compose*.yaml"))
TOP = {"name", "version", "services", "networks", "volumes", "configs", "secrets", "include", "models"}
SERVICE = {
    "build", "cap_add", "cap_drop", "command", "configs", "depends_on", "deploy", "dns", "entrypoint", "env_file",
    "environment", "expose", "healthcheck", "hostname", "image", "init", "labels", "logging", "networks", "platform",
    "ports", "profiles", "pull_policy", "read_only", "restart", "secrets", "security_opt", "stop_grace_period",
    "stop_signal", "tmpfs", "ulimits", "user", "volumes", "working_dir",
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}
DURATION = re.compile(r"(\d+(h|m|s|ms|us))+")
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
ROLES = ("engine", "relay", "projector", "web")


def read(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def seconds(text: str) -> float:
    unit = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
    assert DURATION.fullmatch(text), text
    return sum(float(number) * unit[name] for number, name in re.findall(r"(\d+)(h|ms|us|m|s)", text))


def services(path: Path) -> list[Any]:
    return [pytest.param(body, id=f"{path.stem}:{name}") for name, body in read(path)["services"].items()]


EVERY = [one for path in FILES for one in services(path)]
MAIN = read(ROOT / "compose.yaml")


def test_both_files_are_there() -> None:
    assert [path.name for path in FILES] == ["compose.embedded.yaml", "compose.yaml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_document_has_only_what_the_specification_knows_and_declares_its_volumes(path: Path) -> None:
    document = read(path)
    assert {key for key in document if not key.startswith("x-")} <= TOP
    used = {
        volume.partition(":")[0]
        for body in document["services"].values()
        for volume in body.get("volumes", ())
        if not volume.startswith((".", "/"))
    }
    assert used == set(document.get("volumes", {})), "declared and used"


@pytest.mark.parametrize("body", EVERY)
def test_a_service_has_only_what_the_specification_knows_and_a_pinned_image(body: dict[str, Any]) -> None:
    assert {key for key in body if not key.startswith("x-")} <= SERVICE
    assert "image" in body or "build" in body
    if "build" not in body:
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)*", body["image"]), "a version, never latest"
    else:
        assert (ROOT / body["build"] / "Dockerfile").is_file()
    if "stop_grace_period" in body:
        assert seconds(body["stop_grace_period"]) > float(Settings.model_fields["drain_s"].default)


@pytest.mark.parametrize("body", EVERY)
def test_ports_are_open_on_this_machine_only_and_mounted_files_exist(body: dict[str, Any]) -> None:
    for port in body.get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port
    for volume in body.get("volumes", ()):
        source, target = volume.split(":")[:2]
        assert target.startswith("/")
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert volume.endswith(":ro"), "what is ours is read only"


@pytest.mark.parametrize("body", EVERY)
def test_environment_values_are_text_and_their_references_have_defaults(body: dict[str, Any]) -> None:
    for name, value in body.get("environment", {}).items():
        assert isinstance(value, str), f"{name}: YAML must not guess"
        assert "$" not in re.sub(r"\$\{[A-Z_]+:-[^}]*\}", "", value), name


@pytest.mark.parametrize("body", EVERY)
def test_what_a_shell_in_a_container_is_to_expand_is_left_alone_by_compose(body: dict[str, Any]) -> None:
    for words in (body.get("command", ()), body.get("healthcheck", {}).get("test", ())):
        named = [name for word in words for name in re.findall(r"\$\$([A-Z_]+)", word)]
        assert "$" not in "".join(words).replace("$$", ""), "compose would put its own environment there"
        assert set(named) - {"SYS"} <= set(body.get("environment", {})), "$SYS/ is Mosquitto's topic"


@pytest.mark.parametrize("body", EVERY)
def test_every_variable_of_ours_that_is_passed_is_a_setting(body: dict[str, Any]) -> None:
    ours = {name.removeprefix("DIALER_").lower() for name in body.get("environment", {}) if name.startswith("DIALER_")}
    assert ours <= set(Settings.model_fields)


@pytest.mark.parametrize("body", services(ROOT / "compose.yaml"))
def test_every_service_has_a_health_check_that_can_be_met(body: dict[str, Any]) -> None:
    check = body["healthcheck"]
    assert set(check) <= HEALTH
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert all(isinstance(word, str) for word in check["test"])
    assert seconds(check["timeout"]) <= seconds(check["interval"])
    assert check["retries"] >= 1


def test_what_a_service_waits_for_exists_has_a_health_check_and_makes_no_circle() -> None:
    waits = {name: body.get("depends_on", {}) for name, body in MAIN["services"].items()}
    for name, wanted in waits.items():
        for other, how in wanted.items():
            assert how["condition"] in CONDITIONS, name
            assert how["condition"] != "service_healthy" or "healthcheck" in MAIN["services"][other]
    done: set[str] = set()
    while left := {name for name in waits if name not in done}:
        free = {name for name in left if set(waits[name]) <= done}
        assert free, f"these wait for each other: {sorted(left)}"
        done |= free


@pytest.mark.parametrize("name", ROLES)
def test_a_role_runs_its_command_with_settings_that_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = MAIN["services"][name]
    assert body["command"] == ["dialer", Role(name).value]
    assert name in {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    given = {key: value for key, value in body["environment"].items() if key.startswith("DIALER_")}
    for key, value in given.items():
        monkeypatch.setenv(key, re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", value))
    settings = Settings()  # every value is one that the setting takes
    assert (settings.kafka, settings.database_url) == ("kafka:9092", "postgresql://dialer:dialer@postgres:5432/dialer")
    (port,) = re.findall(r"127\.0\.0\.1:(\d+)/readyz", shlex.join(body["healthcheck"]["test"]))
    assert int(port) == (settings.port if name == "web" else settings.health_port)


def test_what_the_roles_are_told_is_what_the_servers_are_told() -> None:
    told = MAIN["services"]["engine"]["environment"]
    postgres, clickhouse = MAIN["services"]["postgres"]["environment"], MAIN["services"]["clickhouse"]["environment"]
    user, password, database = (postgres[f"POSTGRES_{what}"] for what in ("USER", "PASSWORD", "DB"))
    assert told["DIALER_DATABASE_URL"] == f"postgresql://{user}:{password}@postgres:5432/{database}"
    user, password, database = (clickhouse[f"CLICKHOUSE_{what}"] for what in ("USER", "PASSWORD", "DB"))
    assert told["DIALER_CLICKHOUSE_URL"] == f"http://{user}:{password}@clickhouse:8123/{database}"
    kafka = MAIN["services"]["kafka"]["environment"]
    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{told['DIALER_KAFKA']}"
    assert kafka["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == told["DIALER_KAFKA_REPLICATION"] == "1", "one broker"


def test_prometheus_asks_every_role_where_it_answers() -> None:
    asked: dict[str, int] = {}
    for job in read(ROOT / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]:
        for target in (target for config in job.get("static_configs", ()) for target in config["targets"]):
            name, _, port = target.partition(":")
            asked[name] = int(port)
        for config in job.get("dns_sd_configs", ()):
            asked |= dict.fromkeys(config["names"], config["port"])
    ports = {"engine": 8081, "relay": 8082, "projector": 8083, "web": 8080}
    assert asked == ports
    for name, port in ports.items():
        environment = MAIN["services"][name]["environment"]
        assert int(environment.get("DIALER_HEALTH_PORT", environment.get("DIALER_PORT"))) == port
    assert MAIN["services"]["web"]["environment"]["DIALER_HOSTS"] == "web", "or the console refuses the name"


def test_the_engine_signs_in_at_the_broker_as_the_broker_was_told() -> None:
    broker, engine = MAIN["services"]["mosquitto"], MAIN["services"]["engine"]
    password = broker["environment"]["MQTT_PASSWORD"]
    assert engine["environment"]["DIALER_MQTT_URL"] == f"mqtt://dialer:{password}@mosquitto:1883"
    at = MqttAt.parse("mqtt://dialer:x@mosquitto:1883")
    conf = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    assert f"\nlistener {at.port}\n" in conf
    assert f"\nuser {at.user}\n" in (ROOT / "deploy/mosquitto/acl").read_text(encoding="utf-8")
    command = broker["command"][-1]
    mounted = {volume.split(":")[1] for volume in broker["volumes"]}
    assert f"-c /tmp/passwords {at.user} " in command
    assert set(re.findall(r"/mosquitto/\S+?(?=/?$)", f"{conf}\n{command}", re.MULTILINE)) == mounted
    assert f" -u {at.user} " in broker["healthcheck"]["test"][1]
    assert engine["depends_on"]["mosquitto"] == {"condition": "service_healthy"}


def provisioned() -> list[dict[str, Any]]:
    """Return the data sources of every provisioning file."""
    folder = ROOT / "deploy/grafana/provisioning/datasources"
    return [source for path in sorted(folder.glob("*.yml")) for source in read(path)["datasources"]]


def datasources(part: Any) -> set[tuple[str, str]]:
    """Return type and uid of every data source that a dashboard names, wherever it does."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    found = {one for piece in inner for one in datasources(piece)}
    if isinstance(part, dict) and isinstance(one := part.get("datasource"), dict):
        found.add((one["type"], one["uid"]))
    return found


def test_grafana_asks_services_that_are_there_and_each_source_has_its_own_uid() -> None:
    sources = {source["uid"]: source for source in provisioned()}
    assert len(sources) == len(provisioned()) == 2
    assert sources["prometheus"]["url"] == "http://prometheus:9090"
    assert [uid for uid, source in sources.items() if source.get("isDefault")] == ["prometheus"]
    assert {"prometheus", "grafana", "clickhouse"} <= set(MAIN["services"])


def test_the_dashboard_is_mounted_where_grafana_looks_and_its_sources_are_provisioned() -> None:
    boards = {
        source: target for source, target, _ in (one.split(":") for one in MAIN["services"]["grafana"]["volumes"][:2])
    }
    (provider,) = read(ROOT / "deploy/grafana/provisioning/dashboards/dialer.yml")["providers"]
    assert boards["./deploy/grafana/dialer.json"] == f"{provider['options']['path']}/dialer.json"
    assert boards["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    used = datasources(json.loads((ROOT / "deploy/grafana/dialer.json").read_text(encoding="utf-8")))
    assert used
    assert used <= {(source["type"], source["uid"]) for source in provisioned()}


def test_grafana_has_the_plugin_of_each_source_and_every_variable_that_the_files_read() -> None:
    environment = MAIN["services"]["grafana"]["environment"]
    plugins = {name.partition("@")[0] for name in environment["GF_PLUGINS_PREINSTALL_SYNC"].split(",")}
    assert {source["type"] for source in provisioned()} - {"prometheus"} == plugins, "Prometheus comes with Grafana"
    read_there = set(re.findall(r"\$\{?([A-Z_]+)", json.dumps(provisioned())))
    assert read_there == {name for name in environment if name.startswith("CLICKHOUSE_")}
    (source,) = (source for source in provisioned() if source["type"] == "grafana-clickhouse-datasource")
    assert (environment["CLICKHOUSE_HOST"], source["jsonData"]["port"]) == ("clickhouse", 8123)


def test_grafana_may_read_the_call_records_and_nothing_else() -> None:
    grafana, server = MAIN["services"]["grafana"]["environment"], MAIN["services"]["clickhouse"]
    assert "./deploy/clickhouse/grafana.xml:/etc/clickhouse-server/users.d/grafana.xml:ro" in server["volumes"]
    tree = ET.parse(ROOT / "deploy/clickhouse/grafana.xml").getroot()  # noqa: S314 -- our own file
    assert [user.tag for user in tree.iterfind("users/*")] == [grafana["CLICKHOUSE_USER"]]
    user = tree.find(f"users/{grafana['CLICKHOUSE_USER']}")
    assert user is not None
    secret = user.find("password")
    assert secret is not None
    assert server["environment"][secret.attrib["from_env"]] == grafana["CLICKHOUSE_PASSWORD"]
    assert tree.findtext(f"profiles/{user.findtext('profile')}/readonly") == "2", "1 would refuse the plugin's settings"
    database = server["environment"]["CLICKHOUSE_DB"]
    assert [one.text for one in user.iterfind("grants/query")] == [f"GRANT SELECT ON {database}.*"]
    assert grafana["CLICKHOUSE_DATABASE"] == database
