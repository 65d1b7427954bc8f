import asyncio, pytest, zlib
from aiokafka import AIOKafkaProducer
from tests.integration.shared.test_inbox import *

@pytest.mark.parametrize("config", [{}, {"compression_type":"uncompressed"}])
async def test_bomb(settings, mongo, producer, make_topic, read_topic, config):
    topic = await make_topic(max_message_bytes=str(4*1024*1024), **config)
    group = f"group-{topic[8:20]}"
    dead = await make_topic(name=dead_letter_topic(group), max_message_bytes=str(5 * 1024 * 1024))
    c = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, max_request_size=30_000_000, max_batch_size=30_000_000, compression_type="gzip")
    await c.start()
    ledger = Ledger(mongo)
    async with member(settings, group, ledger, producer, topic):
        try:
            await send(c, topic, b"{"*10_000_000)
        except Exception as e:
            print("REFUSED", repr(e))
        await send(c, topic)
        try:
            await until(lambda: has_effects(ledger, 1), 6)
            print("OK", config); l=(await read_topic(dead,1))[0]; print("LETTER OK", len(l.value), l.headers[-1])
        except TimeoutError:
            print("BLOCKED", config)
    await c.stop()

class Evil(str):
    def encode(self, *a): return b"\xff\xfe"

async def test_evil(settings, mongo, producer, make_topic, read_topic, client):
    topic = await make_topic()
    group = f"group-{topic[8:20]}"
    ledger = Ledger(mongo)
    async with member(settings, group, ledger, producer, topic):
        try:
            await send(client, topic, headers=[REMOVED, (Evil("x"), b"1")])
        except Exception as e:
            print("PRODUCE", repr(e))
        await send(client, topic)
        try:
            await until(lambda: has_effects(ledger, 1), 8)
            print("EVIL OK", await ledger.effects())
        except TimeoutError:
            print("EVIL BLOCKED")
