"""How the one-node MongoDB is configured, as a process and as a container alike."""

from typing import Final

EVICTION: Final = (
    "eviction_dirty_target=40,eviction_dirty_trigger=60,eviction_updates_target=20,eviction_updates_trigger=40"
)
"""Percent of the cache."""
MONGO_OPTIONS: Final = (
    *("--replSet", "rs0", "--oplogSize", "1024"),
    # The default is half of the memory, for one server of several; a season's lists and their index need this much.
    *("--wiredTigerCacheSizeGB", "2"),
    # What a killed process leaves locked is free again after this, not after a minute.
    *("--setParameter", "transactionLifetimeLimitSeconds=15"),
    # Nobody reads what was true minutes ago: kept for the default of 300 s it costs MongoDB a tenth of its time.
    *("--setParameter", "minSnapshotHistoryWindowInSeconds=20"),
    # Lists change in place all over their index. From the default on (5 % of the cache changed) the pages are written
    # again and again between checkpoints, which took as much time as the changes; so it is left to the checkpoints.
    *("--wiredTigerEngineConfigString", EVICTION),
)
