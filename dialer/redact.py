"""Hide the secrets that addresses carry: whatever is shown, logged or told in an error goes through here."""

from __future__ import annotations

import re
from typing import Final

_IN_USER: Final = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*(?::?//|:/)[^\s:/@]*):\S+@", re.IGNORECASE)
"""To the last @ of the word: a password may hold anything but blanks, and hiding too much harms nobody. An address
whose colon or slash was forgotten holds one all the same."""
_IN_QUERY: Final = re.compile(
    r"(?P<head>[?&;](?:\w*password|passwd|pwd|\w*secret|\w*token|\w*key)=)[^&;\s'\"]+", re.IGNORECASE
)


def hide_secrets(text: str) -> str:
    """Return the text with the passwords of URLs replaced by ***."""
    return _IN_QUERY.sub(r"\g<head>***", _IN_USER.sub(r"\g<head>:***@", text))
