"""Redis holds only what may be lost: here, wake-up calls between processes.

Whoever waits for a call also looks by itself from time to time, so a lost call costs time and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Redis:
    """Wake-up calls: publish and listen. Being away is no error."""

    def __init__(self, url: str) -> None:
        # Without the client's own retries: they would hold up commands for seconds, and hide that calls were missed.
        retry = Retry(NoBackoff(), 0)
        self._client: Client = Client.from_url(url, socket_connect_timeout=2, socket_timeout=5, retry=retry)

    async def wake(self, channel: str, whom: bytes = b"") -> bool:
        """Call everyone who listens on this channel. False: Redis is away and nobody heard it."""
        try:
            await self._client.publish(channel, whom)
        except (RedisError, OSError):
            return False
        return True

    async def listen(self, channel: str) -> AsyncIterator[bytes | None]:
        """Whom each call is for, as it comes. Ends when Redis goes away.

        First None, as soon as it is listened to: calls before that may have been missed.
        """
        try:
            async with self._client.pubsub() as subscription:
                await subscription.subscribe(channel)
                while True:
                    message = await subscription.get_message(timeout=4)
                    if message is not None:
                        yield message["data"] if message["type"] == "message" else None
        except (RedisError, OSError):
            return

    async def ping(self) -> bool:
        """True if Redis answers."""
        try:
            return bool(await self._client.ping())
        except (RedisError, OSError):
            return False

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
