"""The floor: each question's SQL written by hand, one statement, behind a bare ASGI callable; rows straight to orjson.

No GraphQL, no checks, nobody is asked who they are. It shows what the database, its driver and HTTP cost by themselves.
"""

import asyncio
import base64
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import uvicorn

TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

_RELATED = """array(
    SELECT row({columns}, i2.id::text, i2.title, i2.state)
    FROM relation r JOIN issue i2 ON i2.id = r.{far} WHERE r.{near} = i.id ORDER BY r.id DESC LIMIT 10)"""

PAGE = f"""
    SELECT i.id::text, i.title, i.description, i.severity, i.issue_type, i.state, {TIME.format("i.detected_at")},
        i.occurrence_count, s.id::text, s.resource_type, s.resource_name, s.resource_namespace,
        array(SELECT row(l.title, l.url) FROM link l WHERE l.issue_id = i.id ORDER BY l.ordinal),
        {_RELATED.format(columns="1", near="source_id", far="target_id")},
        {_RELATED.format(columns="1", near="target_id", far="source_id")}
    FROM issue i JOIN scope s ON s.id = i.scope_id
    WHERE i.namespace = $1 AND i.state = 'ACTIVE' ORDER BY i.detected_at DESC, i.id DESC LIMIT 50"""

_DRAWN = f"r.id::text, r.kind, {TIME.format('r.created_at')}"
_TIMES = ", ".join(
    TIME.format(f"i.{name}")
    for name in ("detected_at", "last_detected_at", "resolved_at", "acknowledged_at", "created_at", "updated_at")
)
ISSUE = f"""
    SELECT i.id::text, i.namespace, i.title, i.description, i.severity, i.issue_type, i.state, i.occurrence_count,
        i.source, {_TIMES}, s.id::text, s.resource_type, s.resource_name, s.resource_namespace,
        array(SELECT row(l.id::text, l.title, l.url) FROM link l WHERE l.issue_id = i.id ORDER BY l.ordinal),
        array(SELECT row(b.name, b.value) FROM label b WHERE b.issue_id = i.id ORDER BY b.name, b.value),
        {_RELATED.format(columns=_DRAWN, near="source_id", far="target_id")},
        {_RELATED.format(columns=_DRAWN, near="target_id", far="source_id")}
    FROM issue i JOIN scope s ON s.id = i.scope_id WHERE i.id = $1"""

GRAPH = """
    WITH RECURSIVE walked(id, distance) AS (
        SELECT id, 0 FROM issue WHERE id = $1
        UNION
        SELECT step.id, walked.distance + 1 FROM walked CROSS JOIN LATERAL (
            SELECT target_id AS id FROM relation WHERE source_id = walked.id AND kind = ANY($2)
            UNION ALL SELECT source_id FROM relation WHERE target_id = walked.id AND kind = ANY($2)
        ) step WHERE walked.distance < 2
    ), nodes AS (SELECT id, min(distance) AS distance FROM walked GROUP BY id ORDER BY 2, 1 LIMIT 200)
    SELECT
        array(SELECT row(n.distance, i.id::text, i.title, i.severity, i.state)
              FROM nodes n JOIN issue i ON i.id = n.id ORDER BY n.distance, n.id),
        array(SELECT row(r.source_id::text, r.target_id::text, r.kind)
              FROM nodes n JOIN relation r ON r.source_id = n.id
              WHERE r.target_id IN (SELECT id FROM nodes) AND r.kind = ANY($2) ORDER BY r.id)"""

_FILTERED = "i.namespace = $1 AND i.state = 'ACTIVE' AND i.severity_rank = $2"
CONNECTION = f"""
    SELECT (SELECT count(*) FROM issue i WHERE {_FILTERED}), array(
        SELECT row(i.id::text, i.title, i.severity, i.issue_type, {TIME.format("i.detected_at")},
                   s.resource_type, s.resource_name)
        FROM issue i JOIN scope s ON s.id = i.scope_id
        WHERE {_FILTERED} ORDER BY i.detected_at DESC, i.id DESC LIMIT $3)"""

_ENDED = "greatest(i.resolved_at, i.detected_at)"
_MINE = "FROM issue i WHERE i.namespace = $1"


def _days(time: str, condition: str = "true") -> str:
    day = f"date_trunc('day', {time} AT TIME ZONE 'UTC')"
    return f"""array(SELECT row({day}, count(*)) {_MINE} AND {time} >= $2 AND {time} < $3 AND {condition}
        GROUP BY {day})"""


def _quantile(share: float) -> str:
    return f"percentile_cont({share}) WITHIN GROUP (ORDER BY seconds)"


