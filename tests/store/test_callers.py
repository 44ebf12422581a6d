"""Who calls us, by the numbers of customers."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.callers import LIST_NAME, SqlPeople, match
from store.models import Customer, CustomerPhone, LeadList
from tests.store.worlds import NOW, SqlWorld, new_lead, phone, settings


async def test_a_further_number_of_a_customer_finds_the_lead_and_the_customer(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    await world.add_campaign(settings(1), lists=[10])
    await world.add_lead(new_lead(700))

    def work(db: Connection) -> None:
        db.execute(insert(CustomerPhone), {"customer_id": 700, "phone_e164": phone(42)})
        assert match(db, 1, phone(42)) == match(db, 1, phone(700)) == {700}
        assert match(db, 2, phone(42)) == match(db, 1, phone(43)) == frozenset()
        people = SqlPeople(db)
        assert people.customer(phone(42), NOW) == (700, "Khách 700")
        assert people.name(700) == "Khách 700"
        assert people.name(1) == ""

    async with engine.begin() as connection:
        await connection.run_sync(work)


async def test_strangers_get_a_customer_each_and_one_list_whatever_codes_people_gave(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    await world.add_campaign(settings(1))

    def work(db: Connection) -> None:
        people = SqlPeople(db)
        first, _ = people.customer(phone(1), NOW)
        taken = {"code": f"KH{first + 1:06d}", "phone_e164": phone(9), "created_at": NOW, "updated_at": NOW}
        db.execute(insert(Customer), {**taken, "id": first + 500})
        second, _ = people.customer(phone(2), NOW)
        assert people.customer(phone(1), NOW) == (first, "")
        assert len({first, second, first + 500}) == 3
        assert people.inbound_list(1, NOW) == people.inbound_list(1, NOW)
        assert db.execute(select(LeadList.name, LeadList.active)).all() == [(LIST_NAME, True)]
        assert people.lead_id() != people.lead_id()

    async with engine.begin() as connection:
        await connection.run_sync(work)
