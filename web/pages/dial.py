"""Gọi điện: a number pad, the agent's live call, and the screen of the customer who was dialed (S2-13, S2-14)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from crm.calling import CallNow, ask, dialable_campaigns, read_call, read_request
from crm.leads import need_lead
from dialer.core.figures import AgentNow
from dialer.errors import DialerError, NotFound
from dialer.requests import Wanted
from web.deps import WebDeps
from web.desk_words import agent_state, refusal
from web.i18n import Words
from web.layout import frame, page_title, words_of
from web.live import CampaignView, LiveBoard
from web.pages.customer_add import ask_for_customer
from web.pages.dialed import CustomerScreen
from web.pages.live_call import LiveCall

REFRESH_S: Final = 1.0
KEYS: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "+", "0", "⌫")
_REMEMBERED_MAX: Final = 500


class Desk(NamedTuple):
    """Whose desk a reader dials from."""

    campaign: str = ""
    agent: str = ""


def register(deps: WebDeps, board: LiveBoard) -> None:
    """Put the page at `/dial`; `?lead=ID` and `?call=ID` open it with that customer's number."""
    remembered: OrderedDict[str, Desk] = OrderedDict()

    @ui.page("/dial", response_timeout=20.0)
    async def dial(request: Request, lead: int | None = None, call: str | None = None) -> None:
        words = words_of(request)
        reader = str(request.session.get("sid", ""))
        page = _Page(deps, board, words, str(request.session.get("user", "")), remembered, reader)
        with frame(request, words, title=words("dial.title"), path="/dial", now=deps.now()):
            page_title(words("dial.title"), words("dial.subtitle"))
            built = await page.build(*await _whom(deps, lead, call))
        board.watch()
        ui.context.client.on_delete(board.leave)
        if built:
            ui.timer(REFRESH_S, page.refresh)


async def _whom(deps: WebDeps, lead_id: int | None, call_id: str | None) -> tuple[str, int | None, str]:
    """Return the number, the lead and the campaign that the address means; empty for none."""
    call = None if call_id is None else await read_call(deps.engine, call_id)
    try:
        lead = await need_lead(deps.engine, call.lead_id if call is not None else lead_id or 0)
    except NotFound:
        return ("" if call is None else call.phone), None, ""
    return lead.phone, lead.lead_id, lead.campaign


