"""Read a script from TOML: every mistake is told by its node and key, in Vietnamese and in English."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from dialer.core.script import (
    DIGITS,
    LANGUAGES,
    Audio,
    End,
    Gather,
    Node,
    Play,
    Prompt,
    RecordMessage,
    Script,
    Speech,
    Transfer,
)
from dialer.core.script_paths import broken_paths
from dialer.core.template import BadTemplate, parse_template
from statuses.outcomes import LocalError

MAX_NODES: Final = 100
_AUDIO: Final = re.compile(r"\w[\w.-]{0,79}")
_PROMPT: Final = ("say", "audio", "language")
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "play": (*_PROMPT, "next"),
    "gather": (
        *_PROMPT, "keys", "otherwise", "wrong_say", "wrong_audio", "timeout_s", "repeats", "barge"
    ),
    "transfer": _PROMPT,
    "record": (*_PROMPT, "next", "limit_s"),
    "hangup": _PROMPT,
}  # fmt: skip


class BadScript(ValueError):
    """The script cannot be followed; `vi` and `en` say which node and key, and what to do."""

    def __init__(self, vi: str, en: str, *, error: LocalError = LocalError.SCRIPT) -> None:
        super().__init__(en)
        self.vi = vi
        self.en = en
        self.error = error


def parse_script(text: str) -> Script:
    """Read and check a script; raise BadScript for the first mistake.

    Refused: unknown keys, targets that are not there, nodes that are never reached, and circles that neither a key
    nor an end ever leaves.
    """
    table = _toml(text)
    language = _language(table.pop("language", "vi"), "language")
    start, tables = table.pop("start", None), table.pop("nodes", None)
    if table:
        unknown = next(iter(table))
        raise BadScript(
            f"khoá {unknown!r}: không có khoá này; ở ngoài các nút chỉ có language, start và nodes",
            f"key {unknown!r}: there is no such key; outside the nodes there are language, start and nodes",
        )
    if not isinstance(tables, dict) or not tables or len(tables) > MAX_NODES:
        raise BadScript(
            f"nodes: kịch bản cần từ 1 đến {MAX_NODES} nút, ví dụ [nodes.chao]",
            f"nodes: a script has 1 to {MAX_NODES} nodes, as [nodes.hello]",
        )
    nodes = {name: _node(name, content, language) for name, content in tables.items()}
    first = next(iter(nodes)) if start is None else start
    script = Script(nodes, str(first))
    for vi, en in broken_paths(script):
        raise BadScript(vi, en)
    return script


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadScript(f"sai cú pháp TOML: {error}", f"not TOML: {error}") from error


def _language(value: object, where: str) -> str:
    if value not in LANGUAGES:
        raise BadScript(
            f"{where}: ngôn ngữ là một trong {', '.join(LANGUAGES)}, không phải {value!r}",
            f"{where}: the language is one of {', '.join(LANGUAGES)}, not {value!r}",
        )
    return str(value)


def _node(name: str, content: object, language: str) -> Node:
    if not isinstance(content, dict):
        raise BadScript(
            f"nút {name!r}: phải là một bảng [nodes.{name}]", f"node {name!r}: must be a table [nodes.{name}]"
        )
    keys = _Keys(name, content, language)
    match keys.kind():
        case "play":
            return Play(keys.needed_prompt(), keys.target("next"))
        case "gather":
            return _gather(keys)
        case "transfer":
            return Transfer(keys.prompt())
        case "record":
            return RecordMessage(keys.prompt(), keys.target("next"), keys.number("limit_s", 60.0, 1.0, 600.0))
        case _:
            return End(keys.prompt())


def _gather(keys: _Keys) -> Gather:
    return Gather(
        keys.needed_prompt(),
        keys.branches(),
        keys.target("otherwise"),
        keys.prompt("wrong_"),
        keys.number("timeout_s", 5.0, 1.0, 60.0),
        keys.whole("repeats", 2, 0, 9),
        keys.flag("barge", default=True),
    )


class _Keys:
    """One node's table, read key by key."""

    def __init__(self, node: str, content: Mapping[str, Any], language: str) -> None:
        self._node = node
        self._content = content
        self._language = language

    def kind(self) -> str:
        found = str(self._content.get("do"))
        if found not in _KEYS:
            names = ", ".join(_KEYS)
            raise self._bad("do", f"phải là một trong: {names}", f"must be one of: {names}")
        for key in self._content:
            if key != "do" and key not in _KEYS[found]:
                names = ", ".join(_KEYS[found])
                raise self._bad(
                    key,
                    f"nút {found} không có khoá này; có: {names}",
                    f"a {found} node has no such key; it has: {names}",
                )
        return found

    def prompt(self, prefix: str = "") -> Prompt | None:
        say, audio = self._text(f"{prefix}say"), self._text(f"{prefix}audio")
        if say is not None and audio is not None:
            raise self._bad(
                f"{prefix}audio", f"chỉ dùng một trong {prefix}say và {prefix}audio",
                f"give {prefix}say or {prefix}audio, not both",
            )  # fmt: skip
        if audio is not None:
            return self._audio(f"{prefix}audio", audio)
        return None if say is None else self._speech(f"{prefix}say", say)

    def needed_prompt(self) -> Prompt:
        found = self.prompt()
        if found is None:
            raise self._bad(
                "say", "cần say (văn bản) hoặc audio (tên tệp)", "say (a text) or audio (a file's name) is needed"
            )
        return found

    def target(self, key: str) -> str | None:
        return self._text(key)

    def branches(self) -> dict[str, str]:
        found = self._content.get("keys")
        if not isinstance(found, dict) or not found:
            raise self._bad(
                "keys", 'cần ít nhất một phím, ví dụ { 1 = "menu" }', 'at least one key is needed, as { 1 = "menu" }'
            )
        for digit, node in found.items():
            if len(digit) != 1 or digit not in DIGITS:
                raise self._bad(
                    f"keys.{digit}", "chỉ có phím 0 đến 9; * và # luôn là phím sai",
                    "keys are 0 to 9; * and # are always wrong ones",
                )  # fmt: skip
            if not isinstance(node, str):
                raise self._bad(f"keys.{digit}", "phải là tên một nút", "must be the name of a node")
        return dict(found)

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self._bad(
                key,
                f"là số từ {low:g} đến {high:g}, không phải {value!r}",
                f"is a number from {low:g} to {high:g}, not {value!r}",
            )
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.number(key, default, low, high)
        if not value.is_integer():
            raise self._bad(key, f"là số nguyên, không phải {value:g}", f"is a whole number, not {value:g}")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._content.get(key, default)
        if not isinstance(value, bool):
            raise self._bad(key, f"là true hoặc false, không phải {value!r}", f"is true or false, not {value!r}")
        return value

    def _text(self, key: str) -> str | None:
        value = self._content.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self._bad(key, f"phải là văn bản, không phải {value!r}", f"must be a text, not {value!r}")
        return value.strip()

    def _audio(self, key: str, name: str) -> Audio:
        if not _AUDIO.fullmatch(name):
            raise self._bad(
                key, f"{name!r} không phải tên tệp trong thư viện (chữ, số, dấu . _ -; không có đường dẫn)",
                f"{name!r} is no name of the audio library (letters, digits, . _ -; no folders)",
            )  # fmt: skip
        return Audio(name)

    def _speech(self, key: str, text: str) -> Speech:
        language = _language(self._content.get("language", self._language), f"node {self._node!r}, key 'language'")
        try:
            return Speech(parse_template(text), language)
        except BadTemplate as error:
            raise self._bad(key, error.vi, error.en, error=LocalError.TEMPLATE) from error

    def _bad(self, key: str, vi: str, en: str, *, error: LocalError = LocalError.SCRIPT) -> BadScript:
        return BadScript(
            f"nút {self._node!r}, khoá {key!r}: {vi}", f"node {self._node!r}, key {key!r}: {en}", error=error
        )
