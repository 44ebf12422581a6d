from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from store.audit import Act, acts, note


async def test_who_did_what_is_written_down_and_listed_the_latest_first(sqlite: AsyncEngine) -> None:
    first = Act(5.0, "admin", "recording.listen", "call-1", "127.0.0.1")
    other = Act(6.0, "admin", "recording.download", "call-2", "127.0.0.1")
    long = Act(7.0, "x" * 500, "recording.get", "call-1", "local")
    for act in (first, other, long):
        await note(sqlite, act)
    found = await acts(sqlite)
    assert [act.at for act in found] == [7.0, 6.0, 5.0]
    assert found[0].actor == "x" * 128
    assert found[1:] == [other, first]
    assert [act.at for act in await acts(sqlite, object_="call-1", limit=1)] == [7.0]
