"""The rows that all contestants answer from: the same on every database, made from nothing but their number."""

import asyncio
import hashlib
import random
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from models import Base, Issue, Label, Link, Occurrence, Relation, Scope
from models.migrations import migrate
from models.postgresql import set_codecs
from models.values import time_of

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
SEVERITIES = ("info", "minor", "major", "critical")
TYPES = ("build", "test", "release", "dependency", "pipeline", "incident")
SOURCES = ("tekton", "github", "argocd", None)
TEAMS = ("core", "web", "data", "infra", "mobile")
KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF")
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many issues there are; in a namespace of the default size 5,000 of them, one in five active."""

    issues: int = 100_000
    in_namespace: int = 5_000

    @property
    def name(self) -> str:
        """For a database."""
        return f"bench_{self.issues}_{self.in_namespace}"

    @property
    def namespaces(self) -> int:
        """How many there are."""
        return max(1, self.issues // self.in_namespace)

    @property
    def scopes(self) -> int:
        """One for five issues."""
        return self.issues // 5

    @property
    def relations(self) -> int:
        """One for two issues."""
        return self.issues // 2


def _id(kind: str, number: int) -> str:
    """A UUIDv7 that rises with the number, as ids do that are given out one after the other."""
    moment = int(START.timestamp() * 1000) + number * 25
    rest = int.from_bytes(hashlib.blake2b(f"{kind}{number}".encode(), digest_size=10).digest())
    value = moment << 80 | 7 << 76 | (rest >> 68) << 64 | 2 << 62 | rest & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def issue_id(number: int) -> str:
    """The id of the issue with this number, from 0."""
    return _id("issue", number)


def namespaces(sizes: Sizes) -> list[str]:
    """Their names."""
    return [f"team-{number:03}" for number in range(sizes.namespaces)]


def related_issues(sizes: Sizes, count: int) -> list[str]:
    """Ids of issues that have a relation, from all over."""
    step = max(1, sizes.relations // count)
    return [row["source_id"] for row in islice(_relations(sizes), 0, sizes.relations, step)][:count]


def _moment(sizes: Sizes, number: int) -> datetime:
    return START + timedelta(days=DAYS) * number / sizes.issues + timedelta(microseconds=number % 997)


def _scopes(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.scopes):
        kind = ("pipelinerun", "component", "application")[number % 3]
        name, space = f"{kind}-{number:06}", f"team-{number % sizes.namespaces:03}"
        words = {"resource_type": kind, "resource_name": name, "resource_namespace": space}
        yield {"id": _id("scope", number), **words, **{f"{key}_folded": word for key, word in words.items()}}


def _issues(sizes: Sizes) -> Iterator[dict[str, Any]]:
    actor = {"kind": "WEBHOOK", "id": "tekton", "name": "tekton"}
    nobody = dict.fromkeys(actor)
    for number in range(sizes.issues):
        dice = random.Random(number)
        detected = _moment(sizes, number)
        active = dice.random() < 0.2
        resolved = None if active else time_of(detected + timedelta(minutes=dice.randrange(1, 3_000)))
        acknowledged = time_of(detected + timedelta(minutes=1)) if dice.random() < 0.2 else None
        # The scope lies in the namespace of its issues.
        turn = int(sizes.scopes // sizes.namespaces * dice.random() ** 2)  # some scopes are noisy
        scope = number % sizes.namespaces + sizes.namespaces * turn
        title = f"Pipeline step {number % 97} of component-{number:06} failed"
        description = (
            f"Task build-{number % 13} ended with exit code {number % 128}: " + "no space left on device. " * 3
        )
        source = dice.choice(SOURCES)
        space = f"team-{number % sizes.namespaces:03}"
        yield {
            "id": issue_id(number),
            "namespace": space,
            "namespace_folded": space,
            "scope_id": _id("scope", scope),
            "title": title,
            "title_folded": title.casefold(),
            "description": description,
            "description_folded": description.casefold(),
            "severity": dice.choice(SEVERITIES),
            "issue_type": dice.choice(TYPES),
            "state": "ACTIVE" if active else "RESOLVED",
            "source": source,
            "source_folded": source,
            "fingerprint": hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest(),
            "fingerprint_parts": "[]",
            "edited_fields": "[]",
            "detected_at": time_of(detected),
            "last_detected_at": time_of(detected + timedelta(seconds=30)),
            "occurrence_count": 1 + number % 7,
            "resolved_at": resolved,
            **{f"resolved_by_{key}": value for key, value in (actor if resolved else nobody).items()},
            "acknowledged_at": acknowledged,
            **{f"acknowledged_by_{key}": value for key, value in (actor if acknowledged else nobody).items()},
            "created_at": time_of(detected),
            "updated_at": resolved or time_of(detected),
        }


def _links(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.issues):
        for ordinal, name in enumerate(("Logs", "Pipeline run")):
            url = f"https://ci.example.com/{name[:4].lower()}/{number:06}"
            link = {"id": _id("link", 2 * number + ordinal), "issue_id": issue_id(number)}
            yield {**link, "ordinal": ordinal, "title": name, "url": url}


def _labels(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.issues):
        team = TEAMS[number * 0x9E3779B1 % 2**32 % 5]
        yield {"issue_id": issue_id(number), "name": "team", "value": team, "value_folded": team}


def _occurrences(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.issues):
        at = time_of(_moment(sizes, number))
        yield {
            "id": _id("occurrence", number),
            "issue_id": issue_id(number),
            "at": at,
            "received_at": at,
            "run_id": f"run-{number}",
            "title": f"Pipeline step {number % 97} of component-{number:06} failed",
            "description": "",
            "severity": "major",
            "links": "[]",
        }


def _relations(sizes: Sizes) -> Iterator[dict[str, Any]]:
    """Between issues of one namespace; some have several, most one or none."""
    dice = random.Random(7)
    seen: set[tuple[int, int]] = set()
    number = 0
    while number < sizes.relations:
        source = dice.randrange(sizes.issues)
        target = (source + sizes.namespaces * dice.randrange(1, 40)) % sizes.issues
        pair = (source, target)
        if source == target or (source - target) % sizes.namespaces or pair in seen:
            continue
        seen.add(pair)
        yield {
            "id": _id("relation", number),
            "kind": KINDS[number % 3],
            "source_id": issue_id(source),
            "target_id": issue_id(target),
            "created_at": time_of(_moment(sizes, source)),
        }
        number += 1


_TABLES: Sequence[tuple[type[Base], Callable[[Sizes], Iterable[dict[str, Any]]]]] = (
    (Scope, _scopes),
    (Issue, _issues),
    (Link, _links),
    (Label, _labels),
    (Occurrence, _occurrences),
    (Relation, _relations),
)


def _rows(model: type[Base], made: Iterable[dict[str, Any]]) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The columns that are not computed, and the rows in their order."""
    names = [column.name for column in model.__table__.columns if column.computed is None]
    return names, (tuple(row.get(name) for name in names) for row in made)


def fill_sqlite(path: Path, sizes: Sizes) -> None:
    """A new file with the tables and the rows."""
    migrate(f"sqlite+aiosqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for model, make in _TABLES:
            names, rows = _rows(model, make(sizes))
            places = ", ".join("?" * len(names))
            connection.executemany(f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({places})", rows)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill_postgres(url: str, sizes: Sizes) -> None:
    """The tables and the rows, in a database that is empty."""
    migrate(url)
    asyncio.run(_fill_postgres(url, sizes))


async def _fill_postgres(url: str, sizes: Sizes) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    await set_codecs(connection)
    try:
        for model, make in _TABLES:
            names, rows = _rows(model, make(sizes))
            while batch := list(islice(rows, BATCH)):
                await connection.copy_records_to_table(model.__tablename__, records=batch, columns=names)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
