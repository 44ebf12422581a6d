"""One script: its text with its mistakes as they are made, and what it says, to be heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from crm.scripts import RefusedScript, ScriptInfo, checked, read, save
from dialer.core.script import Prompt, Script, Speech
from dialer.core.template import Template
from dialer.errors import BadInput, NotFound
from dialer.speech import PromptFault
from web.api_prompts import MOST_TEXT
from web.deps import WebDeps
from web.i18n import Words
from web.layout import frame, heading, page_title, words_of

_STATIC: Final = Path(__file__).parents[1] / "static"


def register(deps: WebDeps) -> None:
    """Put the page at `/scripts/edit`; without a name it begins a new script with an example."""

    @ui.page("/scripts/edit")
    async def script(request: Request, name: str = "") -> None:
        words = words_of(request)
        with frame(request, words, title=name or words("scripts.new"), path="/scripts", now=deps.now()):
            ui.link(words("common.back"), "/scripts")
            page_title(name or words("scripts.new"))
            try:
                info = await read(deps.engine, name) if name else None
            except NotFound:
                ui.label(words("script.gone")).classes("notice bad").props("role=alert")
                return
            _Page(deps, words, info).build()


@dataclass(slots=True)
class _Page:
    deps: WebDeps
    words: Words
    info: ScriptInfo | None
    _name: ui.input = field(init=False)
    _text: ui.textarea = field(init=False)
    _verdict: ui.label = field(init=False)
    _save: ui.button = field(init=False)
    _heard: Element = field(init=False)
    _player: Element = field(init=False)

    def build(self) -> None:
        words, info = self.words, self.info
        text = (_STATIC / f"script.{words.lang}.toml").read_text(encoding="utf-8") if info is None else info.text
        with ui.element("div").classes("script-page"):
            with ui.element("div").classes("script-write"):
                self._name = ui.input(words("script.name"), value="" if info is None else info.name).props(
                    "outlined dense maxlength=64"
                )
                self._name.set_visibility(info is None)
                self._text = ui.textarea(words("script.text"), value=text, on_change=self._check).props(
                    "outlined autogrow debounce=400 spellcheck=false input-class=script-text"
                )
                self._verdict = ui.label().props("role=status")
                with ui.element("div"):
                    self._save = ui.button(words("script.save"), icon="save", on_click=self._keep).props("unelevated")
            with ui.element("div").classes("panel script-heard"):
                heading(words("script.prompts"), level=2)
                ui.label(words("script.prompts_hint")).classes("muted")
                self._player = ui.element("div")
                self._heard = ui.element("div").classes("script-prompts")
        self._check()

    def _check(self) -> None:
        """Say what is wrong with the text as it stands."""
        try:
            script = checked(self._text.value or "")
        except RefusedScript as error:
            self._say(error.vi if self.words.lang == "vi" else error.en, good=False)
            return
        said = self.words("script.right", n=len(script.nodes), start=script.start)
        if script.fields:
            said += " " + self.words("script.fields", names=", ".join(script.fields))
        self._say(said, good=True)
        self._show(script)

    def _say(self, text: str, *, good: bool) -> None:
        self._verdict.set_text(text)
        self._verdict.classes(replace="notice good" if good else "notice bad")
        self._save.set_enabled(good)

    def _show(self, script: Script) -> None:
        self._heard.clear()
        with self._heard:
            for name, node in script.nodes.items():
                if node.prompt is not None:
                    self._row(name, node.prompt)
                wrong = getattr(node, "wrong", None)
                if wrong is not None:
                    self._row(self.words("script.wrong", name=name), wrong)

    def _row(self, name: str, prompt: Prompt) -> None:
        words = self.words
        with ui.element("div").classes("script-prompt"):
            with ui.element("div"):
                ui.label(name).classes("tag")
                said = shown(prompt.text) if isinstance(prompt, Speech) else words("script.audio", name=prompt.name)
                ui.label(said)
            if self.deps.prompts is not None:
                button = ui.button(icon="play_arrow", on_click=lambda: self._play(prompt)).props("flat round dense")
                button.props["aria-label"] = words("script.listen", name=name)

    async def _play(self, prompt: Prompt) -> None:
        name = sample(prompt)
        if self.deps.prompts is None or len(name) > MOST_TEXT:
            return
        try:
            await self.deps.prompts.ready(name)
        except PromptFault as fault:
            why = self.words(f"fault.{fault.error.value}")
            ui.notify(self.words("script.cannot_play", why=why), type="negative")
            return
        self._player.clear()
        source = escape(f"/api/prompts?{urlencode({'name': name}, quote_via=quote)}")
        with self._player:
            ui.html(f'<audio controls autoplay src="{source}"></audio>', sanitize=False)

    async def _keep(self) -> None:
        words, known = self.words, self.info
        name = known.name if known is not None else (self._name.value or "").strip()
        text = self._text.value or ""
        try:
            based_on = known.version if known is not None else None
            version = await save(self.deps.engine, name, text, now=self.deps.now(), based_on=based_on)
        except RefusedScript as error:
            self._say(error.vi if words.lang == "vi" else error.en, good=False)
        except BadInput:
            ui.notify(words("script.name_wrong" if known is None else "script.changed"), type="negative")
        else:
            ui.notify(words("script.saved", n=version), type="positive")
            ui.navigate.to(f"/scripts/edit?name={quote(name, safe='')}")


def shown(text: Template) -> str:
    """Return a text as it was written, its fields in braces."""
    return "".join(piece if isinstance(piece, str) else f"{{{piece.name}}}" for piece in text)


def sample(prompt: Prompt) -> str:
    """Return the name of a prompt as it can be heard without a customer."""
    if not isinstance(prompt, Speech):
        return prompt.name
    names = {piece.name: piece.default or piece.name for piece in prompt.text if not isinstance(piece, str)}
    return prompt.named(names)
