"""`dialer script`: write, check and keep the scripts that autodialer campaigns follow; hear what they say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands.context import StoreContext, print_json, settings, with_store
from dialer.errors import BadInput

if TYPE_CHECKING:
    from crm.scripts import ScriptInfo
    from dialer.core.script import Script

app = typer.Typer(no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="The script's name.", show_default=False)]
_File = Annotated[Path, typer.Argument(help="A TOML file (docs/scripts.md).", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command("check")
def check_command(file: _File, as_json: _Json = False) -> None:
    """Say whether a file is a script, or which node and key of it are wrong; nothing is saved."""
    from crm.scripts import checked

    _show_script(checked(_read(file)), as_json=as_json)


@app.command("add")
def add_command(name: _Name, file: _File, as_json: _Json = False) -> None:
    """Save a file as a script, or as the next version of one; running campaigns follow it within a second."""
    from crm.scripts import checked, save

    text = _read(file)
    script = checked(text)

    async def work(store: StoreContext) -> int:
        return await save(store.engine, name, text, now=store.now())

    version = with_store(work)
    if as_json:
        print_json({"name": name, "version": version})
        return
    typer.echo(
        f"script {name!r} is version {version} now; a campaign follows it: dialer campaign set NAME script={name}"
    )
    _say_missing(script)


@app.command("list")
def list_command(as_json: _Json = False) -> None:
    """List the scripts, and the campaigns that follow them."""

    async def work(store: StoreContext) -> list[ScriptInfo]:
        from crm.scripts import listed

        return await listed(store.engine)

    found = with_store(work)
    if as_json:
        print_json([{"name": one.name, "version": one.version, "campaigns": one.campaigns} for one in found])
        return
    for one in found:
        followed = ", ".join(one.campaigns) or "no campaign"
        typer.echo(f"{one.name}  version {one.version}  {followed}")
    if not found:
        typer.echo("there is no script yet; `dialer script add NAME FILE.toml` saves one")


@app.command("show")
def show_command(
    name: _Name,
    version: Annotated[int | None, typer.Option(help="An earlier version.", show_default="the last")] = None,
) -> None:
    """Print a script as it was written."""

    async def work(store: StoreContext) -> ScriptInfo:
        from crm.scripts import read

        return await read(store.engine, name, version)

    typer.echo(with_store(work).text, nl=False)


@app.command("delete")
def delete_command(name: _Name, as_json: _Json = False) -> None:
    """Delete a script; campaigns that follow it call nobody until they have another. Its versions are kept."""

    async def work(store: StoreContext) -> ScriptInfo:
        from crm.scripts import delete

        return await delete(store.engine, name, now=store.now())

    gone = with_store(work)
    if as_json:
        print_json({"name": gone.name, "deleted": gone.version, "campaigns": gone.campaigns})
        return
    followed = f"; it was followed by: {', '.join(gone.campaigns)}" if gone.campaigns else ""
    typer.echo(f"script {gone.name!r} is deleted (it was version {gone.version}){followed}")


@app.command("say")
def say_command(
    text: Annotated[str, typer.Argument(help="What to say.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The WAV file to write, as a call would hear it.", show_default=False)],
    lang: Annotated[str, typer.Option(help="vi or en.")] = "vi",
) -> None:
    """Speak a text with the voice in force, into a file."""
    sound = asyncio.run(_spoken(text, lang))
    try:
        out.write_bytes(sound)
    except OSError as error:
        raise BadInput(f"cannot write {out}: {error.strerror}") from error
    from dialer.service.audio import seconds_of

    typer.echo(f"{out}: {seconds_of(sound):.1f} s")


async def _spoken(text: str, language: str) -> bytes:
    from dialer.speech import PromptFault
    from dialer.wiring import open_prompts

    prompts = open_prompts(settings())
    try:
        return await prompts.say(text, language)
    except PromptFault as fault:
        raise BadInput(f"the text cannot be spoken: {fault}") from fault
    finally:
        await prompts.close()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 text; save it as UTF-8") from error


def _show_script(script: Script, *, as_json: bool) -> None:
    if as_json:
        print_json({"nodes": list(script.nodes), "start": script.start, "fields": script.fields})
        return
    typer.echo(f"the script is right: {len(script.nodes)} nodes, a call begins at {script.start!r}")
    if script.fields:
        typer.echo(f"fields of the customer that its texts name: {', '.join(script.fields)}")
    _say_missing(script)


def _say_missing(script: Script) -> None:
    from dialer.core.script import Audio

    folder = settings().prompts_path
    names = dict.fromkeys(prompt.name for prompt in script.prompts() if isinstance(prompt, Audio))
    for missing in (name for name in names if not (folder / f"{name}.wav").is_file()):
        typer.echo(f"missing recording: {folder / missing}.wav")