STATS = f"""
    SELECT
        array(SELECT row(state, severity, issue_type, count(*)) {_MINE} GROUP BY state, severity, issue_type),
        array(SELECT row(value, n) FROM (
            SELECT b.value, count(*) AS n FROM issue i JOIN label b ON b.issue_id = i.id AND b.name = 'team'
            WHERE i.namespace = $1 GROUP BY b.value ORDER BY 2 DESC, 1 LIMIT 20) t),
        array(SELECT row(source, n) FROM (
            SELECT source, count(*) AS n {_MINE} GROUP BY source ORDER BY 2 DESC, 1 NULLS LAST LIMIT 20) t),
        array(SELECT row(s.resource_type, s.resource_name, s.resource_namespace, n) FROM (
            SELECT scope_id, count(*) AS n {_MINE} GROUP BY scope_id ORDER BY 2 DESC, 1 LIMIT 20) t
            JOIN scope s ON s.id = t.scope_id ORDER BY n DESC, s.id),
        {_days("i.detected_at")},
        {_days("i.resolved_at")},
        {_days(_ENDED, "i.resolved_at IS NOT NULL")},
        (SELECT count(*) {_MINE} AND i.detected_at < $2 AND (i.resolved_at IS NULL OR {_ENDED} >= $2)),
        array(SELECT row(day, n) FROM (
            SELECT date_trunc('day', o.at AT TIME ZONE 'UTC') AS day, count(*) AS n
            FROM issue i JOIN occurrence o ON o.issue_id = i.id
            WHERE i.namespace = $1 AND o.at >= $2 AND o.at < $3 GROUP BY 1) t),
        (SELECT row(count(*), {_quantile(0.5)}, {_quantile(0.9)})
         FROM (SELECT extract(epoch FROM {_ENDED} - i.detected_at)::float8 AS seconds {_MINE}
               AND i.resolved_at IS NOT NULL) t)"""

SEVERITIES = ("info", "minor", "major", "critical")
TYPES = ("build", "test", "release", "dependency", "pipeline", "incident")
UPPER = {word: word.upper() for word in (*SEVERITIES, *TYPES)}
KINDS = ["RELATED", "CAUSED_BY", "DUPLICATE_OF"]

Row = Sequence[Any]


def _scope(row: Row, place: int) -> Any:
    return {
        "id": row[place],
        "resourceType": row[place + 1],
        "resourceName": row[place + 2],
        "resourceNamespace": row[place + 3],
    }


def _page(rows: Sequence[Row], given: Any) -> Any:
    nodes = [
        {
            "id": row[0],
            "title": row[1],
            "description": row[2],
            "severity": UPPER[row[3]],
            "issueType": UPPER[row[4]],
            "state": row[5],
            "detectedAt": row[6],
            "occurrenceCount": row[7],
            "scope": _scope(row, 8),
            "links": [{"title": link[0], "url": link[1]} for link in row[12]],
            "relatedFrom": {"nodes": [{"target": {"id": end[1], "title": end[2], "state": end[3]}} for end in row[13]]},
            "relatedTo": {"nodes": [{"source": {"id": end[1], "title": end[2], "state": end[3]}} for end in row[14]]},
        }
        for row in rows
    ]
    return {"issues": {"nodes": nodes}}


def _issue(rows: Sequence[Row], given: Any) -> Any:
    (row,) = rows

    def drawn(name: str, relations: Sequence[Row]) -> Any:
        return {
            "nodes": [
                {
                    "id": one[0],
                    "kind": one[1],
                    "createdAt": one[2],
                    name: {"id": one[3], "title": one[4], "state": one[5]},
                }
                for one in relations
            ]
        }

    return {
        "issue": {
            "id": row[0],
            "namespace": row[1],
            "title": row[2],
            "description": row[3],
            "severity": UPPER[row[4]],
            "issueType": UPPER[row[5]],
            "state": row[6],
            "detectedAt": row[9],
            "lastDetectedAt": row[10],
            "occurrenceCount": row[7],
            "resolvedAt": row[11],
            "acknowledgedAt": row[12],
            "createdAt": row[13],
            "updatedAt": row[14],
            "source": row[8],
            "scope": _scope(row, 15),
            "links": [{"id": link[0], "title": link[1], "url": link[2]} for link in row[19]],
            "labels": [{"name": label[0], "value": label[1]} for label in row[20]],
            "relatedFrom": drawn("target", row[21]),
            "relatedTo": drawn("source", row[22]),
        }
    }


def _graph(rows: Sequence[Row], given: Any) -> Any:
    ((nodes, edges),) = rows
    return {
        "issueGraph": {
            "nodes": [
                {
                    "distance": node[0],
                    "issue": {"id": node[1], "title": node[2], "severity": UPPER[node[3]], "state": node[4]},
                }
                for node in nodes
            ],
            "edges": [{"sourceId": one[0], "targetId": one[1], "relation": {"kind": one[2]}} for one in edges],
        }
    }


