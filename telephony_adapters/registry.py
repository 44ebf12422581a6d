"""Trunk adapters by name: the composition root registers them, settings choose one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dialer.errors import BadInput
from dialer.ports import Telephony

Factory = Callable[[], Telephony]


class AdapterRegistry:
    """Open adapters by name; nothing is registered by importing a module."""

    def __init__(self, factories: Mapping[str, Factory]) -> None:
        self._factories = dict(factories)

    def names(self) -> list[str]:
        """Return the known names, sorted."""
        return sorted(self._factories)

    def open(self, name: str) -> Telephony:
        """Make the adapter; raise BadInput that lists the known names."""
        factory = self._factories.get(name)
        if factory is None:
            raise BadInput(f"no telephony adapter {name!r}; known: {', '.join(self.names()) or 'none'}")
        return factory()
