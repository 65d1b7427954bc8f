"""Logs as JSON lines with trace ids, and traces that go across Kafka.

A batch is one span, linked to its messages; each message whose trace is recorded gets a span of its own as a
child of its sender's, so that one event can be followed through all services. Unrecorded ones cost nothing.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from shared.contracts.envelope import TRACEPARENT

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from shared.settings import ServiceSettings

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("platform")
_SAMPLED = frozenset("13579bdf")
MAX_LINKS = 128
"""OpenTelemetry's own default limit of links a span."""


def _trace_ids(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


def configure_logs(service: str, level: str) -> None:
    """JSON lines on standard output, of this service's and its libraries' loggers alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace_ids,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "httpx", "uvicorn.access", "pymongo", "faststream", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


class JsonLinesExporter(SpanExporter):
    """Spans as JSON lines in one file, for development and demos."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self._file.write(json.dumps(_span_fields(span)) + "\n")
        self._file.flush()
        return SpanExportResult.SUCCESS

    @override
    def shutdown(self) -> None:
        self._file.close()


def _span_fields(span: ReadableSpan) -> dict[str, object]:
    context = span.get_span_context()
    return {
        "trace_id": f"{context.trace_id:032x}" if context else "",
        "span_id": f"{context.span_id:016x}" if context else "",
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "service": span.resource.attributes.get("service.name"),
        "name": span.name,
        "kind": span.kind.name,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "attributes": dict(span.attributes or {}),
        "links": [f"{link.context.trace_id:032x}" for link in span.links],
    }


def configure_traces(service: str, instance: str, settings: ServiceSettings) -> TracerProvider:
    """Record spans if there is somewhere to send them; return the provider, to be shut down at the end."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.instance.id": instance}),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)),
    )
    if settings.trace_dir is not None:
        exporter = JsonLinesExporter(settings.trace_dir / f"{service}-{instance}.jsonl")
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
    if settings.otel_exporter_otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def span(name: str, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[trace.Span]:
    """A span around a block, child of the current one."""
    return _TRACER.start_as_current_span(name, kind=kind)


def server_span(name: str, traceparent: str | None) -> AbstractContextManager[trace.Span]:
    """The span of one HTTP request, child of the caller's."""
    context = _PROPAGATOR.extract({TRACEPARENT: traceparent}) if traceparent else None
    return _TRACER.start_as_current_span(name, context=context, kind=SpanKind.SERVER)


def current_traceparent() -> str | None:
    """The W3C header of the current span; None outside any."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(TRACEPARENT)


def sampled(traceparent: str | None) -> SpanContext | None:
    """The sender's context if its trace is recorded."""
    # the last digit has the flags that matter, sampled (1) and random (2): an unrecorded message costs no parsing
    if not traceparent or traceparent[-1] not in _SAMPLED:
        return None
    context = trace.get_current_span(_PROPAGATOR.extract({TRACEPARENT: traceparent})).get_span_context()
    return context if context.is_valid and context.trace_flags & TraceFlags.SAMPLED else None


def batch_span(name: str, traceparents: Iterator[str | None]) -> AbstractContextManager[trace.Span]:
    """One span for a batch, linked to its recorded messages (the first 128)."""
    links: list[Link] = []
    for traceparent in traceparents:
        context = sampled(traceparent)
        if context is not None:
            links.append(Link(context))
            if len(links) == MAX_LINKS:
                break
    return _TRACER.start_as_current_span(name, kind=SpanKind.CONSUMER, links=links)


def begin_message(name: str, traceparent: str | None, attributes: dict[str, str | int]) -> trace.Span | None:
    """Start the span of one message of a batch, as a child of its sender's; the caller ends it.

    None if the sender's trace is not recorded.
    """
    sender = sampled(traceparent)
    if sender is None:
        return None
    batch = trace.get_current_span().get_span_context()
    return _TRACER.start_span(
        name,
        context=trace.set_span_in_context(trace.NonRecordingSpan(sender)),
        kind=SpanKind.CONSUMER,
        links=[Link(batch)] if batch.is_valid else [],
        attributes=attributes,
    )


def traceparent_of(own: trace.Span) -> str:
    """The W3C header that makes the receiver's span a child of this one."""
    context = own.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