def _connection(rows: Sequence[Row], given: Any) -> Any:
    ((total, found),) = rows
    shown = found[: given["first"]]
    edges = [
        {
            # As a client can send it back: base64 of the sort values.
            "cursor": base64.urlsafe_b64encode(orjson.dumps([row[4], row[0]])).decode(),
            "node": {
                "id": row[0],
                "title": row[1],
                "severity": UPPER[row[2]],
                "issueType": UPPER[row[3]],
                "detectedAt": row[4],
                "scope": {"resourceType": row[5], "resourceName": row[6]},
            },
        }
        for row in shown
    ]
    info = {
        "hasNextPage": len(found) > given["first"],
        "hasPreviousPage": False,
        "startCursor": edges[0]["cursor"] if edges else None,
        "endCursor": edges[-1]["cursor"] if edges else None,
    }
    return {"issues": {"totalCount": total, "pageInfo": info, "edges": edges}}


def _stats(rows: Sequence[Row], given: Any) -> Any:
    ((words, teams, sources, scopes, *days, lasting),) = rows
    opened, resolved, closed, active, occurrences = days
    opened, resolved, closed, occurrences = map(dict, (opened, resolved, closed, occurrences))

    def by(place: int, name: str, known: Sequence[str]) -> Any:
        counts = dict.fromkeys(known, 0)
        for row in words:
            counts[row[place]] += row[3]
        return [{name: word.upper(), "count": count} for word, count in counts.items()]

    points = []
    start, end = (datetime.fromisoformat(given[name]).replace(tzinfo=None) for name in ("from", "to"))
    while start < end:
        active += opened.get(start, 0) - closed.get(start, 0)
        points.append(
            {
                "start": f"{start.isoformat()}.000000Z",
                "opened": opened.get(start, 0),
                "resolved": resolved.get(start, 0),
                "activeAtEnd": active,
                "occurrences": occurrences.get(start, 0),
            }
        )
        start += timedelta(days=1)
    total = sum(row[3] for row in words)
    return {
        "issueStats": {
            "total": total,
            "byState": by(0, "state", ("ACTIVE", "RESOLVED")),
            "bySeverity": by(1, "severity", SEVERITIES),
            "byType": by(2, "issueType", TYPES),
            "byNamespace": [{"namespace": given["namespace"], "count": total}],
            "byScope": [
                {
                    "scope": {"resourceType": row[0], "resourceName": row[1], "resourceNamespace": row[2]},
                    "count": row[3],
                }
                for row in scopes
            ],
            "byLabel": [{"label": {"name": "team", "value": row[0]}, "count": row[1]} for row in teams],
            "bySource": [{"source": row[0], "count": row[1]} for row in sources],
            "series": points,
            "timeToResolve": dict(zip(("count", "median", "p90"), lasting, strict=True)),
        }
    }


def _times(given: Any) -> list[Any]:
    return [given["namespace"], *(datetime.fromisoformat(given[name]) for name in ("from", "to"))]


ANSWERS: dict[str, tuple[str, Callable[[Any], list[Any]], Callable[[Sequence[Row], Any], Any]]] = {
    "page": (PAGE, lambda given: [given["namespace"]], _page),
    "issue": (ISSUE, lambda given: [given["id"]], _issue),
    "graph": (GRAPH, lambda given: [given["ids"][0], KINDS], _graph),
    "connection": (
        CONNECTION,
        lambda given: [given["namespace"], SEVERITIES.index(given["severity"].lower()), given["first"] + 1],
        _connection,
    ),
    "stats": (STATS, _times, _stats),
}


class Floor:
    """The ASGI callable; `query` is the name of a question."""

    def __init__(self) -> None:
        # asyncpg's own pool asks the server to reset the session each time: half of what a small answer costs.
        self._idle: list[Any] = []
        self._places = asyncio.Semaphore(int(os.environ["POOL"]))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        asked = orjson.loads(body)
        answer: Any = {"data": {"__typename": "Query"}}
        if asked["query"] in ANSWERS:
            sql, arguments, read = ANSWERS[asked["query"]]
            given = asked["variables"]
            async with self._places:
                connection = (
                    self._idle.pop()
                    if self._idle
                    else await asyncpg.connect(
                        os.environ["DATABASE_URL"],
                        # As issuegraph: planned once a connection.
                        server_settings={"plan_cache_mode": "force_generic_plan", "jit": "off"},
                    )
                )
                rows = await connection.fetch(sql, *arguments(given))
                self._idle.append(connection)
            answer = {"data": read(rows, given)}
        out = orjson.dumps(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(out))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": out})


if __name__ == "__main__":
    uvicorn.run(
        Floor(), port=int(os.environ["PORT"]), loop="uvloop", http="httptools", log_level="warning", lifespan="off"
    )
