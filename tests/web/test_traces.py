"""OpenTelemetry: the spans that a collector gets, and that nothing is loaded when there is none."""

import http.client
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving import Server

SECRET = "s3cr3t"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector(monkeypatch):
    """Spans that were sent to a collector, as (name, attributes, span)."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = ExportTraceServiceRequest()
            sent.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
            received.append(sent)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield received
    server.shutdown()
    server.server_close()


def spans_of(received):
    return [
        (span.name, {each.key: value_of(each.value) for each in span.attributes}, span)
        for request in received
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def value_of(value):
    return getattr(value, value.WhichOneof("value"))


def test_a_collector_gets_requests_reads_and_batches(database_url, tmp_path, collector):
    with Server(database_url, tmp_path) as server:
        body = {"pipelineName": "p", "namespace": "team", "failureReason": "r"}
        assert server.post("/api/v1/webhooks/pipeline-failure", body, token=SECRET)[0] == 201
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "mine"}
        connection.request("GET", "/graphql?query={issues{totalCount}}", headers=headers)
        assert json.load(connection.getresponse())["data"] == {"issues": {"totalCount": 1}}
        connection.close()
        server.get("/api/v1/issues/unknown")
        server.get("/nowhere/igt_0123456789abcdef")
        server.stop()

    spans = spans_of(collector)
    assert [each[1]["url.path"] for each in spans if "/nowhere" in each[1].get("url.path", "")] == ["/nowhere/[hidden]"]
    (asked,) = [each for each in spans if each[0] == "GET /graphql"]
    assert asked[1] == {
        "http.request.method": "GET",
        "url.path": "/graphql",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "issuegraph.request_id": "mine",
    }
    assert (asked[2].trace_id.hex(), asked[2].parent_span_id.hex()) == (TRACE, PARENT)
    within = [each for each in spans if each[2].parent_span_id == asked[2].span_id]
    assert [name for name, _, _ in within] == ["plan read"]
    assert within[0][1]["db.system.name"] == ("sqlite" if database_url.startswith("sqlite") else "postgresql")
    assert within[0][1]["issuegraph.statements"] >= 1

    names = {name for name, _, _ in spans}
    assert {"POST /api/v1/webhooks/pipeline-failure", "GET /api/v1/issues/{id}", "command batch"} <= names
    (batch,) = [each for each in spans if each[0] == "command batch"]
    assert batch[1] == {"issuegraph.commands": 1}
    # What the server reads by itself is nobody's trace.
    assert all(each[2].parent_span_id for each in spans if each[0] == "plan read")
    assert SECRET not in str(spans)
    (service,) = {
        value_of(each.value)
        for request in collector
        for resource in request.resource_spans
        for each in resource.resource.attributes
        if each.key == "service.name"
    }
    assert service == "issuegraph"


LOADED = """
import sys
from web.app import create_app
from web.settings import Settings
create_app(Settings())
print(*(name for name in sys.modules if name.startswith(("opentelemetry", "requests", "google"))))
"""


def test_without_a_collector_nothing_is_loaded(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_without_the_extra_it_says_so_and_serves(monkeypatch, caplog):
    from web import traces

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(traces, "find_spec", lambda name: None)
    assert traces.traces_wanted() is None
    assert "extra `otel`" in caplog.text
