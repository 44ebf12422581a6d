"""The same numbered SQL on one server or on a cluster: what a statement becomes there is made from its text.

On a cluster `calls` is a Distributed table over `calls_local`, a replicated table on each server. Rows are placed by
the hash of the sorting key, so that all versions of a row meet and a replayed block goes where it went before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dialer.errors import BadInput, DialerError

LOCAL: Final = "_local"
_KEEPER_PATH: Final = "/clickhouse/tables/{shard}/{database}"
_WINDOW: Final = "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800"
"""Explicit: a server's defaults have been 100, 1,000 and 10,000 blocks, a week and an hour."""
_COMMENTS: Final = re.compile(r"^(?:\s*--[^\n]*(?:\n|$))+")
_TABLE: Final = re.compile(
    r"CREATE TABLE (?:IF NOT EXISTS )?(?P<name>\w+)(?P<body>.*)\bENGINE = (?P<engine>(?:Replacing|Aggregating|Summing)?"
    r"MergeTree)(?:\((?P<arguments>[^()]*)\))?\s+(?P<rest>.*?ORDER BY (?P<key>\([^()]*\)|\w+).*)",
    re.DOTALL,
)
_VIEW: Final = re.compile(r"CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?\w+")
_DROP_VIEW: Final = re.compile(r"DROP VIEW (?:IF EXISTS )?\w+")
_ALTER: Final = re.compile(r"ALTER TABLE (?P<name>\w+) (?P<what>.*)", re.DOTALL)
_BOTH: Final = re.compile(r"\s*(?:ADD|DROP|RENAME) COLUMN\b")
_TRUNCATE: Final = re.compile(r"TRUNCATE TABLE (?P<name>\w+)")
_WORD: Final = re.compile(r"[\w.-]+")


class Layout:
    """How tables lie: on one server (no cluster), or on all servers of a cluster."""

    def __init__(self, cluster: str = "") -> None:
        if cluster and not _WORD.fullmatch(cluster):
            raise BadInput(f"cluster {cluster!r}: a name of letters, digits, '_', '-' and '.', as in remote_servers")
        self.cluster = cluster
        self._on = f" ON CLUSTER '{cluster}'"

    @property
    def insert_settings(self) -> Mapping[str, int]:
        """Return what an insert needs besides: an answer only once every server concerned has the rows."""
        return {"distributed_foreground_insert": 1} if self.cluster else {}

    def stored(self, table: str) -> str:
        """Return the name of the table that holds the rows on a server."""
        return f"{table}{LOCAL}" if self.cluster else table

    def ledger(self, statement: str) -> str:
        """Return the statement that makes the migrations' own table: one, replicated on all servers of the cluster."""
        if not self.cluster:
            return statement
        found = _parse(statement)
        path = f"'{_KEEPER_PATH.replace('{shard}', 'all')}/{found['name']}', '{{shard}}-{{replica}}'"
        head = f"CREATE TABLE IF NOT EXISTS {found['name']}{self._on}{found['body']}"
        return f"{head}ENGINE = Replicated{found['engine']}({path}) {found['rest']}"

    def statements(self, statement: str) -> list[str]:
        """Return what a statement of a migration becomes; DialerError for one that has no form on a cluster."""
        if not self.cluster:
            return [statement]
        bare = _COMMENTS.sub("", statement).strip()
        if _TABLE.fullmatch(bare):
            return self._tables(bare)
        if found := _VIEW.match(bare) or _DROP_VIEW.match(bare):
            return [f"{found[0]}{self._on}{bare[found.end() :]}"]
        if found := _ALTER.fullmatch(bare):
            return self._altered(found["name"], found["what"])
        if found := _TRUNCATE.fullmatch(bare):
            return [f"TRUNCATE TABLE {self.stored(found['name'])}{self._on} SYNC"]
        words = " ".join(bare.split()[:6])
        raise DialerError(f"a statement that begins with {words!r} has no form on a cluster: teach it to cdr.cluster")

    def _tables(self, bare: str) -> list[str]:
        found = _parse(bare)
        name, local = found["name"], self.stored(found["name"])
        path = f"'{_KEEPER_PATH}/{name}', '{{replica}}'"
        arguments = ", ".join(filter(None, (path, found["arguments"])))
        rest = found["rest"]
        rest = f"{rest}, {_WINDOW}" if "SETTINGS" in rest else f"{rest}\nSETTINGS {_WINDOW}"
        key = found["key"].strip("()")
        head = f"CREATE TABLE IF NOT EXISTS {local}{self._on}{found['body']}"
        over = f"ENGINE = Distributed('{self.cluster}', currentDatabase(), {local}, cityHash64({key}))"
        return [
            f"{head}ENGINE = Replicated{found['engine']}({arguments})\n{rest}",
            f"CREATE TABLE IF NOT EXISTS {name}{self._on} AS {local}\n{over}",
        ]

    def _altered(self, name: str, what: str) -> list[str]:
        names = [self.stored(name), name] if _BOTH.match(what) else [self.stored(name)]
        return [f"ALTER TABLE {one}{self._on} {what}" for one in names]


def _parse(statement: str) -> dict[str, str]:
    found = _TABLE.fullmatch(statement.strip())
    if found is None:
        raise DialerError(f"not a table that a cluster can hold: {statement[:60]!r}")
    return {name: value or "" for name, value in found.groupdict().items()}
