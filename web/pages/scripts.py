"""The scripts: what there is, who follows it, and the way to write one."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from crm.scripts import ScriptInfo, delete, listed
from dialer.errors import DialerError
from web.deps import WebDeps
from web.dialogs import confirmed
from web.i18n import Words
from web.layout import frame, heading, page_title, words_of


def register(deps: WebDeps) -> None:
    """Put the page at `/scripts`."""

    @ui.page("/scripts")
    async def scripts(request: Request) -> None:
        words = words_of(request)
        with frame(request, words, title=words("scripts.title"), path="/scripts", now=deps.now()):
            page_title(words("scripts.title"), words("scripts.subtitle"))
            with ui.element("div"):
                ui.button(words("scripts.new"), icon="add", on_click=lambda: ui.navigate.to("/scripts/edit")).props(
                    "unelevated"
                )
            page = _Page(deps, words)
            page.build(await listed(deps.engine))


@dataclass(slots=True)
class _Page:
    deps: WebDeps
    words: Words
    _box: Element = field(init=False)

    def build(self, found: list[ScriptInfo]) -> None:
        self._box = ui.element("div").classes("campaigns")
        self._draw(found)

    def _draw(self, found: list[ScriptInfo]) -> None:
        self._box.clear()
        with self._box:
            for info in found:
                self._card(info)
            if not found:
                with ui.element("div").classes("panel empty"):
                    ui.label(self.words("scripts.empty"))

    def _card(self, info: ScriptInfo) -> None:
        words = self.words
        with ui.element("section").classes("panel script-row"):
            with ui.element("div").classes("script-what"):
                heading(info.name, level=2)
                saved = words("scripts.saved_at", at=words.at(info.saved_at))
                ui.label(f"{words('scripts.version', n=info.version)}, {saved}").classes("muted")
                used = words("scripts.used_by", names=", ".join(info.campaigns))
                ui.label(used if info.campaigns else words("scripts.unused")).classes("muted")
            with ui.element("div").classes("script-do"):
                ui.button(
                    words("common.edit"),
                    icon="edit",
                    on_click=lambda: ui.navigate.to(f"/scripts/edit?name={quote(info.name, safe='')}"),
                ).props("outline dense")
                ui.button(words("common.delete"), icon="delete", on_click=lambda: self._delete(info)).props(
                    "flat dense color=negative"
                )

    async def _delete(self, info: ScriptInfo) -> None:
        words, names = self.words, ", ".join(info.campaigns)
        key = "scripts.delete_used" if info.campaigns else "scripts.delete_text"
        question = words(key, name=info.name, names=names)
        title = words("scripts.delete_title")
        if not await confirmed(words, question, yes=words("common.delete"), title=title, danger=True):
            return
        try:
            await delete(self.deps.engine, info.name, now=self.deps.now())
            ui.notify(words("scripts.deleted"), type="positive")
        except DialerError:
            ui.notify(words("script.changed"), type="negative")
        self._draw(await listed(self.deps.engine))
