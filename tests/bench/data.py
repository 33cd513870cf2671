"""The rows that all contestants answer from: the same on every database, made from nothing but their number."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Dialect, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex
from sqlalchemy.sql.ddl import DDLElement

from models import Base, Issue, Label, Link, Occurrence, Relation, Scope
from models.migrations import migrate
from models.postgresql import set_codecs
from models.sqlite_statistics import analyze

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
SEVERITIES = ("info", "minor", "major", "critical")
TYPES = ("build", "test", "release", "dependency", "pipeline", "incident")
SOURCES = ("tekton", "github", "argocd", None)
TEAMS = ("core", "web", "data", "infra", "mobile")
KINDS = ("RELATED", "CAUSED_BY", "DUPLICATE_OF")
ACTOR = {"kind": "WEBHOOK", "id": "tekton", "name": "tekton"}
BATCH = 20_000
CACHE_KIB = 500_000

_FIRST_MILLISECOND = int(START.timestamp() * 1000)
# A moment without a zone is written in half the time.
_START = START.replace(tzinfo=None)
_KIND_NUMBERS = {kind: place for place, kind in enumerate(("scope", "issue", "link", "occurrence", "relation"))}
# A multiple of it looks like chance in its upper digits: much cheaper than a digest.
_GOLDEN = 0x9E3779B97F4A7C15


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
    moment = _FIRST_MILLISECOND + number * 25
    rest = (number * _GOLDEN + _KIND_NUMBERS[kind]) & (1 << 62) - 1
    digits = f"{moment << 80 | 7 << 76 | 2 << 62 | rest:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def issue_id(number: int) -> str:
    """The id of the issue with this number, from 0."""
    return _id("issue", number)


def namespaces(sizes: Sizes) -> list[str]:
    """Their names."""
    return [f"team-{number:03}" for number in range(sizes.namespaces)]


def related_issues(sizes: Sizes, count: int) -> list[str]:
    """Ids of issues that have a relation, from all over."""
    step = max(1, sizes.relations // count)
    return [issue_id(source) for source, _ in islice(_pairs(sizes), 0, sizes.relations, step)][:count]


def _moment(sizes: Sizes, number: int) -> datetime:
    return _START + timedelta(0, DAYS * 86_400 * number // sizes.issues, number % 997)


def _text(moment: datetime) -> str:
    """As `models.values.time_of`, in a fraction of its time: for a moment in UTC without a zone."""
    return f"{moment.isoformat('T', 'microseconds')}Z"


def _title(number: int) -> str:
    return f"Pipeline step {number % 97} of component-{number:06} failed"


def _scopes(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.scopes):
        kind = ("pipelinerun", "component", "application")[number % 3]
        name, space = f"{kind}-{number:06}", f"team-{number % sizes.namespaces:03}"
        words = {"resource_type": kind, "resource_name": name, "resource_namespace": space}
        yield {"id": _id("scope", number), **words, **{f"{key}_folded": word for key, word in words.items()}}


def _issues(sizes: Sizes) -> Iterator[dict[str, Any]]:
    dice = random.Random(5)
    spaces = namespaces(sizes)
    resolved_by, acknowledged_by = (
        {done: {f"{what}_by_{key}": value if done else None for key, value in ACTOR.items()} for done in (False, True)}
        for what in ("resolved", "acknowledged")
    )
    for number in range(sizes.issues):
        detected = _moment(sizes, number)
        active = dice.random() < 0.2
        resolved = None if active else _text(detected + timedelta(minutes=1 + int(3_000 * dice.random())))
        acknowledged = _text(detected + timedelta(minutes=1)) if dice.random() < 0.2 else None
        # The scope lies in the namespace of its issues.
        turn = int(sizes.scopes // sizes.namespaces * dice.random() ** 2)  # some scopes are noisy
        scope = number % sizes.namespaces + sizes.namespaces * turn
        title = _title(number)
        description = (
            f"Task build-{number % 13} ended with exit code {number % 128}: " + "no space left on device. " * 3
        )
        source = dice.choice(SOURCES)
        space = spaces[number % sizes.namespaces]
        created = _text(detected)
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
            "fingerprint": f"{dice.getrandbits(128):032x}",
            "fingerprint_parts": "[]",
            "edited_fields": "[]",
            "detected_at": created,
            "last_detected_at": _text(detected + timedelta(seconds=30)),
            "occurrence_count": 1 + number % 7,
            "resolved_at": resolved,
            **resolved_by[not active],
            "acknowledged_at": acknowledged,
            **acknowledged_by[acknowledged is not None],
            "created_at": created,
            "updated_at": resolved or created,
        }


def _links(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.issues):
        for ordinal, name in enumerate(("Logs", "Pipeline run")):
            yield {
                "id": _id("link", 2 * number + ordinal),
                "issue_id": issue_id(number),
                "ordinal": ordinal,
                "title": name,
                "url": f"https://ci.example.com/{name[:4].lower()}/{number:06}",
            }


def _labels(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.issues):
        team = TEAMS[number * 0x9E3779B1 % 2**32 % 5]
        yield {"issue_id": issue_id(number), "name": "team", "value": team, "value_folded": team}


def _occurrences(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number in range(sizes.issues):
        at = _text(_moment(sizes, number))
        yield {
            "id": _id("occurrence", number),
            "issue_id": issue_id(number),
            "at": at,
            "received_at": at,
            "run_id": f"run-{number}",
            "title": _title(number),
            "description": "",
            "severity": "major",
            "links": "[]",
        }


def _relations(sizes: Sizes) -> Iterator[dict[str, Any]]:
    for number, (source, target) in enumerate(_pairs(sizes)):
        yield {
            "id": _id("relation", number),
            "kind": KINDS[number % 3],
            "source_id": issue_id(source),
            "target_id": issue_id(target),
            "created_at": _text(_moment(sizes, source)),
        }


def _pairs(sizes: Sizes) -> Iterator[tuple[int, int]]:
    """Relations between issues of one namespace; some have several, most one or none."""
    dice = random.Random(7)
    seen: set[tuple[int, int]] = set()
    while len(seen) < sizes.relations:
        source = int(sizes.issues * dice.random())
        target = (source + sizes.namespaces * dice.randrange(1, 40)) % sizes.issues
        pair = (source, target)
        if source != target and (source - target) % sizes.namespaces == 0 and pair not in seen:
            seen.add(pair)
            yield pair


_TABLES: Sequence[tuple[type[Base], Callable[[Sizes], Iterator[dict[str, Any]]]]] = (
    (Scope, _scopes),
    (Issue, _issues),
    (Link, _links),
    (Label, _labels),
    (Occurrence, _occurrences),
    (Relation, _relations),
)


def _rows(made: Iterator[dict[str, Any]]) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The columns that they have, and the rows in their order."""
    first = next(made)
    return list(first), (tuple(row.values()) for row in chain([first], made))


