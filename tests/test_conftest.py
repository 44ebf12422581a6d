from __future__ import annotations

import asyncio


async def test_the_loop_of_a_test_is_in_debug_mode() -> None:
    assert asyncio.get_running_loop().get_debug()


def test_a_loop_that_a_test_starts_itself_is_in_debug_mode_too() -> None:
    async def debug() -> bool:
        return asyncio.get_running_loop().get_debug()

    assert asyncio.run(debug())
