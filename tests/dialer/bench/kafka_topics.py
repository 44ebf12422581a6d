"""The topics that a bench has made."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from tests.plugins.kafka import KafkaServer

PATIENCE_S = 10.0


async def bench_topics(kafka: KafkaServer) -> list[str]:
    """List those that are there now."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        return [name for name in await admin.list_topics() if name.startswith("dialer.bench.")]
    finally:
        await admin.close()


async def topics_left(kafka: KafkaServer) -> list[str]:
    """List those that stay: a broker forgets a topic a moment after its deletion."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await bench_topics(kafka):  # noqa: ASYNC110 - the broker tells nobody when it is done
                await asyncio.sleep(0.05)
    except TimeoutError:
        return await bench_topics(kafka)
    return []
