"""The Asterisk file (TOML): read, checked key by key, and then as a whole. `parse` is pure; `load` reads files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from dialer.core.trunks import TrunkLimit
from dialer.errors import BadInput
from telephony_adapters.trunks.locked import content, tables, unlocked
from telephony_adapters.trunks.reading import (
    FLAG,
    PATH,
    SECRET,
    Secret,
    choice,
    mapping,
    number,
    several,
    table,
    text,
    whole,
)

_TABLES: Final = ("server", "agents", "asterisk")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_PREFIX: Final = text('digits of E.164 without the plus, or "" for every number', r"(?:[1-9][0-9]{0,14})?")
_URL: Final = text('an address such as "http://10.0.0.5:8088/ari"', r"https?://[!-~]+[!-.0-~]")
_WORD: Final = text("a name of letters, digits, - and _", r"[A-Za-z0-9_-]{1,40}")
_TRUNK: Final = text('what Asterisk dials, such as "PJSIP/{phone}@trunk"', r"[!-~]+/[!-~]+")
_PHONE: Final = text('what Asterisk dials, such as "PJSIP/{agent}"', r"[!-~]+/[!-~]+")
_AGENT: Final = text("an agent's id", r"[^\x00-\x1f\x7f]{1,80}")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One Asterisk, and the trunk behind it, which is one trunk of the engine's by this name."""

    name: str
    url: Annotated[str, _URL]
    user: Annotated[str, text("a name without blanks", r"[!-~]+")]
    password: Annotated[Secret | None, SECRET] = None
    password_file: Annotated[Path | None, PATH] = None
    password_env: Annotated[str, text("the name of a variable", r"[A-Za-z_][A-Za-z0-9_]*")] = ""
    endpoint: Annotated[str, _TRUNK]
    """How a number is dialled; {phone} is where it goes."""
    channels: Annotated[int, whole(1, 100_000)]
    cps: Annotated[float, number(0.01, 10_000)]
    burst: Annotated[int, whole(0, 10_000)] = 0
    """Calls that may leave at once; 0 = a second's worth."""
    number_format: Annotated[str, choice("e164", "e164_plus", "national")] = "e164_plus"
    """How numbers leave: 84900000001, +84900000001 or 0900000001."""
    country_code: Annotated[str, text("a country code such as 84", r"[1-9][0-9]{0,2}")] = "84"
    """Whose numbers `national` writes with a 0; others leave with 00."""
    priority: Annotated[int, whole(0, 1000)] = 0
    weight: Annotated[int, whole(1, 1000)] = 1
    prefixes: Annotated[tuple[str, ...], several(_PREFIX, "a list of prefixes in quotes")] = ("",)

    @property
    def limit(self) -> TrunkLimit:
        """Return what the engine's pool has to know of it."""
        return TrunkLimit(
            name=self.name, channels=self.channels, cps=self.cps, burst=self.burst or max(1, round(self.cps)),
            priority=self.priority, weight=self.weight, prefixes=self.prefixes,
        )  # fmt: skip


class Agents(msgspec.Struct, frozen=True, kw_only=True):
    """The agents' phones, as every server reaches them."""

    endpoint: Annotated[str, _PHONE] = "PJSIP/{agent}"
    """How an agent's phone is dialled; {agent} is where the agent's id goes."""
    endpoints: Annotated[Mapping[str, str], mapping(_AGENT, _PHONE, "a table of agents and what is dialled")] = {}
    """The agents whose phones are dialled otherwise."""
    nailed_up: Annotated[bool, FLAG] = False
    """Whether phones stay on the line between calls; otherwise each talk calls the agent's phone."""
    auto_answer: Annotated[bool, FLAG] = True
    """Whether phones are asked to pick up by themselves (Call-Info: answer-after=0)."""
    ring_s: Annotated[float, number(1, 60)] = 20.0
    """How long a phone rings when it is called before its customer, or to stay on the line."""

    def dialled(self, agent_id: str) -> str:
        """Return what is dialled for an agent."""
        return self.endpoints.get(agent_id) or self.endpoint.replace("{agent}", agent_id)


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all servers."""

    app: Annotated[str, _WORD] = "dialer"
    """The name of the ARI application: one for each dialer that uses the servers."""
    moh: Annotated[str, _WORD] = "default"
    """The class of music for who waits."""
    sounds: Annotated[str, text("a folder, as Asterisk sees it", r"/[^\x00-\x1f\x7f]*")] = ""
    """Where Asterisk sees the dialer's home folder; empty = where the dialer does."""
    requests: Annotated[int, whole(1, 1000)] = 64
    """How many requests may be under way at one server at once."""
    timeout_s: Annotated[float, number(0.5, 60)] = 5.0
    """How long a request may take."""
    ask_every_s: Annotated[float, number(1, 600)] = 10.0
    """How often a server is asked how it is."""
    lost_after_s: Annotated[float, number(1, 3600)] = 60.0
    """The calls of a server that cannot be reached for so long are given up."""


class AsteriskFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file."""

    servers: Mapping[str, Server]
    agents: Agents = Agents()
    common: Common = Common()


def load(path: Path) -> AsteriskFile:
    """Read a file, and the passwords that it names elsewhere; raise BadInput as `parse` does."""
    file = parse(content(path, "the Asterisk file"), where=str(path), base=path.parent)
    servers = {name: unlocked(server, f"{path}: server {name!r}") for name, server in file.servers.items()}
    return msgspec.structs.replace(file, servers=servers)


def parse(toml: str, *, where: str = "the Asterisk file", base: Path = Path()) -> AsteriskFile:
    """Read the text of a file; names of files in it are relative to `base`.

    Raises BadInput naming the server or table, the key, what it expects and what it got.
    """
    raw = tables(toml, _TABLES, where)
    file = AsteriskFile(
        servers=_servers(raw.get("server", {}), where, base),
        agents=table(Agents, raw.get("agents", {}), f"{where}: agents"),
        common=table(Common, raw.get("asterisk", {}), f"{where}: asterisk"),
    )
    trouble = next(_troubles(file), None)
    if trouble is not None:
        raise BadInput(f"{where}: {trouble}")
    return file


def _servers(raw: object, where: str, base: Path) -> dict[str, Server]:
    if not isinstance(raw, dict) or not raw:
        raise BadInput(
            f"{where}: it names no server; write [server.NAME], then url, user, password, endpoint, channels and cps"
        )
    servers = {}
    for name, keys in raw.items():
        if not isinstance(keys, dict):
            raise BadInput(f"{where}: [server] holds the key {name!r}; give the server a name: [server.NAME]")
        if not _NAME.fullmatch(name):
            raise BadInput(f"{where}: server {name!r}: a name has letters, digits and - . _, at most 40 of them")
        server = table(Server, keys, f"{where}: server {name!r}", name=name)
        if server.password_file is not None:
            server = msgspec.structs.replace(server, password_file=base / server.password_file)
        servers[name] = server
    return servers


def _troubles(file: AsteriskFile) -> Iterator[str]:
    """Yield what keys that are right by themselves make wrong together."""
    for server in file.servers.values():
        yield from (f"server {server.name!r}: {words}" for words in _of_server(server))
    if "{agent}" not in file.agents.endpoint:
        yield f"agents: endpoint must hold {{agent}}, where the agent's id goes; it is {file.agents.endpoint!r}"
    if file.agents.nailed_up and len(file.servers) > 1:
        yield "agents: nailed_up needs one server: a phone can stay on the line of one only"


def _of_server(server: Server) -> Iterator[str]:
    sources = [name for name in ("password", "password_file", "password_env") if getattr(server, name)]
    if len(sources) != 1:
        yield "give one of password, password_file and password_env"
    if "{phone}" not in server.endpoint:
        yield f"endpoint must hold {{phone}}, where the number goes; it is {server.endpoint!r}"
    if not server.prefixes:
        yield 'prefixes is empty, so that it serves no number; [""] means every number'
