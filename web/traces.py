"""OpenTelemetry: a span for each request, each batch of commands and each read of a plan, if somebody collects them.

Nothing of the library is read unless it is installed (the extra `otel`) and `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from models.database import Database, Work
from models.lines import OWN
from web.asgi import App, Message, Receive, Scope, Send
from web.health import VERSION
from web.logs import REQUEST_ID, without_secrets
from web.route_counts import RouteCounts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

T = TypeVar("T")

logger = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Traces:
    """Makes spans and sends them, as the OTEL_... variables of the environment say."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are secrets, which never come into a span."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._known = tuple(known)
        resource = Resource.create(
            {"service.name": os.environ.get("OTEL_SERVICE_NAME", "issuegraph"), "service.version": VERSION}
        )
        self._provider: TracerProvider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("issuegraph", VERSION)

    def of_requests(self, app: App, counts: RouteCounts) -> App:
        """The application with a span around each request: of the caller's trace, if it names one."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, Status, StatusCode

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            named = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            method = scope["method"]
            with self._tracer.start_as_current_span(method, context=extract(named), kind=SpanKind.SERVER) as span:

                async def sending(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        status = message["status"]
                        span.set_attribute("http.response.status_code", status)
                        if status >= 500:
                            span.set_status(Status(StatusCode.ERROR))
                    await send(message)

                # Never the query, which may hold a token.
                span.set_attribute("http.request.method", method)
                span.set_attribute("url.path", without_secrets(scope["path"], self._known))
                await app(scope, receive, sending)
                route = counts.route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("issuegraph.request_id", REQUEST_ID.get())

        return traced

    @contextmanager
    def of_batch(self, commands: int) -> Iterator[None]:
        """Around a transaction of so many commands."""
        with self._tracer.start_as_current_span("command batch", attributes={"issuegraph.commands": commands}):
            yield

    async def read(self, database: Database, work: Work[T], statements: int, line: str) -> T:
        """A read of `database`, with a span if it is within one: nobody asked for what the server reads by itself."""
        from opentelemetry.trace import get_current_span

        if not get_current_span().is_recording():
            return await Database.read(database, work, statements=statements, line=line)
        attributes: dict[str, str | int] = {"db.system.name": database.name, "issuegraph.statements": statements}
        with self._tracer.start_as_current_span("plan read", attributes=attributes):
            return await Database.read(database, work, statements=statements, line=line)

    async def close(self) -> None:
        """Sends what was not sent yet."""
        await asyncio.to_thread(self._provider.shutdown)


class TracedDatabase(Database):
    """A database whose reads are traced."""

    traces: Traces

    async def read(self, work: Work[T], *, statements: int = 2, line: str = OWN) -> T:
        """As Database.read."""
        return await self.traces.read(self, work, statements, line)


def traces_wanted(known: Iterable[str] = ()) -> Traces | None:
    """What makes spans, if somebody collects them. `known` are secrets."""
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        logger.warning("%s is set, but the extra `otel` is not installed: there will be no traces", _ENDPOINTS[0])
        return None
    return Traces(known)
