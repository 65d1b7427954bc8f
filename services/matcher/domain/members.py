"""Writing into the columns: blocks of codes, and the lists of who is where. Compiled.

Blocks and lists lie in two arrays that only grow at their ends; what is given up is garbage until the next
`compact`. The caller sees to free space (`Side`): a kernel that finds none stops, and is called again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import Columns
from services.matcher.domain.compiled import compiled
from services.matcher.domain.prefetch import CODES_AHEAD, ROWS_AHEAD, prefetch

CODES, POOL, CODES_GARBAGE, POOL_GARBAGE = 0, 1, 2, 3
"""Places in `Columns.used`."""
START, LENGTH, ROOM = 0, 1, 2
"""Columns of `Columns.lists`."""
FIRST_ROOM: Final = 4
GRAIN: Final = 4
"""Blocks have room for a multiple of this."""


@compiled
def leave(own: Columns, row: int) -> None:
    """Take the row out of its lists: the last of each takes its place."""
    at, count = own.rows[row].at, own.rows[row].lists
    for number in range(count):
        code, place = own.codes[at + number], own.codes[at + count + number]
        start, last = own.lists[code, START], own.lists[code, LENGTH] - 1
        moved = own.pool[start + last]
        own.pool[start + place] = moved
        own.lists[code, LENGTH] = last
        moved_at, moved_count = own.rows[moved].at, own.rows[moved].lists
        for other in range(moved_count):
            if own.codes[moved_at + other] == code:
                own.codes[moved_at + moved_count + other] = place
    own.rows[row].lists = 0


@compiled
def join(own: Columns, row: int) -> None:
    """Put the row into the lists that its block names; there must be free pool for all of them to move."""
    at, count = own.rows[row].at, own.rows[row].lists
    for number in range(count):
        code = own.codes[at + number]
        start, length, room = own.lists[code, START], own.lists[code, LENGTH], own.lists[code, ROOM]
        if length == room:
            fresh = own.used[POOL]
            own.pool[fresh : fresh + length] = own.pool[start : start + length]
            own.lists[code, START] = start = fresh
            own.lists[code, ROOM] = max(FIRST_ROOM, 2 * room)
            own.used[POOL] += own.lists[code, ROOM]
            own.used[POOL_GARBAGE] += room
        own.pool[start + length] = row
        own.lists[code, LENGTH] = length + 1
        own.codes[at + count + number] = length


@compiled
def pool_needed(own: Columns, packed: NDArray[np.int32], at: int, count: int) -> int:
    """How much free pool it takes at most for a row to join these lists."""
    needed = 0
    for number in range(count):
        code = packed[at + number]
        if own.lists[code, LENGTH] == own.lists[code, ROOM]:
            needed += max(FIRST_ROOM, 2 * own.lists[code, ROOM])
    return needed


@compiled
def put(
    own: Columns, facts: NDArray[np.void], targets: NDArray[np.int32], packed: NDArray[np.int32], done: int, begin: int
) -> tuple[int, int]:
    """Write `facts[done:]` into the rows `targets[done:]`, each with its codes from `packed`.

    `packed` holds for each: how many memberships, how many codes in all, and these. Gives how many are done
    and where the next begins in `packed`; fewer than all where codes or pool are used up.
    """
    last = targets.size - 1
    while done < targets.size:
        prefetch(own.rows, targets[min(done + ROWS_AHEAD, last)])
        prefetch(own.codes, own.rows[targets[min(done + CODES_AHEAD, last)]].at)
        row, count, length = targets[done], packed[begin], packed[begin + 1]
        size = length + count  # the places of the memberships have no codes
        leave(own, row)
        old = own.rows[row]
        at, room = old.at, old.room
        if own.used[POOL] + pool_needed(own, packed, begin + 2, count) > own.pool.size:
            return done, begin
        if size > room:
            wide = (size + GRAIN - 1) // GRAIN * GRAIN
            if own.used[CODES] + wide > own.codes.size:
                return done, begin
            own.used[CODES_GARBAGE] += room
            at, room = own.used[CODES], wide
            own.used[CODES] += wide
        own.rows[row] = facts[done]
        own.rows[row].at, own.rows[row].room, own.rows[row].lists = at, room, count
        own.codes[at : at + count] = packed[begin + 2 : begin + 2 + count]
        own.codes[at + 2 * count : at + size] = packed[begin + 2 + count : begin + 2 + length]
        own.codes[at + size : at + room] = 0  # nothing of what was there stays
        join(own, row)
        done, begin = done + 1, begin + 2 + length
    return done, begin


@compiled
def compact(own: Columns, codes: NDArray[np.int32], pool: NDArray[np.int32], rows: int) -> None:
    """Copy all blocks and lists into these arrays, without the garbage between them."""
    used = 0
    for row in range(rows):
        at, room = own.rows[row].at, own.rows[row].room
        codes[used : used + room] = own.codes[at : at + room]
        own.rows[row].at = used
        used += room
    own.used[CODES], own.used[CODES_GARBAGE] = used, 0
    used = 0
    for code in range(own.lists.shape[0]):
        start, length, room = own.lists[code, START], own.lists[code, LENGTH], own.lists[code, ROOM]
        pool[used : used + length] = own.pool[start : start + length]
        own.lists[code, START] = used
        used += room
    own.used[POOL], own.used[POOL_GARBAGE] = used, 0
