"""MongoDB, the only place that knows the driver: PyMongo's own async client.

A transaction's callback may run more than once, so it has no side effects outside the session. A duplicate key
ends the transaction: catch `DuplicateKey` around it.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from bson.codec_options import CodecOptions
from pymongo import (
    AsyncMongoClient,
    DeleteMany,
    DeleteOne,
    InsertOne,
    ReadPreference,
    ReplaceOne,
    UpdateMany,
    UpdateOne,
    timeout,
)
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = [
    "SNAPSHOT",
    "BulkWriteError",
    "Collection",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "Document",
    "DriverError",
    "DuplicateKey",
    "InsertOne",
    "Mongo",
    "OperationFailure",
    "ReplaceOne",
    "Session",
    "UpdateMany",
    "UpdateOne",
    "Write",
    "after_commit",
    "only_duplicates",
    "to_its_end",
]

Document = dict[str, Any]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Session = AsyncClientSession
DuplicateKey = DuplicateKeyError
DriverError = PyMongoError
Write = InsertOne[Document] | UpdateOne | UpdateMany | ReplaceOne[Document] | DeleteOne | DeleteMany

_AWAY: Final = (AutoReconnect, ConnectionFailure, ExecutionTimeout, NetworkTimeout, WTimeoutError)
_DUPLICATE: Final = 11000
"""MongoDB's code for a duplicate key."""
_SELECTION_MS: Final = 3_000
_OPERATION_MS: Final = 15_000
"""Most that one operation, or one whole transaction with its retries, may take."""
_PING_S: Final = 1.0

SNAPSHOT: Final = ReadConcern("snapshot")
"""For a read that must not see a commit without the ones before it (a cursor otherwise sees what comes)."""

T = TypeVar("T")

_after_commit: WeakKeyDictionary[Session, list[Callable[[], None]]] = WeakKeyDictionary()
"""What is to be called when a session's transaction is committed."""


class Mongo:
    """One database on one replica set. Majority writes and reads; time stamps come back aware, in UTC."""

    def __init__(self, url: str, database: str) -> None:
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(
            url,
            serverSelectionTimeoutMS=_SELECTION_MS,
            timeoutMS=_OPERATION_MS,
            uuidRepresentation="standard",
            retryWrites=True,
        )
        self.db: Database = self._client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` in one transaction and return what it returns; it may run more than once.

        Raises Unavailable when the server is away, and whatever `work` raises, after rolling back.
        """
        try:
            async with self._client.start_session() as session:
                return await _insist(session, work)
        except PyMongoError as error:
            if away(error):
                raise Unavailable(str(error)) from error
            raise

    async def ping(self) -> bool:
        """True if the primary answers, and soon: whoever asks for a service's health does not wait long."""
        try:
            # the driver's own timeout, not asyncio's: whoever is cancelled while the driver waits for a server
            # leaves without its lock, or with another's, and everybody's next operation dies of it
            with timeout(_PING_S):
                await self.db.command("ping")
        except PyMongoError:
            return False
        return True

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


async def _insist(session: Session, work: Callable[[Session], Awaitable[T]]) -> T:
    """The loop of MongoDB's transactions specification; the driver's own does not try a failed commit again."""
    deadline, tries = time.monotonic() + _OPERATION_MS / 1000, 0
    while True:
        _after_commit[session] = []
        await session.start_transaction(read_concern=SNAPSHOT, write_concern=WriteConcern("majority"))
        try:
            result = await work(session)
            await _commit(session, deadline)
        except BaseException as error:
            if session.in_transaction:
                await session.abort_transaction()
            again = isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError")
            if not again or time.monotonic() > deadline:
                raise
            tries += 1
            # two that meet again and again must part
            await asyncio.sleep(random.uniform(0, min(0.5, 0.005 * 2**tries)))  # noqa: S311 - no secret
        else:
            for call in _after_commit.pop(session):
                call()
            return result


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Have `call` called when the session's transaction is committed; it may be left out by a crash."""
    _after_commit[session].append(call)


async def _commit(session: Session, deadline: float) -> None:
    """Commit; a commit whose answer was lost is asked for again, for it is the same one."""
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            unknown = error.has_error_label("UnknownTransactionCommitResult") and not error.timeout
            if not unknown or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` so that it ends by itself although the caller is cancelled: for what a client's leaving cancels.

    The driver's condition variables do not bear to be cancelled again and again, as anyio does it on Python 3.11:
    a waiter then leaves without the lock that it must hand back, and other tasks' operations fail.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # nobody is left who would hear of its failure
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        raise


def only_duplicates(error: BulkWriteError) -> bool:
    """True if all that failed of a bulk write are documents that were there already."""
    failed = error.details["writeErrors"]
    return bool(failed) and all(one["code"] == _DUPLICATE for one in failed)


def away(error: BaseException) -> bool:
    """True if this driver error means: the server cannot be reached now, or asks to try again."""
    return isinstance(error, PyMongoError) and (
        isinstance(error, _AWAY)
        or error.timeout
        or error.has_error_label("TransientTransactionError")
        or error.has_error_label("UnknownTransactionCommitResult")
    )
