"""A console of its own process for the browser tests: a seeded store and call records, made by the real services.

`python -m tests.web.world FOLDER` serves it and prints a line of JSON with the port; then each line on its standard
input is an order (JSON), answered by a line; the end of the input ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.clickhouse import open_chdb
from cdr.encode import CampaignRef, attempt_settled
from cdr.projector import Projector
from cdr.queries import CdrQueries
from crm import campaigns
from crm.importing import import_leads
from crm.leads import LeadFilter, add_comment, list_leads
from crm.recordings import RecordingShelf
from dialer.core.campaign import CampaignAction
from dialer.core.effects import BeginAttempts, BeginInbound, LeaseLeads, ReleaseLeads, SettleAttempt, SettleLead
from dialer.core.events import AttemptsBegun, InboundBegun, LeadsLeased
from dialer.core.figures import LiveFigures, Sample
from dialer.core.types import (
    AttemptIntent,
    AttemptRecord,
    CallWindow,
    CampaignSettings,
    Fence,
    HoldReason,
    Lead,
    LeadResult,
    Slot,
)
from dialer.ports import Owned
from dialer.recordings import RecordingFormat, Stored, path_of
from dialer.service.encoding import encode
from dialer.service.espeak import Espeak
from dialer.service.prompts import PromptLibrary
from dialer.service.server import WebServer, listen
from statuses.classify import AttemptFacts, classify
from statuses.lead import Trigger, trigger_for
from statuses.outcomes import AmdResult, Announcement, CallStatus, CancelReason, EndedBy, LocalError
from store.lead_store import SqlLeadStore
from store.ledger import SqlOffsetLedger
from store.open import open_database
from store.outbox import SqlOutboxLog, append
from store.recording_files import FsspecFiles
from store.recordings import SqlRecordings
from store.upgrade import upgrade
from telephony_adapters.tracing.read import TraceFolder
from tests.dialer.service.recording_centre import tone
from tests.telephony_adapters.tracing.sample import note_call
from tests.web.dial_world import dialing
from web.app import create_app
from web.deps import WebDeps

SECRET = "the session secret of the tests, long enough"
TOKEN = "the service token of the tests"
DIALED, OTHER, APPROVED, DRAFT = "Chăm sóc tháng 11", "Khảo sát quý 4", "Ưu đãi cuối năm", "Bản nháp"
SHARED, LONG = "+84900000060", "+84900000061"
"""A number on two campaigns, and one with a long history."""
TRACED, TRACES = "call-001", "sip-trace"
"""The call of which SIP messages are kept, and the folder where."""
FACTS = {
    CallStatus.ANSWERED: AttemptFacts(
        sip_status=200, rang=True, answered=True, agent_bridged=True, ended_by=EndedBy.REMOTE
    ),
    CallStatus.NO_ANSWERED: AttemptFacts(sip_status=480, q850=19, rang=True, ended_by=EndedBy.REMOTE),
    CallStatus.BUSY: AttemptFacts(sip_status=486, rang=True, ended_by=EndedBy.REMOTE),
    CallStatus.BUSY_LINE: AttemptFacts(
        sip_status=200, rang=True, answered=True, ended_by=EndedBy.DIALER, cancel_reason=CancelReason.OVERFLOW
    ),
    CallStatus.IVR: AttemptFacts(sip_status=200, rang=True, answered=True, ivr_entered=True, ended_by=EndedBy.REMOTE),
    CallStatus.FAILED: AttemptFacts(local_error=LocalError.SCRIPT),
    CallStatus.CONGESTION: AttemptFacts(sip_status=403, ended_by=EndedBy.REMOTE),
    CallStatus.CANCEL: AttemptFacts(
        sip_status=487, rang=True, ended_by=EndedBy.DIALER, cancel_reason=CancelReason.RING_TIMEOUT
    ),
    CallStatus.INVALID_NUMBER: AttemptFacts(sip_status=404, q850=1, ended_by=EndedBy.REMOTE),
    CallStatus.PHONE_BLOCK: AttemptFacts(announcement=Announcement.LOCKED, sip_status=480, ended_by=EndedBy.REMOTE),
    CallStatus.NOT_AVAILABLE: AttemptFacts(sip_status=480, q850=20, ended_by=EndedBy.REMOTE),
    CallStatus.VOICEMAIL: AttemptFacts(
        sip_status=200, rang=True, answered=True, amd=AmdResult.MACHINE, ended_by=EndedBy.DIALER
    ),
}
_DAY = (Slot(0, 1440),)
SETTINGS = CampaignSettings(0, "", window=CallWindow(weekdays=(_DAY,) * 7), hotlines=("19001000",))
GIVEN = ("Bảo", "Châu", "Đức", "Ánh", "Giang", "Hà", "Khánh", "Linh", "Mai", "Oanh", "Quân", "Yến")


class World:
    """The seeded store, and what the tests may order."""

    def __init__(self, engine: AsyncEngine, projector: Projector, folder: Path) -> None:
        self.engine = engine
        self.files = FsspecFiles("", home=folder / "recordings")
        self.projector = projector
        self.store = SqlLeadStore(engine)
        self.fences: dict[str, Fence] = {}
        self.figures: dict[str, Any] = {}
        self.serial = 0

    async def seed(self, folder: Path) -> None:
        """Make campaigns, import leads, call some of them."""
        now = time.time()
        for name in (DIALED, OTHER, APPROVED, DRAFT):
            await campaigns.create(self.engine, msgspec.structs.replace(SETTINGS, name=name), now=now - 86_400)
        await self._import(folder, DIALED, "Hà Nội", range(1, 41))
        await self._import(folder, DIALED, "Miền Nam", [*range(41, 46), 60, 61])
        await self._import(folder, OTHER, "Quý 4", [60, *range(70, 75)])
        for name in (DIALED, OTHER, APPROVED):
            await campaigns.act(self.engine, name, CampaignAction.APPROVE, now=now)
        for name in (DIALED, OTHER):
            await campaigns.act(self.engine, name, CampaignAction.START, now=now)
            await self._own(name)
        for place, status in enumerate(FACTS, 1):
            await self.call(DIALED, _phone(place), status, begun_at=now - 4_000 + place * 60)
        note_call(folder / TRACES, call_id=TRACED)
        await self.record(TRACED, began_at=now - 4_000 + 60)
        await self.call(DIALED, SHARED, CallStatus.BUSY, begun_at=now - 3_000)
        await self.call(OTHER, SHARED, CallStatus.ANSWERED, begun_at=now - 2_000)
        await campaigns.act(self.engine, OTHER, CampaignAction.STOP, now=now)
        await self._long_history(now)
        answered = await self.lead(DIALED, _phone(1))
        await add_comment(self.engine, answered.lead_id, "Quan tâm gói cước mới", author="admin", now=now)
        await self.project()
        await self.publish()

    async def call(self, campaign: str, phone: str, status: CallStatus, *, begun_at: float) -> str:
        """Call one number through the store: lease, begin, settle; the agent's wrap-up follows a talk."""
        fence = self.fences[campaign]
        ((_, leased),) = await self._commit(fence, LeaseLeads(500), at=begun_at)
        assert isinstance(leased, LeadsLeased)
        wanted = next(lead for lead in leased.leads if lead.phone == phone)
        others = tuple(lead.lead_id for lead in leased.leads if lead is not wanted)
        self.serial += 1
        intent = _intent(wanted, f"call-{self.serial:03d}", begun_at)
        answers = await self._commit(fence, ReleaseLeads(others), BeginAttempts((intent,)), at=begun_at)
        assert isinstance(answers[-1][1], AttemptsBegun)
        assert answers[-1][1].begun == (intent.call_id,), answers
        record = _record(intent, status)
        await self._commit(fence, SettleAttempt(record), at=record.ended_at)
        if status is CallStatus.ANSWERED:
            result = LeadResult(intent.call_id, wanted.lead_id, Trigger.ANSWERED, "Nhân viên 07", wrap_s=12.0)
            await self._commit(fence, SettleLead(result), at=record.ended_at + 12)
        return intent.call_id

    async def miss(self, campaign: str, phone: str, *, at: float) -> None:
        """Let a customer call the hotline and hang up before anybody takes the call."""
        fence = self.fences[campaign]
        self.serial += 1
        arrival = BeginInbound(f"in-{self.serial:03d}", phone, "19001000", "sim", at)
        ((_, begun),) = await self._commit(fence, arrival, at=at)
        assert isinstance(begun, InboundBegun)
        assert begun.intent is not None
        facts = AttemptFacts(answered=True, ended_by=EndedBy.REMOTE, inbound=True)
        record = msgspec.structs.replace(
            _record(begun.intent, CallStatus.BUSY_LINE), facts=facts, verdict=classify(facts),
            lead_trigger=Trigger.MISSED_CALL, direction=begun.intent.direction,
        )  # fmt: skip
        await self._commit(fence, SettleAttempt(record), at=record.ended_at)

    async def record(self, call_id: str, *, began_at: float, seconds: float = 3.0) -> None:
        """Store a recording of a call: a tone."""
        made = encode(tone(seconds), RecordingFormat.MP3)
        path = path_of(call_id, began_at, RecordingFormat.MP3)
        await self.files.put(path, made.data)
        kept = await SqlRecordings(self.engine).keep(Stored(
            call_id=call_id, campaign_id=self.fences[DIALED].campaign_id, began_at=began_at, storage="", path=path,
            format=RecordingFormat.MP3, bytes=len(made.data), sha256=sha256(made.data).hexdigest(),
            seconds=made.seconds, stored_at=began_at + 60,
        ))  # fmt: skip
        assert kept

    async def lead(self, campaign: str, phone: str) -> Any:
        """Find a lead's row."""
        page = await list_leads(self.engine, LeadFilter(phone=phone), limit=10)
        return next(row for row in page.rows if row.campaign == campaign)

    async def project(self) -> None:
        """Bring the call records up to date."""
        while await self.projector.run_once():
            pass

    async def publish(self) -> None:
        """Report live figures as an engine does, and keep the campaigns owned."""
        now = time.time()
        for name in (DIALED, OTHER):
            self.fences[name] = await self.store.renew(self.fences[name], now=now, ttl_s=30.0)
        fence = self.fences[DIALED]
        figures = msgspec.json.encode(_figures(fence.campaign_id, now, self.figures))
        await self.store.publish(fence, figures, now=now)

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do what a test asks for."""
        match order:
            case {"do": "call", "phone": phone, "status": status}:
                called = await self.call(DIALED, phone, CallStatus(status), begun_at=time.time() - 60)
                await self.project()
                return {"call_id": called}
            case {"do": "miss", "phone": phone}:
                await self.miss(DIALED, phone, at=time.time() - 30)
                await self.project()
                return {}
            case {"do": "record", "call_id": call_id}:
                await self.record(call_id, began_at=time.time() - 60, seconds=2.0)
                await self.project()
                return {}
            case {"do": "figures", "values": values}:
                self.figures = values
                await self.publish()
                return {}
            case {"do": "lead", "campaign": campaign, "phone": phone}:
                return {"lead_id": (await self.lead(campaign, phone)).lead_id}
            case _:
                return {"error": f"unknown order {order}"}

    async def _import(self, folder: Path, campaign: str, list_name: str, numbers: Any) -> None:
        path = folder / "leads.csv"
        lines = [f"Khách {GIVEN[n % len(GIVEN)]} {n:02d};{_phone(n)}" for n in numbers]
        await asyncio.to_thread(path.write_text, "\n".join(["Họ tên;Số điện thoại", *lines]) + "\n", "utf-8")
        mapping = {"name": 1, "phone": 2}
        done = await import_leads(
            self.engine, path, campaign, mapping, 2, now=time.time() - 90_000, list_name=list_name
        )
        assert done.added == len(lines), done

    async def _own(self, name: str) -> None:
        (status,) = await campaigns.read_status(self.engine, name, now=time.time())
        fence = await self.store.acquire(status.campaign_id, owner="tests", now=time.time(), ttl_s=3_600.0)
        assert fence is not None
        self.fences[name] = fence

    async def _commit(self, fence: Fence, *effects: Any, at: float) -> Any:
        return await self.store.commit([Owned(fence, effect) for effect in effects], now=at)

    async def _long_history(self, now: float) -> None:
        lead = await self.lead(DIALED, LONG)
        campaign = CampaignRef(lead.campaign_id, DIALED, "predictive")
        events = []
        for day in range(1, 31):
            leased = Lead(lead.lead_id, lead.customer_id, lead.list_id, LONG)
            intent = _intent(leased, f"old-{day:03d}", now - day * 86_400)
            events += attempt_settled(_record(intent, CallStatus.NO_ANSWERED), campaign)
        async with self.engine.begin() as db:
            await db.run_sync(append, events, now=now)


def _phone(number: int) -> str:
    return f"+849000000{number:02d}"


def _intent(lead: Lead, call_id: str, at: float) -> AttemptIntent:
    return AttemptIntent(
        call_id=call_id,
        lead_id=lead.lead_id,
        customer_id=lead.customer_id,
        list_id=lead.list_id,
        phone=lead.phone,
        hotline="19001000",
        trunk="sim",
        attempt_no=lead.dialed + 1,
        begun_at=at,
    )


def _record(intent: AttemptIntent, status: CallStatus) -> AttemptRecord:
    facts = FACTS[status]
    verdict = classify(facts)
    assert verdict.status is status, (verdict, status)
    trigger, kind = trigger_for(verdict)
    at = intent.begun_at
    talk = status is CallStatus.ANSWERED
    return AttemptRecord(
        call_id=intent.call_id,
        lead_id=intent.lead_id,
        customer_id=intent.customer_id,
        list_id=intent.list_id,
        phone=intent.phone,
        hotline=intent.hotline,
        trunk=intent.trunk,
        attempt_no=intent.attempt_no,
        started_at=at,
        ringing_at=at + 2 if facts.rang else None,
        answered_at=at + 10 if facts.answered else None,
        bridged_at=at + 11 if talk else None,
        agent_id="Nhân viên 07" if talk else None,
        ended_at=at + 55,
        facts=facts,
        verdict=verdict,
        lead_trigger=None if talk else trigger,
        error_kind=kind,
        recorded=talk,
    )


def _figures(campaign_id: int, now: float, changes: dict[str, Any]) -> LiveFigures:
    points = [
        Sample(
            now - 900 + 5 * i,
            idle=3,
            talking=10 + i % 4,
            wrapping=2,
            ringing=6,
            waiting=0,
            placed=2,
            answered=1,
            abandoned=0,
        )
        for i in range(180)
    ]
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "at": now,
        "running": True,
        "idle": 3,
        "reserved": 1,
        "talking": 14,
        "wrapping": 2,
        "paused": 5,
        "ringing": 8,
        "waiting": 1,
        "bridged": 14,
        "hopper": 40,
        "placed": 2311,
        "answered": 1204,
        "abandoned": 12,
        "answer_rate": 0.521,
        "abandonment": 12 / 1204,
        "abandon_limit": 0.03,
        "occupancy": 0.842,
        "dials": 3,
        "reason": HoldReason.PACING,
        "detail": "1.8 calls per agent",
        "next_open_at": None,
        "samples": tuple(points),
        **changes,
    }
    return msgspec.convert(values, LiveFigures)


async def serve(folder: Path, *, seeded: bool, dials: bool = False) -> None:
    """Make the world in a folder and serve it until the standard input ends; `dials`: with an engine beside it."""
    engine = open_database(f"sqlite:///{folder / 'dialer.db'}")
    await upgrade(engine)
    analytics = await open_chdb(folder / "cdr")
    world = World(engine, Projector(SqlOutboxLog(engine), SqlOffsetLedger(engine), analytics), folder)
    if seeded:
        await world.seed(folder)
    broken = folder / "broken"
    prompts = PromptLibrary(folder / "prompts", folder / "prompts-kept", Espeak())
    deps = WebDeps(
        engine=engine,
        cdr=CdrQueries(analytics),
        now=time.time,
        session_secret=SECRET,
        service_token=TOKEN,
        traces=TraceFolder(folder / TRACES),
        recordings=RecordingShelf(engine, world.files, time.time, time.time),
        prompts=prompts,
        health=lambda: {"database": "ok", "analytics": "down" if broken.exists() else "ok"},
    )
    sock = listen("127.0.0.1", 0)
    server = WebServer(create_app(deps), sock)
    serving = asyncio.create_task(server.run_forever())
    beating = asyncio.create_task(_beat(world)) if seeded else None
    if dials:
        beating = asyncio.create_task(dialing(engine))
    _say({"port": sock.getsockname()[1]})
    await _listen(world)
    if beating is not None:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
    server.should_exit = True
    await serving
    await prompts.close()
    await analytics.close()
    await engine.dispose()


async def _beat(world: World) -> None:
    while True:
        await asyncio.sleep(1.0)
        await world.publish()


async def _listen(world: World) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        _say(await world.obey(json.loads(line)))


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), seeded=not {"--empty", "--dials"} & {*sys.argv}, dials="--dials" in sys.argv))
