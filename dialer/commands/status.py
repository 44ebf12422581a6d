"""`dialer status`: what a carrier's codes mean, and the catalogue of statuses."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialer.commands.overrides import read_overrides, read_text
from dialer.commands.status_table import Q850_CAUSES, SIP_CODES, Classified, classify_table, connected, parse_number
from dialer.errors import BadInput
from statuses import catalog
from statuses.classify import AttemptFacts, Override, Verdict, classify
from statuses.interactions import InteractionKind
from statuses.lead import LeadState
from statuses.outcomes import CallStatus

app = typer.Typer(help="What a call's codes mean, and every status there is.", no_args_is_help=True)

_LARGEST_MS: Final = 86_400_000


@app.command("classify")
def classify_command(
    *,
    sip: Annotated[str, typer.Option(metavar="CODE", help="SIP final response, 100 to 699.")] = "",
    q850: Annotated[str, typer.Option(metavar="CAUSE", help="Q.850 cause of the Reason header, 1 to 127.")] = "",
    rang: Annotated[bool, typer.Option("--rang", help="A 180 or a ringback was seen.")] = False,
    answered: Annotated[bool, typer.Option("--answered", help="A person answered and spoke to an agent.")] = False,
    setup_ms: Annotated[str, typer.Option(metavar="MS", help="From INVITE to the final response.")] = "",
    trunk: Annotated[str | None, typer.Option(metavar="NAME", help="The trunk, for --overrides.")] = None,
    overrides: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Per-trunk override table.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A table: sip, q850, rang.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table here (with --csv).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say the status, rule and attribution of a call, or of every row of a carrier's table."""
    table = _overrides(overrides, trunk)
    if csv is not None:
        if sip or q850 or rang or answered or setup_ms:
            raise BadInput(
                "--csv: the codes come from the table; leave out --sip, --q850, --rang, --answered, --setup-ms"
            )
        _classify_file(csv, out, table, trunk, as_json=as_json)
        return
    if out is not None:
        raise BadInput("--out: goes with --csv only; a single verdict is printed")
    facts = AttemptFacts(
        sip_status=parse_number(sip, "--sip", SIP_CODES),
        q850=parse_number(q850, "--q850", Q850_CAUSES),
        rang=rang,
        answered=answered,
        setup_ms=parse_number(setup_ms, "--setup-ms", (0, _LARGEST_MS)),
        trunk=trunk,
    )
    if facts.sip_status is None and facts.q850 is None and not answered:
        raise BadInput("nothing to classify: give --sip CODE, --q850 CAUSE, --answered or --csv FILE")
    _show(classify(connected(facts), table), as_json=as_json)


def _overrides(path: Path | None, trunk: str | None) -> tuple[Override, ...]:
    if path is not None and trunk is None:
        raise BadInput("--overrides: the table goes by trunk; name it with --trunk NAME")
    if path is None and trunk is not None:
        raise BadInput("--trunk: has no effect without an override table; name that with --overrides FILE.toml")
    return read_overrides(path)


def _classify_file(
    path: Path, out: Path | None, overrides: tuple[Override, ...], trunk: str | None, *, as_json: bool
) -> None:
    text = read_text(path)
    if out is not None and out.exists() and out.samefile(path):
        raise BadInput(f"--out: {out} is the table itself; name another file")
    try:
        result = classify_table(text, overrides, trunk)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    written = _json(list(result.records())) + "\n" if as_json else result.to_csv()
    if out is None:
        typer.echo(written, nl=False)
        return
    _write(out, written)
    _report(result, out)


def _write(path: Path, text: str) -> None:
    """Write whole or not at all: a reader never sees half a table."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _report(result: Classified, out: Path) -> None:
    unknown = sum(verdict.rule == "unknown" for _, verdict in result.rows)
    note = f"; {unknown} of them match no rule" if unknown else ""
    typer.echo(f"{out}: {len(result.rows)} rows classified{note}", err=True)


def _show(verdict: Verdict, *, as_json: bool) -> None:
    cancel = verdict.cancel_reason.value if verdict.cancel_reason is not None else None
    fields = {
        "status": verdict.status.value,
        "label": catalog.label(verdict.status, "en"),
        "label_vi": catalog.label(verdict.status, "vi"),
        "code": catalog.code(verdict.status),
        "rule": verdict.rule,
        "attribution": verdict.attribution.value,
        "sub_reason": verdict.sub_reason,
        "cancel_reason": cancel,
        "counts": verdict.counts,
    }
    if as_json:
        typer.echo(_json(fields))
        return
    _print_table(None, ("", ""), [(name, "-" if value is None else str(value)) for name, value in fields.items()])


@app.command("list")
def list_command(
    *,
    lang: Annotated[str, typer.Option(metavar="vi|en", help="The language of the words.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="For programs; both languages.")] = False,
) -> None:
    """Print the catalogue: twelve call statuses, eleven lead states, eleven kinds of interaction."""
    if lang not in ("vi", "en"):
        raise BadInput(f"--lang: {lang!r} is not a language of the catalogue; use vi or en")
    if as_json:
        typer.echo(_json(_catalogue()))
        return
    calls = [
        (catalog.code(status), catalog.label(status, lang), status.value, catalog.definition(status, lang))
        for status in CallStatus
    ]
    _print_table("Call statuses", ("code", "label", "wire form", "definition"), calls)
    leads = [(catalog.label(s, lang), s.value, catalog.definition(s, lang)) for s in LeadState]
    _print_table("Lead states", ("label", "wire form", "definition"), leads)
    kinds = [(catalog.label(k, lang), k.value) for k in InteractionKind]
    _print_table("Interactions", ("label", "wire form"), kinds)


def _catalogue() -> dict[str, list[dict[str, str]]]:
    return {
        "call_statuses": [
            {"code": catalog.code(status), "counter": catalog.counter(status)} | _words(status) for status in CallStatus
        ],
        "lead_states": [_words(state) for state in LeadState],
        "interactions": [_words(kind) for kind in InteractionKind],
    }


def _words(value: CallStatus | LeadState | InteractionKind) -> dict[str, str]:
    return {
        "value": value.value,
        "label_vi": catalog.label(value, "vi"),
        "label_en": catalog.label(value, "en"),
        "definition_vi": catalog.definition(value, "vi"),
        "definition_en": catalog.definition(value, "en"),
        "colour": catalog.colour(value),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _print_table(title: str | None, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=any(columns), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for cells in rows:
        table.add_row(*cells)
    Console().print(table)