@dataclass(slots=True, repr=False)
class _Page:
    deps: WebDeps
    board: LiveBoard
    words: Words
    author: str
    remembered: OrderedDict[str, Desk]
    reader: str
    _campaign: Any = None
    _agent: Any = None
    _number: Any = None
    _message: ui.label = field(init=False)
    _live: LiveCall = field(init=False)
    _screen: CustomerScreen = field(init=False)
    _box: Element = field(init=False)
    _request: int | None = None
    _call: str | None = None
    _lead: int | None = None

    async def build(self, phone: str, lead_id: int | None, campaign: str) -> bool:
        """Create the elements; False when there is no campaign to dial in."""
        found = [one.name for one in await dialable_campaigns(self.deps.engine, now=self.deps.now())]
        if not found:
            with ui.element("section").classes("panel empty"):
                ui.label(self.words("dial.none"))
                ui.label(self.words("dial.none_hint")).classes("muted")
            return False
        await self.board.current()
        desk = self.remembered.get(self.reader, Desk())
        chosen = next((name for name in (campaign, desk.campaign) if name in found), found[0])
        with ui.element("div").classes("dial-grid"):
            self._build_pad(found, chosen, desk.agent, phone)
            with ui.element("div").classes("dial-side"):
                self._live = LiveCall(self.words, self._order)
                self._live.build()
                self._box = ui.element("div")
        self._screen = CustomerScreen(self.deps, self.words, self.author, self._box, self._call_lead)
        if lead_id is not None:
            self._lead = lead_id
            await self._screen.show(lead_id, self._view())
        await self.refresh()
        return True

    def _build_pad(self, campaigns: list[str], chosen: str, agent: str, phone: str) -> None:
        words = self.words
        with ui.element("section").classes("panel dial-pad").props(f'aria-label="{words("dial.pad")}"'):
            self._campaign = ui.select(campaigns, value=chosen, label=words("dial.campaign"), on_change=self._other)
            self._agent = ui.select({agent: agent} if agent else {}, value=agent or None, label=words("dial.agent"))
            for select in (self._campaign, self._agent):
                select.props("outlined dense options-dense")
            self._number = ui.input(words("dial.number"), value=phone).props(
                "outlined dense inputmode=tel autocomplete=off maxlength=20"
            )
            self._number.on("keydown.enter", self._dial)
            with ui.element("div").classes("dial-keys"):
                for key in KEYS:
                    self._key(key)
            go = ui.button(words("dial.call"), icon="call", on_click=self._dial, color="positive")
            go.props("unelevated no-caps").classes("dial-go")
            ui.button(words("dial.add"), icon="person_add", on_click=self._add).props("flat no-caps color=dark")
            self._message = ui.label().classes("notice").props("role=status")
            self._message.set_visibility(False)

    def _key(self, key: str) -> None:
        button = ui.button(key, on_click=lambda: self._press(key)).props("outline no-caps color=dark")
        if key == KEYS[-1]:
            button.props(f'aria-label="{self.words("dial.erase")}"')

    def _press(self, key: str) -> None:
        typed = str(self._number.value or "")
        self._number.set_value(typed[:-1] if key == KEYS[-1] else typed + key)

    def _view(self) -> CampaignView | None:
        snapshot = self.board.snapshot
        name = self._campaign.value
        return next((one for one in snapshot.campaigns if one.name == name), None) if snapshot else None

    def _agents(self) -> tuple[AgentNow, ...]:
        view = self._view()
        return () if view is None or view.figures is None or not view.served else view.figures.agents

    def _other(self) -> None:
        self._call = self._request = None

    async def _add(self) -> None:
        campaign, phone = str(self._campaign.value or ""), str(self._number.value or "")
        lead_id = await ask_for_customer(self.deps, self.words, campaign=campaign, phone=phone)
        if lead_id is not None:
            ui.notify(self.words("dial.added"), type="positive")
            self._lead = lead_id
            await self._screen.show(lead_id, self._view())

    async def _dial(self) -> None:
        await self._order("dial", phone=str(self._number.value or ""))

    async def _call_lead(self, lead_id: int) -> None:
        await self._order("dial", lead_id=lead_id)

    async def _order(self, action: Any, **more: Any) -> None:
        """Ask something of the chosen agent's desk; the answer comes with a later refresh."""
        desk = Desk(str(self._campaign.value or ""), str(self._agent.value or ""))
        self._remember(desk)
        wanted = msgspec.structs.replace(Wanted(action, desk.agent), **more)
        try:
            self._request = await ask(self.deps.engine, desk.campaign, wanted, author=self.author, now=self.deps.now())
        except DialerError as error:
            self._say(str(error), bad=True)
            return
        self._say(self.words("dial.asked"))

    def _remember(self, desk: Desk) -> None:
        self.remembered[self.reader] = desk
        self.remembered.move_to_end(self.reader)
        while len(self.remembered) > _REMEMBERED_MAX:
            self.remembered.popitem(last=False)

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._message.set_text(text)
        self._message.set_visibility(bool(text))
        self._message.classes(add="bad" if bad else "", remove="" if bad else "bad")

    async def refresh(self) -> None:
        """Show what has come of the request, what the agent is doing, and whom they talk with."""
        self._show_agents()
        if self._request is not None:
            await self._hear(self._request)
        agent = next((one for one in self._agents() if one.agent_id == self._agent.value), None)
        if agent is not None and agent.call_id is not None:
            self._call = agent.call_id
        call = None if self._call is None else await read_call(self.deps.engine, self._call)
        others = [one.agent_id for one in self._agents() if one.state == "ready" and one is not agent]
        self._live.show(call, agent, others, now=self.deps.now())
        await self._show_customer(call, agent)

    async def _show_customer(self, call: CallNow | None, agent: AgentNow | None) -> None:
        lead_id = call.lead_id if call is not None else None if agent is None else agent.lead_id
        if lead_id is not None and lead_id != self._lead:
            self._lead = lead_id
            await self._screen.show(lead_id, self._view())

    def _show_agents(self) -> None:
        options = {one.agent_id: f"{one.agent_id} · {agent_state(one.state, self.words)}" for one in self._agents()}
        if self._agent.value and self._agent.value not in options:
            options[self._agent.value] = self._agent.value
        if options != self._agent.options:
            value = self._agent.value or (next(iter(options)) if len(options) == 1 else None)
            self._agent.set_options(options, value=value)
        if not options:
            self._say(self.words("dial.no_agents"))

    async def _hear(self, request_id: int) -> None:
        found = await read_request(self.deps.engine, request_id, now=self.deps.now())
        if found.state == "refused":
            self._request = None
            self._say(self.words("dial.refused", why=refusal(found.code or "", self.words)), bad=True)
        elif found.state == "done":
            self._request = None
            self._call = self._call if found.call is None else found.call.call_id
            self._say("")
