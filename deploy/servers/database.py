"""How the one-node MongoDB is configured, as a process and as a container alike."""

from typing import Final

MONGO_OPTIONS: Final = (
    *("--replSet", "rs0", "--oplogSize", "1024"),
    # The default is half of the memory, for one server of several; a season's lists and their index need this much.
    *("--wiredTigerCacheSizeGB", "2"),
    # What a killed process leaves locked is free again after this, not after a minute.
    *("--setParameter", "transactionLifetimeLimitSeconds=15"),
    # Nobody reads what was true minutes ago: kept for the default of 300 s it costs MongoDB a tenth of its time.
    *("--setParameter", "minSnapshotHistoryWindowInSeconds=20"),
)
