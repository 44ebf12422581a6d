"""One campaign on the screen: state, buttons and live figures that change in place."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from nicegui import ui
from nicegui.element import Element

from dialer.core.campaign import TRANSITIONS, CampaignAction, CampaignState
from dialer.core.figures import LiveFigures
from dialer.core.types import CampaignKind
from web.i18n import Words
from web.layout import heading
from web.live import CampaignView
from web.pages.chart import chart_legend, chart_options, recent

CHART_EVERY_S: Final = 5.0
NEAR_CAP: Final = 0.7
_ORDER: Final = (
    CampaignAction.APPROVE,
    CampaignAction.START,
    CampaignAction.PAUSE,
    CampaignAction.STOP,
    CampaignAction.END,
)
_ICONS: Final = {
    CampaignAction.APPROVE: "task_alt",
    CampaignAction.START: "play_arrow",
    CampaignAction.PAUSE: "pause",
    CampaignAction.STOP: "stop",
    CampaignAction.END: "flag",
}
_FIGURES: Final = (
    ("campaigns.agents", ("idle", "asked", "reserved", "talking", "wrapping", "paused")),
    ("campaigns.calls", ("ringing", "inbound", "bridged", "waiting")),
)

Act = Callable[[CampaignView, CampaignAction], Awaitable[None]]
Show = Callable[[CampaignView], Awaitable[None]]


def allowed_actions(view: CampaignView) -> tuple[CampaignAction, ...]:
    """List what a person may do to the campaign now; stopping a stopped campaign is not offered."""
    stopped = view.state is CampaignState.PAUSED and not view.resumes_by_schedule
    return tuple(
        action
        for action in _ORDER
        if (view.state, action) in TRANSITIONS and not (stopped and action is CampaignAction.STOP)
    )


def cap_level(figures: LiveFigures) -> str:
    """Say how near abandonment is to its cap: "", "near" (70 % of it) or "over"."""
    if figures.abandonment is None:
        return ""
    if figures.abandonment > figures.abandon_limit:
        return "over"
    return "near" if figures.abandonment >= NEAR_CAP * figures.abandon_limit else ""


def notice_of(view: CampaignView, words: Words) -> str:
    """Say what a person should know at once: nobody dials it, it has gone silent, its webhook is disabled."""
    said = []
    if not view.served and view.state not in {CampaignState.DRAFT, CampaignState.ENDED}:
        said.append(words("campaigns.not_served"))
    elif view.stale:
        said.append(words("campaigns.stale", at=words.at(view.figures_at)))
    if view.webhook_disabled:
        said.append(words("campaigns.webhook_disabled", reason=view.webhook_disabled))
    return " ".join(said)


@dataclass(slots=True)
class CampaignCard:
    """The elements of one campaign; `update` changes what has changed and nothing else."""

    words: Words
    act: Act
    show_why: Show
    show_forecast: Show
    root: Element = field(init=False)
    _view: CampaignView | None = None
    _values: dict[str, ui.label] = field(default_factory=dict)
    _shown_state: tuple[object, ...] = ()
    _charted_at: float = float("-inf")
    _chip: ui.label = field(init=False)
    _notice: ui.label = field(init=False)
    _buttons: Element = field(init=False)
    _body: Element = field(init=False)
    _cap: Element = field(init=False)
    _fill: Element = field(init=False)
    _chart: ui.echart = field(init=False)
    _no_chart: ui.label = field(init=False)

    def build(self, view: CampaignView) -> None:
        """Create the elements inside the current slot."""
        self._view = view
        with ui.element("section").classes("panel campaign").props(f'data-campaign="{view.campaign_id}"') as self.root:
            self._build_head(view)
            self._notice = ui.label().classes("notice").props("role=status")
            with ui.element("div").classes("campaign-body") as self._body:
                with ui.element("div").classes("campaign-left"):
                    self._build_figures()
                    self._build_cap()
                    self._build_decision()
                self._build_chart()
        self.update(view, now=view.figures_at or 0.0)

    def _build_head(self, view: CampaignView) -> None:
        with ui.element("div").classes("campaign-head"):
            with ui.element("div").classes("campaign-name"):
                heading(view.name, level=2)
                self._chip = ui.label().classes("chip")
                ui.label(self.words(f"kind.{view.settings.kind}")).classes("tag")
                self._values["resumes"] = ui.label().classes("muted")
            self._buttons = ui.element("div").classes("campaign-actions")

    def _build_figures(self) -> None:
        for title, names in _FIGURES:
            with ui.element("div"):
                heading(self.words(title), level=3)
                with ui.element("div").classes("figures"):
                    for name in names:
                        self._figure(name, f"campaigns.{name}")
                    if title == "campaigns.calls":
                        self._figure("answer_rate", "campaigns.answer_rate")
                        self._figure("occupancy", "campaigns.occupancy")

    def _figure(self, name: str, key: str) -> None:
        with ui.element("div").classes("figure"):
            self._values[name] = ui.label().classes("value").props(f"data-figure={name}")
            ui.label(self.words(key)).classes("name")

    def _build_cap(self) -> None:
        with ui.element("div").classes("cap") as self._cap:
            with ui.element("div").classes("cap-line"):
                ui.label(self.words("campaigns.abandonment"))
                self._values["abandonment"] = ui.label().classes("strong").props("data-figure=abandonment")
                self._values["cap"] = ui.label().classes("muted")
                self._values["abandoned_of"] = ui.label().classes("muted")
            with ui.element("div").classes("cap-bar").props("aria-hidden=true"):
                self._fill = ui.element("div").classes("cap-fill")

    def _build_decision(self) -> None:
        with ui.element("div").classes("decision"):
            heading(self.words("campaigns.decision"), level=3)
            self._values["dials"] = ui.label().classes("strong")
            self._values["reason"] = ui.label().props("data-figure=reason")
            self._values["detail"] = ui.label().classes("muted")

    def _build_chart(self) -> None:
        with ui.element("div").classes("chart-box"):
            heading(self.words("campaigns.chart"), level=3)
            with ui.element("div").classes("legend"):
                for text, tint in chart_legend(self.words):
                    with ui.element("span"):
                        ui.element("i").style(f"background: {tint}")
                        ui.label(text)
            self._chart = ui.echart(chart_options([], self.words)).classes("chart")
            self._no_chart = ui.label(self.words("campaigns.chart_empty")).classes("empty")

    def update(self, view: CampaignView, *, now: float) -> None:
        """Show the campaign as it is now."""
        self._view = view
        state = (view.state, view.resumes_by_schedule, view.settings.kind)
        if state != self._shown_state:
            self._shown_state = state
            self._show_state(view)
        self._show_notice(view)
        self._body.set_visibility(view.figures is not None)
        if view.figures is not None:
            self._show_figures(view.figures)
            self._show_chart(view.figures, now)

    def _show_state(self, view: CampaignView) -> None:
        self._chip.set_text(self.words(f"state.{view.state}"))
        self._chip.classes(replace=f"chip {view.state}")
        paused = view.state is CampaignState.PAUSED
        key = "campaigns.resumes" if view.resumes_by_schedule else "campaigns.waits"
        self._values["resumes"].set_text(self.words(key) if paused else "")
        self._buttons.clear()
        with self._buttons:
            for action in allowed_actions(view):
                self._button(action)
            ui.button(self.words("campaigns.why"), icon="help_outline", on_click=self._why).props("flat dense no-caps")
            if view.settings.kind not in {CampaignKind.AUTODIALER, CampaignKind.INBOUND}:
                what_if = ui.button(self.words("campaigns.forecast"), icon="insights", on_click=self._forecast)
                what_if.props("flat dense no-caps")
            ui.link(self.words("campaigns.leads"), f"/leads?campaign={view.campaign_id}").classes("self-center")

    def _button(self, action: CampaignAction) -> None:
        async def press() -> None:
            if self._view is not None:
                await self.act(self._view, action)

        is_main = action in {CampaignAction.APPROVE, CampaignAction.START}
        look = "unelevated" if is_main else ("outline" if action is not CampaignAction.END else "flat")
        colour = "primary" if is_main else "dark"
        ui.button(self.words(f"action.{action}"), icon=_ICONS[action], on_click=press, color=colour).props(
            f"{look} dense no-caps data-action={action}"
        )

    async def _why(self) -> None:
        if self._view is not None:
            await self.show_why(self._view)

    async def _forecast(self) -> None:
        if self._view is not None:
            await self.show_forecast(self._view)

    def _show_notice(self, view: CampaignView) -> None:
        text = notice_of(view, self.words)
        self._notice.set_text(text)
        self._notice.set_visibility(bool(text))

    def _show_figures(self, figures: LiveFigures) -> None:
        words, values = self.words, self._values
        for _, names in _FIGURES:
            for name in names:
                values[name].set_text(words.number(getattr(figures, name)))
        values["answer_rate"].set_text(words.share(figures.answer_rate, 0))
        values["occupancy"].set_text(words.share(figures.occupancy, 0))
        self._show_cap(figures)
        dials = (
            words("campaigns.dials", n=words.number(figures.dials)) if figures.dials else words("campaigns.dials_none")
        )
        values["dials"].set_text(dials[0].upper() + dials[1:])
        values["reason"].set_text(self._reason(figures))
        values["detail"].set_text(figures.detail)

    def _show_cap(self, figures: LiveFigures) -> None:
        words, values = self.words, self._values
        values["abandonment"].set_text(words.share(figures.abandonment, 2))
        values["cap"].set_text(words("campaigns.of_cap", cap=words.share(figures.abandon_limit)))
        counts = {"n": words.number(figures.abandoned), "total": words.number(figures.answered)}
        values["abandoned_of"].set_text(words("campaigns.abandoned_of", **counts))
        self._cap.classes(replace=f"cap {cap_level(figures)}")
        share = 0.0
        if figures.abandonment is not None and figures.abandon_limit > 0:
            share = min(1.0, figures.abandonment / figures.abandon_limit)
        self._fill.style(f"width: {share:.0%}")

    def _reason(self, figures: LiveFigures) -> str:
        if figures.reason is None:
            return self.words("campaigns.unlimited")
        said = self.words("campaigns.limited_by", reason=self.words(f"hold.{figures.reason}"))
        if figures.next_open_at is None:
            return said
        return f"{said}. {self.words('campaigns.opens_at', at=self.words.at(figures.next_open_at))}"

    def _show_chart(self, figures: LiveFigures, now: float) -> None:
        if time.monotonic() - self._charted_at < CHART_EVERY_S:
            return
        self._charted_at = time.monotonic()
        samples = recent(figures.samples, now=now)
        self._chart.set_visibility(bool(samples))
        self._no_chart.set_visibility(not samples)
        self._chart.options.update(chart_options(samples, self.words))
        self._chart.update()
