"""Trunk adapters by name: the composition root registers them, settings choose one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dialer.errors import BadInput
from dialer.ports import Capabilities, Clock, Telephony

Factory = Callable[[Clock], Telephony]


class AdapterRegistry:
    """Open adapters by name; nothing is registered by importing a module."""

    def __init__(
        self,
        factories: Mapping[str, Factory],
        *,
        checks: Mapping[str, Callable[[], object]] | None = None,
        declares: Mapping[str, Callable[[], Capabilities]] | None = None,
    ) -> None:
        """Take the factories, `checks` that raise BadInput for settings that an adapter cannot use, and what it can."""
        self._factories = dict(factories)
        self._declares = dict(declares or {})
        self._checks = dict(checks or {})

    def names(self) -> list[str]:
        """Return the known names, sorted."""
        return sorted(self._factories)

    def factory(self, name: str) -> Factory:
        """Return what makes the adapter; raise BadInput that lists the known names."""
        factory = self._factories.get(name)
        if factory is None:
            known = ", ".join(self.names()) or "none"
            raise BadInput(f"there is no telephony adapter {name!r}; set DIALER_TRUNK to one of: {known}")
        return factory

    def check(self, name: str) -> None:
        """Raise BadInput for an unknown name, or for settings that the adapter cannot use."""
        self.factory(name)
        if name in self._checks:
            self._checks[name]()

    def capabilities(self) -> dict[str, Capabilities]:
        """Return what each adapter declares, none of them being opened; nothing for one that does not say."""
        return {name: self._declares.get(name, Capabilities)() for name in self.names()}

    def open(self, name: str, clock: Clock) -> Telephony:
        """Make the adapter on this clock; raise BadInput that lists the known names."""
        return self.factory(name)(clock)