def _left_for_the_end(dialect: Dialect) -> tuple[list[str], list[str]]:
    """What drops the indexes and the foreign keys, and what makes them again: for all rows at once is much faster."""
    drop: list[DDLElement] = []
    make: list[DDLElement] = []
    for table in (Base.metadata.tables[model.__tablename__] for model, _ in _TABLES):
        for index in table.indexes:
            drop.append(DropIndex(index))
            make.append(CreateIndex(index))
        # SQLite cannot, and does not look at them unless it is told to. Not isolated: the table goes on having them.
        for key in table.foreign_key_constraints if dialect.supports_alter else ():
            drop.append(DropConstraint(key))
            make.append(AddConstraint(key, isolate_from_table=False))
    return [str(each.compile(dialect=dialect)) for each in drop], [str(each.compile(dialect=dialect)) for each in make]


def fill_sqlite(path: Path, sizes: Sizes) -> None:
    """A new file with the tables and the rows."""
    migrate(f"sqlite+aiosqlite:///{path}")
    drop, make_again = _left_for_the_end(sqlite.dialect())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # A file that is not whole is made anew.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("BEGIN")
        for statement in drop:
            connection.execute(statement)
        for model, make in _TABLES:
            names, rows = _rows(make(sizes))
            places = ", ".join("?" * len(names))
            connection.executemany(f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({places})", rows)
        for statement in make_again:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
        analyze(connection, 0)


def fill_postgres(url: str, sizes: Sizes) -> None:
    """The tables and the rows, in a database that is empty."""
    migrate(url)
    asyncio.run(_fill_postgres(url, sizes))


async def _fill_postgres(url: str, sizes: Sizes) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    drop, make_again = _left_for_the_end(postgresql.dialect())
    connection = await asyncpg.connect(plain)
    await set_codecs(connection)
    try:
        for statement in drop:
            await connection.execute(statement)
        for model, make in _TABLES:
            names, rows = _rows(make(sizes))
            while batch := list(islice(rows, BATCH)):
                await connection.copy_records_to_table(model.__tablename__, records=batch, columns=names)
        for statement in make_again:
            await connection.execute(statement)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
