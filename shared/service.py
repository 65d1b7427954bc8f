"""Assembly: what a service is made of, started in order, stopped gracefully, and telling the truth about itself."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import structlog
import uvicorn
from fastapi import FastAPI

from shared import guard, health, http, idempotency, jobs, outbox, telemetry, topics
from shared.auth import Authenticator, ensure_dev_keys
from shared.broker import Producer, kafka_broker
from shared.consuming import Consumer
from shared.dead_letters import DeadLetters
from shared.inbox import Inbox, VersionedInbox
from shared.lease import Lease
from shared.middleware import Observed
from shared.mongo import Mongo
from shared.redis import Redis
from shared.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

    from aiokafka import TopicPartition
    from aiokafka.abc import ConsumerRebalanceListener
    from fastapi import APIRouter
    from faststream.kafka import KafkaBroker

    from shared.consuming import Batch
    from shared.guard import Restate
    from shared.inbox import EndOffsets, Handler, VersionedHandler
    from shared.relay import Keep
    from shared.settings import ServiceSettings

    Work = Callable[[], Awaitable[object]]

log = structlog.get_logger()
SettingsT = TypeVar("SettingsT", bound="ServiceSettings")
Name = Literal["postings", "profiles", "matcher", "notifications"]
_TRY_AGAIN_S = 1.0
_DRAIN_S = 10
_CANCEL_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    work: Work


class Service:
    """One service: its clients, consumers, relay, background work and HTTP application."""

    def __init__(self, name: Name, settings: ServiceSettings, *, stores: bool = True) -> None:
        """`stores` False: a service without a database, which keeps nothing that cannot be rebuilt."""
        self.name = name
        self.settings = settings
        self.instance = f"{socket.gethostname()}-{os.getpid()}"
        telemetry.configure_logs(name, settings.log_level)
        self._traces = telemetry.configure_traces(name, str(os.getpid()), settings)
        if settings.dev_keys:
            ensure_dev_keys(settings.keys_dir)
        self.auth = Authenticator(
            settings.jwks_url or settings.keys_dir / "jwks.json",
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )
        self._mongo = Mongo(settings.mongo_url, name) if stores else None
        self.redis = Redis(settings.redis_url)
        self.producer = Producer(settings, name)
        self.stopping = asyncio.Event()
        self._relay: Relay | None = None
        self._broker: KafkaBroker | None = None
        self._consumers: list[Consumer] = []
        self._starts: list[Work] = []
        self._stops: list[Work] = []
        self._leases: list[Lease] = []
        """Of jobs."""
        self._jobs: list[_Job] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._prepared = False
        self._ready: dict[str, Callable[[], bool | Awaitable[bool]]] = {}
        self.app = FastAPI(
            title=name,
            lifespan=self._lifespan,
            # `Observed` traces, measures and logs; FastAPI's own would tell it twice
            telemetry={"tracing": False, "metrics": False, "logs": False},
            docs_url="/docs" if settings.public_docs else None,
            redoc_url=None,
            openapi_url="/openapi.json" if settings.public_docs else None,
        )
        self.app.state.service = self
        self.app.add_middleware(Observed, publishing_delayed=self._publishing_delayed)
        http.install(self.app)
        self.app.include_router(health.router(self))

    @property
    def mongo(self) -> Mongo:
        """This service's own database."""
        if self._mongo is None:
            message = f"{self.name} has no database"
            raise RuntimeError(message)
        return self._mongo

    # What the service is made of: called by app.py before the start.

    def consume(
        self,
        group: str,
        handler: Handler,
        *,
        topics: Sequence[str] = (),
        pattern: str | None = None,
        records: int | None = None,
        each: int | None = None,
    ) -> None:
        """Handle batches of these topics inside Mongo transactions, each record's effects once."""
        inbox = Inbox(self.mongo, group, handler, DeadLetters(self.producer, group), self.ends_of(group))

        async def process(batch: Batch) -> None:
            await inbox.process(batch)
            await self.wake_relay()

        self._add(Consumer(self.settings, group, process, topics=topics, pattern=pattern, records=records, each=each))

    def consume_versioned(
        self, group: str, handler: VersionedHandler, *, topics: Sequence[str], patient_ms: int | None = None
    ) -> None:
        """Handle batches whose effects are guarded by versions of their own: no transaction, nothing emitted.

        `patient_ms`: nobody waits for it, so the broker gathers records for so long.
        """
        letters = DeadLetters(self.producer, group)
        inbox = VersionedInbox(self.mongo, group, handler, letters, self.ends_of(group))
        self._add(Consumer(self.settings, group, inbox.process, topics=topics, patient_ms=patient_ms))
        self.on_stop(inbox.close)

    def observe(
        self,
        group: str,
        process: Callable[[Batch], Awaitable[None]],
        *,
        topics: Sequence[str],
        listener: ConsumerRebalanceListener | None = None,
        records: int | None = None,
        patient_ms: int | None = None,
    ) -> None:
        """Handle batches at least once, without a store: for what can be repeated without harm.

        `patient_ms`: nobody waits for it, so the broker gathers records for so long, and is asked less often.
        """
        letters = DeadLetters(self.producer, group)

        async def whole(batch: Batch) -> None:
            await process(batch)
            await letters.write(batch.undecodable)

        self._add(
            Consumer(
                self.settings, group, whole, topics=topics, listener=listener, records=records, patient_ms=patient_ms
            )
        )

    def _add(self, consumer: Consumer) -> None:
        self._consumers.append(consumer)

    def ends_of(self, group: str) -> EndOffsets:
        """Asks Kafka for the ends of partitions through that group's consumer."""

        async def ends(wheres: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
            consumer = next(one for one in self._consumers if one.group == group)
            return await consumer.end_offsets(wheres)

        return ends

    def relay(self, restate: Mapping[str, Restate], keep: Keep | None = None) -> Relay:
        """Publish this service's outbox; `restate` gives, by state topic, the present state of aggregates.

        `keep` stores what shall outlive the outbox of rows that are published.
        """
        relay = Relay(self.settings, self.name, self.mongo, self.redis, self.producer, keep)
        self._relay = relay
        self.on_start(lambda: outbox.create_indexes(self.mongo.db))
        self.on_start(lambda: idempotency.create_indexes(self.mongo.db))
        self.background(relay.run, "relay")
        self.background(relay.listen, "relay-calls")
        for topic, function in restate.items():
            watch = guard.Guard(self.settings, topic, self.mongo, relay, function)
            self.background(watch.run, f"guard-{topic}")
        self.every(min(60.0, self.settings.filler_every_s / 2), lambda: relay.fill(list(restate)), "fillers")
        return relay

    async def wake_relay(self) -> None:
        """Call after a transaction that added outbox rows: they are published at once."""
        if self._relay is not None:
            await self._relay.wake()

    def background(self, work: Work, name: str) -> None:
        """Run `work` for as long as the service lives; its death makes the service not live."""
        self._jobs.append(_Job(name, work))

    def every(self, seconds: float, work: Work, name: str, *, leased: bool = False) -> None:
        """Run `work` again and again; with `leased` in one process only. Unavailable means: next time."""
        lease = Lease(self.mongo.db, f"job:{name}", max(seconds * 3, self.settings.lease_s)) if leased else None
        self.background(lambda: jobs.repeat(work, seconds, name, lease), name)
        if lease is not None:
            self._leases.append(lease)

    def on_start(self, work: Work) -> None:
        """Run before anything is consumed; tried again while a server is away."""
        self._starts.append(work)

    def on_stop(self, work: Work) -> None:
        """Run when consuming has ended."""
        self._stops.append(work)

    def ready_when(self, name: str, check: Callable[[], bool | Awaitable[bool]]) -> None:
        """The service is ready only while this is true."""
        self._ready[name] = check

    def include(self, router: APIRouter) -> None:
        """Serve these routes."""
        self.app.include_router(router)

    # How it lives.

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self._tasks["messaging"] = asyncio.create_task(self._start(), name="messaging")
        try:
            yield
        finally:
            await self._stop()

    async def _start(self) -> None:
        """Start in order, waiting for servers that are away: HTTP answers meanwhile, and says so."""
        await self._insist(lambda: asyncio.gather(*(work() for work in self._starts)))
        self._prepared = True
        for job in self._jobs:
            self._tasks[job.name] = asyncio.create_task(_run(job), name=job.name)
        await self._insist(lambda: topics.ensure_topics(self.settings))
        await self._insist(self._start_consumers)
        # a full collection stops everything for as long as all that lives is large, and finds next to nothing
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 1_000)
        log.info("started", instance=self.instance)

    async def _start_consumers(self) -> None:
        if not self._consumers:
            return
        broker = kafka_broker(self.settings, self.name)
        for consumer in self._consumers:
            consumer.attach(broker)
        try:
            await broker.start()
        except BaseException:
            await broker.stop()
            raise
        self._broker = broker

    async def _insist(self, work: Work) -> None:
        while True:
            try:
                await work()
            except topics.TopicMismatch:
                raise
            except Exception as error:  # noqa: BLE001 - whatever is away at the start may come
                log.warning("start waits", error=repr(error))
                await asyncio.sleep(_TRY_AGAIN_S)
            else:
                return

    async def _stop(self) -> None:
        self.stopping.set()
        if self._broker is not None:
            await self._broker.stop()
        for consumer in self._consumers:
            await consumer.close()
        await _cancel(self._tasks.values())
        for work in self._stops:
            await work()
        await jobs.let_go(self._leases)
        # flushed before the next relay may begin
        await self.producer.close()
        if self._relay is not None and self._relay.lease.held:
            with contextlib.suppress(Exception):
                await self._relay.delete()
                await self._relay.lease.release()
        await self.redis.close()
        if self._mongo is not None:
            await self._mongo.close()
        self._traces.shutdown()

    # What it says of itself.

    def _publishing_delayed(self) -> bool:
        return self._relay is not None and self._relay.delayed

    async def live(self) -> dict[str, bool]:
        """By part, is it alive: dead background work, and positions that stand still while there is lag, are not."""
        parts = {
            name: not task.done() or (name == "messaging" and task.exception() is None)
            for name, task in self._tasks.items()
            if not task.cancelled()
        }
        for consumer in self._consumers:
            parts[consumer.group] = not await consumer.stuck()
        return parts

    async def ready(self) -> dict[str, bool]:
        """By part, whether this service can do its work now."""
        parts = {"prepared": self._prepared}
        if self._mongo is not None:
            parts["mongo"] = await self._mongo.ping()
        if self._consumers and self._relay is None:
            # who has an outbox takes commands while Kafka is away
            parts["kafka"] = self._broker is not None
        for name, check in self._ready.items():
            answer = check()
            parts[name] = await answer if inspect.isawaitable(answer) else bool(answer)
        return parts

    def degraded(self) -> dict[str, bool]:
        """By part: what is away although the service is ready."""
        parts = {"publishing": not self._publishing_delayed()} if self._relay is not None else {}
        if self._consumers:
            parts["consuming"] = self._broker is not None
        return parts

    def subscriptions(self) -> dict[str, tuple[tuple[str, ...], str | None]]:
        """By group: topics and pattern that this process subscribes to; a test holds it against the registry."""
        return {consumer.group: (consumer.topics, consumer.pattern) for consumer in self._consumers}


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End them all. A task can lose a cancellation (Python 3.11's `wait_for` may swallow it): ask again."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)


async def _run(job: _Job) -> None:
    try:
        await job.work()
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("background work died", job=job.name)
        raise


class _Server(uvicorn.Server):
    """Tells the service of the stop before connections are drained, so that streams end by themselves."""

    def handle_exit(self, sig: int, frame: object) -> None:
        service: Service = self.config.app.state.service  # type: ignore[union-attr]
        self._loop.call_soon_threadsafe(service.stopping.set)
        super().handle_exit(sig, frame)  # type: ignore[arg-type]

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)


def serve(create_app: Callable[[SettingsT], FastAPI], settings: SettingsT) -> None:
    """Run the service in this process until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_DRAIN_S,
        # longer than clients keep an idle connection (httpx and many others: 5 s): they must be the ones to close it
        timeout_keep_alive=75,
    )
    _Server(config).run()
