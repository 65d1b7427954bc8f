"""Settings that every service has: read from the environment once, in `app.py`, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The project's root: where `deploy/topics.toml` lies."""


class ServiceSettings(BaseSettings):
    """Each field is an environment variable of the same name in capitals."""

    # An empty variable is one that nobody set.
    model_config = SettingsConfigDict(extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True)

    kafka_bootstrap: str = "localhost:9092"
    mongo_url: str = "mongodb://localhost:27017/?replicaSet=rs0"
    redis_url: str = "redis://localhost:6379/0"
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    public_docs: bool = True
    """Serve `/docs` and `/openapi.json`."""

    keys_dir: Path = Path(".dev/keys")
    """`jwks.json` (whose tokens are believed) and, for profiles, `profile.key`."""
    dev_keys: bool = False
    """Make a development key pair in `keys_dir` if there is none."""
    jwks_url: str | None = None
    """Take the public keys from here instead of `keys_dir/jwks.json`."""
    jwt_issuer: str = "employment-platform"
    jwt_audience: str = "employment-platform"

    service_state_dir: Path = Path(".dev/state")
    taxonomy_file: Path | None = None
    """The taxonomy; without it, the one that `make taxonomy` builds in `.cache/`."""
    taxonomy_dir: Path | None = None
    """The folder with publishers' files that it was built from; without it, registry packages."""
    models_dir: Path | None = None
    """The sentence models; without it, those that set-up puts into `.cache/`. Where they are not, words have to do."""
    topics_file: Path = ROOT / "deploy" / "topics.toml"
    replication_factor: int = Field(default=1, ge=1)
    """Of topics that are created: 3 on a cluster of three and more brokers."""

    log_level: str = "INFO"
    trace_dir: Path | None = None
    """Write spans as JSON lines into this folder (development)."""
    otel_exporter_otlp_endpoint: str | None = None
    """Send spans to this collector."""
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    """Share of traces that start here and are recorded; a caller's decision is kept."""

    session_timeout_ms: int = 10_000
    """A consumer that was silent for so long loses its partitions."""
    batch_records: int = Field(default=500, ge=1)
    """Most records handled, and saved, together."""
    poll_ms: int = 200
    """How long a consumer waits for the next records at a time; what comes ends the wait."""
    fetch_wait_ms: int = 250
    """How long the broker holds a fetch open when nothing comes; a rebalance may take as much longer."""
    fetch_busy_ms: int = 20
    """The same for a fetch that leaves partitions out (`shared.asking`): what comes to those waits as long."""
    gather_ms: int = 20
    """While many records come together, the broker gathers them for so long: larger batches."""
    lease_s: float = 10.0
    """A relay, or a job that must run once, that was silent for so long is replaced."""
    relay_rows: int = 2_000
    """Most outbox rows published together."""
    publish_timeout_s: float = 30.0
    """After this a publication counts as failed and the producer is made anew."""
    filler_every_s: float = 86_400.0
    """How often each partition of a compacted topic gets a filler record, so that its last segment rolls."""
    stuck_after_s: float = 60.0
    """Not live when positions have not moved for so long although there is lag."""
