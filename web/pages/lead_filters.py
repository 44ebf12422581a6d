"""The filters of the lead screen; they take effect on the button Bộ Lọc alone (S0-18)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from nicegui import ui

from crm.leads import LeadOrder, campaigns_with_leads, lists_with_leads
from statuses.catalog import code, label
from statuses.outcomes import CallStatus
from web.deps import WebDeps
from web.i18n import Words

_ORDERS: Final = {
    LeadOrder.DEFAULT: "order.default",
    LeadOrder.NEWEST: "order.newest",
    LeadOrder.LAST_CALL: "order.last_call",
    LeadOrder.LAST_STATUS: "order.last_status",
    LeadOrder.NAME: "order.name",
}
ALL: Final = 0
"""The choice that filters nothing; no id is 0."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader chose; None and "" mean all."""

    phone: str = ""
    campaign_id: int | None = None
    list_id: int | None = None
    status: str | None = None
    """A CallStatus value, or the code NEW for leads that were not called."""
    order: LeadOrder = LeadOrder.DEFAULT

    def with_order(self, order: LeadOrder) -> Self:
        """Return the same filters in another order."""
        return replace(self, order=order)


@dataclass(slots=True)
class FilterBar:
    """The five fields and the button; `apply` gets what is chosen when the button (or Enter) is pressed."""

    deps: WebDeps
    words: Words
    wanted: Wanted
    apply: Callable[[Wanted], Awaitable[None]]
    _phone: ui.input = field(init=False)
    _campaign: ui.select = field(init=False)
    _list: ui.select = field(init=False)
    _status: ui.select = field(init=False)
    _order: ui.select = field(init=False)

    async def build(self) -> None:
        """Create the fields with the choices that have lead data (S0-4, S0-5)."""
        words, wanted = self.words, self.wanted
        with (
            ui.element("form")
            .classes("panel filters")
            .props(f'aria-label="{words("leads.filters")}"')
            .on("submit", self._press, js_handler="(event) => { event.preventDefault(); emit(); }")
        ):
            self._phone = ui.input(words("leads.filter_phone"), value=wanted.phone)
            self._phone.props("outlined dense clearable inputmode=tel autocomplete=off")
            self._campaign = self._select("filter_campaign", await self._campaigns(), wanted.campaign_id)
            self._campaign.on_value_change(self._campaign_changed)
            self._list = self._select("filter_list", await self._lists(), wanted.list_id)
            self._status = self._select("filter_status", self._statuses(), wanted.status)
            orders = {order: words(key) for order, key in _ORDERS.items()}
            self._order = ui.select(orders, value=wanted.order, label=words("leads.filter_order"))
            self._order.props("outlined dense options-dense")
            ui.button(words("leads.filter_button"), icon="filter_alt").props("unelevated no-caps type=submit")

    def _select(self, key: str, choices: dict[Any, str], value: Any) -> ui.select:
        options = {ALL: self.words("leads.all"), **choices}
        chosen = value if value in options else ALL
        return ui.select(options, value=chosen, label=self.words(f"leads.{key}")).props("outlined dense options-dense")

    async def _campaigns(self) -> dict[int, str]:
        return {found.id: found.name for found in await campaigns_with_leads(self.deps.engine)}

    async def _lists(self) -> dict[int, str]:
        if self._campaign.value == ALL:
            return {}
        return {found.id: found.name for found in await lists_with_leads(self.deps.engine, self._campaign.value)}

    def _statuses(self) -> dict[str, str]:
        found: dict[str, str] = {status.value: _status_text(status, self.words) for status in CallStatus}
        return {**found, code(None): _status_text(None, self.words)}

    async def _campaign_changed(self) -> None:
        self._list.set_options({ALL: self.words("leads.all"), **await self._lists()}, value=ALL)

    async def _press(self) -> None:
        await self.apply(self.chosen())

    def chosen(self) -> Wanted:
        """Return what the fields say; a campaign or list that is no longer there has become "all"."""
        return Wanted(
            phone=(self._phone.value or "").strip(),
            campaign_id=self._campaign.value or None,
            list_id=self._list.value or None,
            status=self._status.value or None,
            order=self._order.value,
        )


def _status_text(status: CallStatus | None, words: Words) -> str:
    return f"{label(status, words.lang)} ({code(status)})"
