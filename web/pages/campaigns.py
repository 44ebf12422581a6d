"""The first page: every campaign with its state, its buttons and its live figures."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from crm.campaigns import act, why
from crm.forecasting import read_what_if
from dialer.core.campaign import CampaignAction, CampaignState
from dialer.errors import DialerError
from web.deps import WebDeps
from web.dialogs import confirmed
from web.i18n import Words
from web.layout import frame, page_title, words_of
from web.live import CampaignView, LiveBoard, Snapshot
from web.pages.campaign_card import CampaignCard
from web.pages.forecast import play_apart, show_forecast
from web.pages.why import show_why

_ASKS_FIRST = {CampaignAction.STOP: "campaigns.stop_confirm", CampaignAction.END: "campaigns.end_confirm"}


def register(deps: WebDeps, board: LiveBoard) -> None:
    """Put the page at `/`."""

    @ui.page("/")
    async def campaigns(request: Request) -> None:
        words = words_of(request)
        with frame(request, words, title=words("campaigns.title"), path="/", now=deps.now()):
            page_title(words("campaigns.title"))
            page = _Page(deps, board, words)
            page.build(await board.current())
        board.watch()
        ui.context.client.on_delete(board.leave)
        ui.timer(1.0, page.tick)


@dataclass(slots=True)
class _Page:
    deps: WebDeps
    board: LiveBoard
    words: Words
    _cards: dict[int, CampaignCard] = field(default_factory=dict)
    _box: Element = field(init=False)
    _empty: Element = field(init=False)
    _failed: ui.label = field(init=False)
    _ended: ui.switch = field(init=False)
    _drawn: Snapshot | None = None

    def build(self, snapshot: Snapshot) -> None:
        self._failed = ui.label(self.words("common.failed")).classes("notice bad").props("role=alert")
        self._ended = ui.switch("", value=False, on_change=self._redraw).props("dense")
        self._box = ui.element("div").classes("campaigns")
        with ui.element("div").classes("panel empty") as self._empty:
            ui.label(self.words("campaigns.empty"))
            ui.label(self.words("campaigns.empty_hint"))
        self._draw(snapshot)

    def tick(self) -> None:
        """Show the latest snapshot, if there is a newer one."""
        self._failed.set_visibility(self.board.failed)
        snapshot = self.board.snapshot
        if snapshot is not None and snapshot is not self._drawn:
            self._draw(snapshot)

    def _redraw(self) -> None:
        if self._drawn is not None:
            self._draw(self._drawn)

    def _draw(self, snapshot: Snapshot) -> None:
        self._drawn = snapshot
        self._failed.set_visibility(self.board.failed)
        ended = sum(view.state is CampaignState.ENDED for view in snapshot.campaigns)
        self._ended.set_text(self.words("campaigns.show_ended", n=ended))
        self._ended.set_visibility(ended > 0)
        self._empty.set_visibility(not snapshot.campaigns)
        views = [view for view in snapshot.campaigns if self._ended.value or view.state is not CampaignState.ENDED]
        for gone in self._cards.keys() - {view.campaign_id for view in views}:
            self._cards.pop(gone).root.delete()
        for view in views:
            self._draw_one(view, snapshot.at)

    def _draw_one(self, view: CampaignView, at: float) -> None:
        card = self._cards.get(view.campaign_id)
        if card is not None:
            card.update(view, now=at)
            return
        words = Words(self.words.lang, view.settings.window.timezone)
        card = self._cards[view.campaign_id] = CampaignCard(words, self._act, self._why, self._forecast)
        with self._box:
            card.build(view)

    async def _act(self, view: CampaignView, action: CampaignAction) -> None:
        words = self.words
        if action in _ASKS_FIRST:
            question = words(_ASKS_FIRST[action], name=view.name)
            if not await confirmed(words, question, yes=words(f"action.{action}")):
                return
        try:
            await act(self.deps.engine, view.name, action, now=self.deps.now())
        except DialerError as error:
            ui.notify(str(error), type="negative")
        await self.board.refresh()
        self.tick()

    async def _forecast(self, view: CampaignView) -> None:
        waits = ui.notification(self.words("common.wait"), spinner=True, timeout=None)
        try:
            question = await read_what_if(self.deps.engine, view.name, hours=2.0, now=self.deps.now())
            came = await play_apart(question)
        except DialerError as error:
            ui.notify(str(error), type="negative")
            return
        finally:
            waits.dismiss()
        show_forecast(Words(self.words.lang, view.settings.window.timezone), came)

    async def _why(self, view: CampaignView) -> None:
        report = await why(self.deps.engine, view.name, now=self.deps.now(), examples_from=0)
        show_why(Words(self.words.lang, view.settings.window.timezone), report)
