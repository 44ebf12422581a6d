"""The trunks file (TOML): read, checked key by key, and then as a whole.

`parse` is pure; `load` reads the file, and the passwords that it names elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from dialer.errors import BadInput
from telephony_adapters.trunks.guard import Numbers
from telephony_adapters.trunks.locked import content, tables, unlocked
from telephony_adapters.trunks.model import Agents, Peer, Sip, Spend, Trunk, TrunksFile
from telephony_adapters.trunks.prefixes import longest
from telephony_adapters.trunks.reading import table

S = TypeVar("S", bound=msgspec.Struct)

_TABLES: Final = ("trunk", "numbers", "spend", "sip", "agents")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_SESSION_MIN_S: Final = 90
"""No session may be refreshed more often (RFC 4028 section 5)."""


def load(path: Path, *, with_secrets: bool = True) -> TrunksFile:
    """Read a trunks file and, unless told not to, the passwords that it names in files and in the environment.

    Raises BadInput as `parse` does, and for what cannot be read.
    """
    file = parse(content(path, "the trunks file"), where=str(path), base=path.parent)
    if not with_secrets:
        return file
    trunks = {name: unlocked(trunk, f"{path}: trunk {name!r}") for name, trunk in file.trunks.items()}
    agents = None if file.agents is None else unlocked(file.agents, f"{path}: agents")
    return msgspec.structs.replace(file, trunks=trunks, agents=agents)


def parse(toml: str, *, where: str = "the trunks file", base: Path = Path()) -> TrunksFile:
    """Read the text of a trunks file; names of files in it are relative to `base`.

    Raises BadInput naming the trunk or table, the key, what it expects and what it got.
    """
    raw = tables(toml, _TABLES, where)
    file = TrunksFile(
        trunks=_trunks(raw.get("trunk", {}), where, base),
        numbers=table(Numbers, raw.get("numbers", {}), f"{where}: numbers"),
        spend=table(Spend, raw.get("spend", {}), f"{where}: spend"),
        sip=_based(table(Sip, raw.get("sip", {}), f"{where}: sip"), base),
        agents=_based(table(Agents, raw["agents"], f"{where}: agents"), base) if "agents" in raw else None,
    )
    trouble = next(_troubles(file), None)
    if trouble is not None:
        raise BadInput(f"{where}: {trouble}")
    return file


def _trunks(raw: object, where: str, base: Path) -> dict[str, Trunk]:
    if not isinstance(raw, dict) or not raw:
        raise BadInput(f"{where}: it names no trunk; write [trunk.NAME], then server, channels and cps")
    trunks = {}
    for name, keys in raw.items():
        if not isinstance(keys, dict):
            raise BadInput(f"{where}: [trunk] holds the key {name!r}; give the trunk a name: [trunk.NAME]")
        if not _NAME.fullmatch(name):
            raise BadInput(f"{where}: trunk {name!r}: a name has letters, digits and - . _, at most 40 of them")
        trunks[name] = _based(table(Trunk, keys, f"{where}: trunk {name!r}", name=name), base)
    return trunks


def _based(one: S, base: Path) -> S:
    """Return the struct with its names of files relative to a folder."""
    paths = {name: base / value for name in one.__struct_fields__ if isinstance(value := getattr(one, name), Path)}
    return msgspec.structs.replace(one, **paths)


def _troubles(file: TrunksFile) -> Iterator[str]:
    """Yield what keys that are right by themselves make wrong together."""
    for trunk in file.trunks.values():
        yield from (f"trunk {trunk.name!r}: {words}" for words in (*_of_peer(trunk), *_of_trunk(trunk, file)))
    if file.agents is not None:
        yield from (f"agents: {words}" for words in (*_of_peer(file.agents), *_of_agents(file.agents)))
    if file.numbers.min_digits > file.numbers.max_digits:
        yield f"numbers: min_digits {file.numbers.min_digits} is more than max_digits {file.numbers.max_digits}"
    yield from (f"sip: {words}" for words in _of_sip(file.sip))
    yield from _of_tls(file)


def _of_tls(file: TrunksFile) -> Iterator[str]:
    """Two ways to trust one name would be one for both: connections are told apart by name."""
    first: dict[str, tuple[str, Peer]] = {}
    for who, peer in file.peers():
        if peer.transport != "tls":
            continue
        other, before = first.setdefault(peer.tls_host, (who, peer))
        if before.tls_files != peer.tls_files:
            yield (
                f"{other} and {who} have the TLS name {peer.tls_host} and differ in tls_ca, tls_cert, tls_key or "
                "tls_verify: give both the same, or one another tls_name"
            )


def _of_peer(peer: Peer) -> Iterator[str]:
    sources = [name for name in ("password", "password_file", "password_env") if getattr(peer, name)]
    if len(sources) > 1:
        yield f"{' and '.join(sources)} are both given; keep one"
    if bool(peer.username) != bool(sources):
        yield "username and a password (password, password_file or password_env) go together; one is missing"
    if not peer.auth:
        yield "auth is empty; a challenge could never be answered: leave it out, or name an algorithm"
    if peer.transport != "tls":
        given = [name for name in ("tls_ca", "tls_cert", "tls_key", "tls_name") if getattr(peer, name)]
        yield from (f'{name} means something with transport = "tls" only' for name in given)
    if (peer.tls_cert is None) != (peer.tls_key is None):
        yield "tls_cert and tls_key go together; one is missing"
    if 0 < peer.session_expires_s < _SESSION_MIN_S:
        yield f"session_expires_s must be 0 or at least {_SESSION_MIN_S} (RFC 4028), not {peer.session_expires_s}"


def _of_trunk(trunk: Trunk, file: TrunksFile) -> Iterator[str]:
    if trunk.register and not trunk.username:
        yield "register needs username and a password"
    if not trunk.prefixes:
        yield 'prefixes is empty, so that it serves no number; [""] means every number'
    if trunk.announcements and not trunk.announcement_header:
        yield "announcements are given, but no announcement_header to look for them in"
    if trunk.transport == "udp" and not any(place.startswith("udp:") for place in file.sip.listen):
        yield "it is spoken to over udp, but [sip] listen has no udp place"
    if trunk.max_cost_day or file.spend.max_cost_day:
        bare = [prefix for prefix in trunk.prefixes if longest(trunk.rates, prefix) is None]
        yield from (f"max_cost_day needs a rate for every number; there is none for prefix {one!r}" for one in bare)


def _of_agents(agents: Agents) -> Iterator[str]:
    if bool(agents.uri) == bool(agents.uris):
        yield 'give either uri = "sip:{agent}@HOST" or a table [agents.uris], one of them'
    if agents.uri and agents.uri.count("{agent}") != 1:
        yield f"uri must hold {{agent}} once, where the agent's name goes; it is {agents.uri!r}"


def _of_sip(sip: Sip) -> Iterator[str]:
    if not sip.listen:
        yield "listen is empty; nobody could answer us"
    if (sip.tls_cert is None) != (sip.tls_key is None):
        yield "tls_cert and tls_key go together; one is missing"
    if sip.tls_cert is None and any(place.startswith("tls:") for place in sip.listen):
        yield "listen has a tls place, which needs tls_cert and tls_key"
