"""Settings of a process: options, then environment variables `DIALER_*`, then a TOML file, then defaults."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dialer.errors import BadInput
from dialer.recordings import RecordingFormat

PREFIX: Final = "DIALER_"
FILE_NAME: Final = "dialer.toml"
TRUNKS_NAME: Final = "trunks.toml"
ASTERISK_NAME: Final = "asterisk.toml"
NOT_SETTINGS: Final = frozenset({
    "DIALER_AGENT_PASSWORD", "DIALER_CARRIER_LOG", "DIALER_CONFIG", "DIALER_CRASH_AT", "DIALER_REQUIRE",
})  # fmt: skip
"""Variables with our prefix that are not settings; those that begin with DIALER_TEST_ belong to the tests."""
ALIKE: Final = 0.8
"""A variable's name that is nearer than this to a setting's is taken for a slip of the pen."""


class Settings(BaseSettings):
    """Where things are and how much of them there is; each field is also `DIALER_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    home: Path = Path("dialer-data")
    """The folder that holds the database, the analytics and the secrets of this installation."""
    database_url: str = Field(default="", repr=False)
    """Empty = SQLite in the home folder; or postgresql://USER@HOST/NAME."""
    kafka: str = ""
    """Kafka's bootstrap servers, HOST:PORT with commas; empty = the database's outbox itself is the event log."""
    kafka_user: str = ""
    """Who signs in at Kafka (SASL); empty = nobody does."""
    kafka_password: str = Field(default="", repr=False)
    """The password of kafka_user."""
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the user signs in."""
    kafka_tls: bool = False
    """Whether Kafka is spoken to through TLS; an authority of your own: SSL_CERT_FILE."""
    kafka_topic: str = Field(default="cdr.events", min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")
    """The topic of the call events."""
    kafka_partitions: int = Field(default=6, ge=1, le=10_000)
    """How many partitions the topic is made with; one that exists must have as many."""
    kafka_replication: int = Field(default=1, ge=1, le=100)
    """On how many brokers each partition is kept."""
    outbox_keep_days: float = Field(default=7.0, ge=0)
    """How long the database keeps an event that Kafka has; without Kafka the outbox is the log, and keeps all."""
    clickhouse_url: str = Field(default="", repr=False)
    """Empty = chDB in the home folder; or http://USER:PASSWORD@HOST:8123/DATABASE of a ClickHouse server."""
    clickhouse_cluster: str = ""
    """The cluster's name, when tables are to be replicated and distributed; empty = one server."""
    mqtt_url: str = Field(default="", repr=False)
    """Empty = the embedded broker on loopback; or mqtt://USER:PASSWORD@HOST:1883, mqtts:// for TLS, of another one."""
    mqtt_port: int = Field(default=0, ge=0, le=65_535)
    """The embedded broker's port on loopback; 0 = that of the last run, or any free one."""
    agent_grace_s: float = Field(default=10.0, ge=0.5, le=600)
    """An agent whose desk, or whose broker, is gone for longer than this is signed out; calls stop at once."""
    retention_calls_days: int = Field(default=0, ge=0)
    """Call records older than this are dropped from the analytics; 0 = kept for ever."""
    retention_events_days: int = Field(default=0, ge=0)
    """The same for raw events; 0 = kept for ever."""
    recording_url: str = Field(default="", repr=False)
    """Where recordings are kept: empty = HOME/recordings; s3://BUCKET/PREFIX, or another URL that fsspec takes."""
    recording_format: RecordingFormat = RecordingFormat.MP3
    """How recordings are kept: mp3, or wav as the switch made them."""
    retention_recordings_days: int = Field(default=0, ge=0)
    """Recordings of calls older than this are deleted; 0 = kept for ever."""
    host: str = "127.0.0.1"
    """The address on which the console, or a role's health page, listens."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """The console's port; 0 = any free one."""
    health_port: int | None = Field(default=None, ge=0, le=65_535)
    """The port of a role without a console; None = 8081 engine, 8082 relay, 8083 projector; 0 = any free one."""
    hosts: str = ""
    """Names besides localhost under which the console may be opened, with commas."""
    trunk: str = "simulator"
    """Which telephony adapter places the calls; a name that is not known is refused with those that are."""
    trunk_channels: int = Field(default=100, ge=1)
    """How many calls the trunk carries at once: this engine's share, when several engines use it."""
    trunk_cps: float = Field(default=10.0, gt=0)
    """How many calls the trunk takes a second: this engine's share."""
    trunks: Path | None = None
    """The trunks file (TOML); None = HOME/trunks.toml where it exists. `dialer trunk example` prints one."""
    asterisk: Path | None = None
    """The Asterisk file (TOML); None = HOME/asterisk.toml where it exists. `dialer asterisk example` prints one."""
    sip_process: bool = False
    """Whether the SIP adapter runs in a process of its own beside the engine's, for hundreds of calls a second."""
    sip_trace_share: float = Field(default=0.0, ge=0, le=1)
    """Of which share of its calls the SIP adapter keeps every message, numbers masked: 0 = none, 1 = all."""
    sip_trace_mb: int = Field(default=64, ge=1)
    """How much disk these messages take at most, in megabytes; the oldest go first."""
    overrides: Path | None = None
    """A per-trunk override table, what one carrier's codes really mean (statuses.md 2.10); None = none."""
    lease_s: float = Field(default=15.0, ge=2.0, le=600.0)
    """How long a campaign stays an engine's, a lane a relay's, unrenewed: so long after a death others take over."""
    drain_s: float = Field(default=30.0, ge=0)
    """How long a stop waits for calls to finish."""
    voice_url: str = Field(default="", repr=False)
    """Empty = the bundled voice; or the address of a speech service, with the places {text} and {language}."""
    voice_keys: str = Field(default="", repr=False)
    """The keys of that service, with commas: used one after another, as the place {key} or as bearer tokens."""
    voice_kept_mb: int = Field(default=500, ge=1)
    """How much disk rendered speech takes at most, in megabytes; what was used last is kept."""
    webhook_private: bool = False
    """Whether call records may be posted to loopback and private addresses, and there without TLS."""
    webhook_give_up_h: float = Field(default=24.0, ge=0)
    """A receiver that has failed for so many hours, and 20 times in a row, is disabled."""
    webhook_keep_days: float = Field(default=7.0, gt=0)
    """How long a call record waits for a receiver that does not take it."""
    log_level: str = Field(default="INFO", pattern=r"^(?i:debug|info|warning|error|critical)$")

    @property
    def database(self) -> str:
        """Return the database URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'dialer.db'}"

    @property
    def prompts_path(self) -> Path:
        """Return the folder of the audio library."""
        return self.home / "prompts"

    @property
    def analytics_path(self) -> Path:
        """Return the folder of the embedded ClickHouse engine."""
        return self.home / "analytics"

    @property
    def recordings_path(self) -> Path:
        """Return the folder of recordings, unless `recording_url` names another place."""
        return self.home / "recordings"

    @property
    def drained_trunks(self) -> Path:
        """Return the list of the trunks that an operator drains."""
        return self.home / "drained-trunks"

    @property
    def trunks_file(self) -> Path | None:
        """Return the trunks file in force, None when there is none."""
        usual = self.home / TRUNKS_NAME
        return self.trunks or (usual if usual.is_file() else None)

    @property
    def asterisk_file(self) -> Path | None:
        """Return the Asterisk file in force, None when there is none."""
        usual = self.home / ASTERISK_NAME
        return self.asterisk or (usual if usual.is_file() else None)

    @property
    def sip_trace_path(self) -> Path:
        """Return the folder of the SIP messages that are kept."""
        return self.home / "sip-trace"

    @property
    def sip_trace_bytes(self) -> int:
        """Return the most that they take on disk."""
        return self.sip_trace_mb * 1_000_000

    @property
    def host_names(self) -> tuple[str, ...]:
        """Return the further names of the console."""
        return tuple(name.strip() for name in self.hosts.split(",") if name.strip())


class Loaded(NamedTuple):
    """The settings in force and where each value came from: option, variable, file or default."""

    settings: Settings
    sources: Mapping[str, str]
    file: Path | None
    strangers: tuple[str, ...]
    """Variables DIALER_* that are no setting and look like none."""


def load(**given: object) -> Settings:
    """Read the settings; `given` values (None = not given) win. Raise BadInput naming the setting that is wrong."""
    return load_all(**given).settings  # type: ignore[arg-type]  # settings, and the file's name, by name


def load_all(*, config: Path | str | None = None, **given: object) -> Loaded:
    """Read the settings and where they came from; `config` names the TOML file, else DIALER_CONFIG, else the home's.

    Raises BadInput for a wrong value, a file that cannot be read, a key that is none, or a variable that is nearly one.
    """
    strangers = _strange_variables()
    options = {name: value for name, value in given.items() if value is not None}
    file, values = _file(config, options.get("home"))
    in_environment = {name for name in Settings.model_fields if _variable(name) in os.environ}
    from_file = {name: value for name, value in values.items() if name not in in_environment}
    try:
        settings = Settings(**(from_file | options))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        where = f" in {file}" if file and name in from_file and name not in options else ""
        raise BadInput(f"setting {name} ({_variable(name)}){where}: {first['msg']}") from error
    sources = {
        name: "option" if name in options
        else _variable(name) if name in in_environment
        else str(file) if name in from_file
        else "default"
        for name in Settings.model_fields
    }  # fmt: skip
    return Loaded(settings, sources, file, strangers)


def home_in_file(config: Path | str | None) -> Path | None:
    """Return the home folder that a named TOML file sets, if one is named and sets it."""
    value = _file(config, None)[1].get("home") if config or os.environ.get("DIALER_CONFIG") else None
    return None if value is None else Path(str(value))


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _file(config: Path | str | None, home: object) -> tuple[Path | None, dict[str, Any]]:
    named = config or os.environ.get("DIALER_CONFIG")
    if named:
        path = Path(named)
    else:
        folder = home or os.environ.get("DIALER_HOME") or Settings.model_fields["home"].default
        path = Path(str(folder)) / FILE_NAME
        if not path.is_file():
            return None, {}
    values = _parse(path)
    for key in values:
        if key not in Settings.model_fields:
            raise BadInput(f"{path}: {key!r} is no setting{_nearest(key, Settings.model_fields)}")
    if not named and "home" in values:
        raise BadInput(f"{path}: 'home' cannot be set in the home folder's own file; use --home or DIALER_HOME")
    return path, values


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read the settings file {path}: {error.strerror}; name another with --config") from error
    except ValueError as error:  # TOML's own and that of text that is not UTF-8
        raise BadInput(f"{path}: not valid TOML: {error}") from error


def _strange_variables() -> tuple[str, ...]:
    """Return variables of ours that nobody knows; refuse those that look like a misspelled setting."""
    known = {_variable(name) for name in Settings.model_fields} | NOT_SETTINGS
    strange = sorted(
        name for name in os.environ
        if name.startswith(PREFIX) and name not in known and not name.startswith("DIALER_TEST_")
    )  # fmt: skip
    for name in strange:
        short = name.removeprefix(PREFIX).lower()
        if difflib.get_close_matches(short, Settings.model_fields, 1, ALIKE):
            raise BadInput(f"the variable {name} is no setting{_nearest(short, Settings.model_fields, _variable)}")
    return tuple(strange)


def _nearest(key: str, known: Iterable[str], shown: Callable[[str], str] = repr) -> str:
    near = difflib.get_close_matches(key.lower().removeprefix("dialer_"), list(known), 1, 0.0)
    return f"; did you mean {shown(near[0])}? `dialer config show` lists all" if near else ""
