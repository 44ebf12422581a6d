"""`dialer campaign webhook`: look at a campaign's receiver of call records, try it, rotate its secret, enable it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.commands.context import StoreContext, print_json, settings, with_store
from dialer.errors import BadInput, IllegalAction
from dialer.home import Home

if TYPE_CHECKING:
    from cdr.webhook_policy import Failure
    from crm.campaigns import CampaignStatus
    from crm.webhook_actions import WebhookDetail
    from crm.webhooks import WebhookState


class Action(StrEnum):
    """What can be asked for."""

    SHOW = "show"
    ROTATE = "rotate"
    ENABLE = "enable"
    TEST = "test"


def webhook_command(
    name: Annotated[str, typer.Argument(help="The campaign's name.", show_default=False)],
    action: Annotated[
        Action,
        typer.Argument(
            help="show the address, the secret and how deliveries go; rotate the secret (the old one signs too for a "
            "day); enable a disabled one; test it with one signed post."
        ),
    ] = Action.SHOW,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="With enable: drop what waits, send only what happens from now on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Look after the webhook that posts a campaign's finished calls; set it with callback_url=https://..."""
    if from_now and action is not Action.ENABLE:
        raise BadInput("--from-now goes with enable: dialer campaign webhook NAME enable --from-now")
    match action:
        case Action.SHOW:
            _show(with_store(lambda store: _detail(store, name)), as_json=as_json)
        case Action.ROTATE:
            _show(with_store(lambda store: _rotated(store, name)), as_json=as_json)
        case Action.ENABLE:
            _enable(name, from_now=from_now, as_json=as_json)
        case Action.TEST:
            _test(name, as_json=as_json)


def may_be_private() -> bool:
    """Say whether call records may be posted inside the installation's own network."""
    return settings().webhook_private


def trouble_of(status: CampaignStatus) -> str:
    """Say in a line what is wrong with a campaign's webhook; empty = nothing."""
    webhook = status.webhook
    if webhook is None or status.settings.callback_url is None or not webhook.failures:
        return ""
    return f"webhook of {status.name}: {_health(webhook, status.name)}"


def _health(state: WebhookState, name: str) -> str:
    if state.disabled_at is not None:
        return (
            f"disabled since {_when(state.disabled_at)}: {state.disabled_reason}; "
            f"go on with: dialer campaign webhook {name!r} enable"
        )
    if state.failures:
        return f"{state.failures} failures in a row, the last: {state.error}; next try {_when(state.next_at)}"
    return "well"


async def _detail(store: StoreContext, name: str) -> tuple[WebhookDetail, str]:
    from crm.webhook_actions import show

    return await _with_secret(store, await show(store.engine, name))


async def _rotated(store: StoreContext, name: str) -> tuple[WebhookDetail, str]:
    from cdr.webhook_signature import OLD_SECRET_S
    from crm.webhook_actions import rotate

    return await _with_secret(store, await rotate(store.engine, name, old_until=time.time() + OLD_SECRET_S))


async def _with_secret(store: StoreContext, detail: WebhookDetail) -> tuple[WebhookDetail, str]:
    """Return the secret too; raise IllegalAction when this home folder is not the one that signs."""
    from cdr.webhook_signature import endpoint_secret, fingerprint
    from crm.webhook_actions import mark_secret

    secret = endpoint_secret(Home(store.home).secrets().service, detail.campaign_id, detail.generation)
    mark = fingerprint(secret)
    if detail.fingerprint is None:
        await mark_secret(store.engine, detail, mark)
    elif detail.fingerprint != mark:
        raise IllegalAction(
            f"{store.home / 'secrets.json'} is not the one that signs for campaign {detail.name!r}; ask with the "
            f"service's home folder, or begin anew here: dialer campaign webhook {detail.name!r} rotate"
        )
    return detail, secret


def _show(found: tuple[WebhookDetail, str], *, as_json: bool) -> None:
    detail, secret = found
    if as_json:
        print_json(_json(detail, secret))
        return
    state = detail.state
    lines = {
        "url": detail.url or "none: nothing is sent",
        "secret": secret,
        "state": _health(state, detail.name),
        "waiting": f"{detail.queued}" + (f", the oldest since {_when(detail.oldest_at)}" if detail.oldest_at else ""),
        "delivered": f"{state.delivered}" + (f", the last {_when(state.delivered_at)}" if state.delivered_at else ""),
        "dropped": f"{state.dropped}",
    }
    if detail.old_until is not None and detail.old_until > time.time():
        lines["old secret"] = f"signs too until {_when(detail.old_until)}"
    typer.echo("\n".join(f"{key:<11} {value}" for key, value in lines.items()))


def _json(detail: WebhookDetail, secret: str) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(detail)
    return found | {"secret": secret}


def _enable(name: str, *, from_now: bool, as_json: bool) -> None:
    async def work(store: StoreContext) -> int:
        from crm.webhook_actions import enable

        return await enable(store.engine, name, from_now=store.now() if from_now else None)

    dropped = with_store(work)
    if as_json:
        print_json({"name": name, "enabled": True, "dropped": dropped})
        return
    typer.echo(f"the webhook of campaign {name!r} goes on" + (f"; {dropped} call records dropped" if from_now else ""))


def _test(name: str, *, as_json: bool) -> None:
    failure, seconds = with_store(lambda store: _try(store, name))
    if as_json:
        print_json({"name": name, "accepted": failure is None, "error": failure and failure.error, "seconds": seconds})
    elif failure is None:
        typer.echo(f"the receiver accepted the test in {seconds:.2f} s")
    else:
        typer.echo(f"not accepted: {failure.error}")
    if failure is not None:
        raise typer.Exit(1)


async def _try(store: StoreContext, name: str) -> tuple[Failure | None, float]:
    import uuid

    from cdr.webhook import headers_of
    from cdr.webhook_payload import probe_body
    from cdr.webhook_send import Sender

    detail, secret = await _detail(store, name)
    if detail.url is None:
        raise IllegalAction(f"campaign {name!r} has no callback_url now; set it first")
    now, event_id = time.time(), str(uuid.uuid4())
    body = probe_body(event_id, campaign_id=detail.campaign_id, campaign_name=detail.name, at=now)
    sender = Sender(private=may_be_private())
    try:
        failure = await sender.send(detail.url, body, headers_of([secret], event_id, body, at=now), now=now)
    finally:
        await sender.close()
    return failure, time.time() - now


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
