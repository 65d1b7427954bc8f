"""Every metric of the platform, in one place. Labels are few and bounded: never an id."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_BATCH = (1, 5, 10, 50, 100, 200, 500, 1000)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

# Consuming: what came in, by consumer group.
RECORDS = Counter("events_consumed_total", "Records handled, by what became of them", ["group", "outcome"])
BATCH_RECORDS = Histogram("event_batch_records", "Records handled together", ["group"], buckets=_BATCH)
BATCH_SECONDS = Histogram("event_batch_seconds", "Time to handle a batch", ["group"], buckets=_SECONDS)
HELD = Gauge("partitions_held", "Partitions that wait because handling failed", ["group"])
HALTED = Gauge("partitions_halted", "ALARM: stored offset lies beyond the topic's end", ["group"])
LAG = Gauge("consumer_lag_records", "Records not yet handled", ["group"])
DEAD_LETTERS = Counter("dead_letters_total", "Records given up", ["group", "code"])
DEAD_LETTERS_BLOCKED = Gauge("dead_letters_blocked", "ALARM: dead letters cannot be written", ["group"])

# Publishing: outbox and relay, by service.
PUBLISHED = Counter("events_published_total", "Records acknowledged by Kafka", ["service", "topic"])
PUBLISH_FAILED = Counter("publish_failures_total", "Publications that failed and are tried again", ["service"])
OUTBOX_ROWS = Gauge("outbox_rows", "Rows not yet published", ["service"])
RELAY_LEADER = Gauge("relay_leader", "1 in the process that publishes the outbox", ["service"])
DISPLACED = Counter("records_displaced_total", "Newest records that a late writer displaced, written again", ["topic"])
FILLERS = Counter("filler_records_total", "Fillers written so that idle partitions forget", ["topic"])

# Postings.
DUPLICATE_DOUBTS = Gauge("duplicate_doubts", "Pairs of postings that an operator should say to be one vacancy or two")
SNAPSHOTS_HELD = Gauge("partner_snapshots_held", "ALARM: snapshots whose closures wait for an operator")
PULLS = Counter("partner_pulls_total", "Fetches of partners' feeds, by what came of them", ["outcome"])
PULLS_FAILING = Gauge("partner_pulls_failing", "ALARM: feeds whose fetching was stopped, or failed three times running")

# Matcher.
LISTS = Counter("lists_written_total", "Lists written, by kind and cause", ["kind", "cause"])
LIST_SECONDS = Histogram("list_compute_seconds", "Time to compute one list", ["kind"], buckets=_SECONDS)
INDEX_ROWS = Gauge("index_rows", "Live rows of the index", ["kind"])
REFRESH_QUEUE = Gauge("refresh_queue", "Lists that wait to be refreshed", ["kind"])
POLICY_REVISION = Gauge("matching_policy_revision", "Which setting of the matching policy this process follows")
POLICIES_REFUSED = Gauge("matching_policies_refused", "ALARM: records of policies.v1 that are no policy, ignored")

# Notifications. A pair is told or retracted when its recipient's inbox is brought up to date.
LISTS_TAKEN = Counter("lists_taken_total", "Lists handled, also those that a newer one had replaced", ["kind"])
LIST_LATENCY = Histogram(
    "list_latency_seconds",
    "From the record that caused a list to the list stored",
    ["kind"],
    buckets=_SECONDS,
)
PAIRS_TOLD = Counter("pairs_told_total", "Changes in inboxes, by recipients' side and event", ["side", "event"])
STREAMS = Gauge("streams_open", "Server-sent event streams that are open")

# HTTP, by route template.
HTTP_SECONDS = Histogram("http_request_seconds", "Time to answer", ["method", "route", "status"], buckets=_SECONDS)
