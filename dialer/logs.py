"""Logs: JSON lines with an `action` in a file, warnings for people on standard error; no phone number, no password."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from pathlib import Path

from dialer.redact import hide_secrets

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_PHONE = re.compile(r"(?<![\w.-])\+?\d{9,13}(?![\w-]|\.\d)")
FILE_BYTES = 10_000_000
FILES = 3


def masked(text: str) -> str:
    """Hide whatever looks like a phone number: a last net, not a licence to log one."""
    return _PHONE.sub("*****", text)


class JsonLines(logging.Formatter):
    """One JSON object a line: at (UTC epoch seconds), level, logger, action, message, then the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = {
            "at": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "action": fields.pop("action", ""),
        }
        line |= {"message": record.getMessage(), **fields}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return masked(hide_secrets(json.dumps(line, default=str, ensure_ascii=False)))


class Plain(logging.Formatter):
    """One line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
        return masked(hide_secrets(f"{record.levelname.lower()}: {record.getMessage()}{cause}"))


def set_up_logging(level: str, file: Path) -> None:
    """Send everything from `level` on to a rotating file and warnings to standard error."""
    lines = logging.handlers.RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8")
    lines.setFormatter(JsonLines())
    people = logging.StreamHandler(sys.stderr)
    people.setLevel(logging.WARNING)
    people.setFormatter(Plain())
    root = logging.getLogger()
    root.handlers[:] = [lines, people]
    root.setLevel(level.upper())
    # It tells each request at INFO, and the address of a voice service has the customer's text in it.
    logging.getLogger("httpx").setLevel(max(logging.WARNING, root.level))
