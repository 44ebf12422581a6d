"""The agent's call as it goes on, and what can be done to it: end, hold, give away, and its result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.element import Element

from crm.calling import CallNow, Stage
from dialer.core.figures import AgentNow
from statuses.catalog import label
from statuses.lead import Trigger
from statuses.outcomes import CallStatus
from web.i18n import Words
from web.layout import heading

Order = Callable[..., Awaitable[None]]
"""Ask the agent's desk for an action, with the fields of `Wanted` that it needs."""


@dataclass(slots=True)
class LiveCall:
    """The panel; `show` brings it up to date."""

    words: Words
    order: Order
    _stage: ui.label = field(init=False)
    _about: ui.label = field(init=False)
    _buttons: dict[str, ui.button] = field(default_factory=dict)
    _give: Element = field(init=False)
    _to: Any = None
    _result: Element = field(init=False)
    _callback: Any = None
    _note: Any = None

    def build(self) -> None:
        """Create the elements inside the current slot."""
        words = self.words
        with ui.element("section").classes("panel dial-live"):
            heading(words("dial.live"), level=2)
            with ui.element("div").classes("dial-state").props("role=status data-role=stage"):
                self._stage = ui.label(words("dial.idle")).classes("stage")
                self._about = ui.label().classes("muted num")
            with ui.element("div").classes("dial-actions"):
                self._button("hang_up", "call_end", "negative")
                self._button("hold", "pause", "dark")
                self._button("resume", "play_arrow", "dark")
                with ui.element("div").classes("dial-actions") as self._give:
                    self._to = ui.select([], label=words("dial.give")).props("outlined dense options-dense")
                    self._to.style("min-width: 150px")
                    self._button("transfer", "phone_forwarded", "dark", self._transfer)
            self._build_result()

    def _button(self, action: str, icon: str, color: str, press: Any = None) -> None:
        button = ui.button(
            self.words(f"dial.{action}"), icon=icon, color=color, on_click=press or (lambda: self.order(action))
        )
        self._buttons[action] = button.props("no-caps " + ("unelevated" if action == "hang_up" else "outline"))
        button.set_visibility(False)

    def _build_result(self) -> None:
        words = self.words
        with ui.element("div").classes("dial-result") as self._result:
            heading(words("dial.result"), level=3)
            self._note = ui.textarea(words("dial.note")).props("outlined dense autogrow maxlength=2000")
            self._callback = ui.input(words("dial.callback_at")).props("outlined dense type=datetime-local stack-label")
            with ui.element("div").classes("dial-actions"):
                for key, trigger in (
                    ("dial.success", Trigger.ANSWERED),
                    ("dial.callback", Trigger.CALLBACK_ASKED),
                    ("dial.no_recall", Trigger.DO_NOT_RECALL),
                ):
                    ui.button(words(key), on_click=lambda _, trigger=trigger: self._settle(trigger)).props(
                        "outline no-caps color=dark"
                    )
        self._result.set_visibility(False)

    async def _transfer(self) -> None:
        if self._to.value:
            await self.order("transfer", to_agent=str(self._to.value))

    async def _settle(self, trigger: Trigger) -> None:
        at = _moment(str(self._callback.value or ""), self.words.zone)
        if trigger is Trigger.CALLBACK_ASKED and at is None:
            ui.notify(self.words("dial.callback_when"), type="warning")
            return
        note = str(self._note.value or "").strip() or None
        await self.order(
            "wrap_up", trigger=trigger, note=note, callback_at=at if trigger is Trigger.CALLBACK_ASKED else None
        )
        self._note.set_value("")

    def show(self, call: CallNow | None, agent: AgentNow | None, others: Sequence[str], *, now: float) -> None:
        """Show the call, and the buttons that make sense now."""
        mine = call is not None and agent is not None and agent.call_id == call.call_id
        stage = None if call is None else call.stage
        self._stage.set_text(self._said(call, agent))
        self._about.set_text("" if call is None else f"{call.phone} · {self._length(call, now)}")
        talking = mine and stage is Stage.TALKING
        self._buttons["hang_up"].set_visibility(mine and stage is not Stage.ENDED)
        for action in ("hold", "resume", "transfer"):
            self._buttons[action].set_visibility(talking)
        self._give.set_visibility(talking)
        if list(others) != self._to.options:
            self._to.set_options(list(others), value=self._to.value if self._to.value in others else None)
        self._result.set_visibility(agent is not None and agent.state == "wrap_up")

    def _said(self, call: CallNow | None, agent: AgentNow | None) -> str:
        if call is None:
            offered = agent is not None and agent.state == "ringing"
            return self.words("dial.offered" if offered else "dial.idle")
        if call.status is None:
            return self.words(f"dial.stage_{call.stage}")
        return f"{self.words('dial.stage_ended')}: {label(CallStatus(call.status), self.words.lang)}"

    def _length(self, call: CallNow, now: float) -> str:
        since = call.bridged_at or call.began_at
        return self.words.duration((call.ended_at or now) - since)


def _moment(text: str, zone: str) -> float | None:
    """Read what a browser's date and time field says, in the zone that the page shows."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
    except ValueError:
        return None
