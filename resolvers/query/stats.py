"""Counts of issues, of one set or of one set a scope; one statement a breakdown, or one that reads the issues once."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, literal_column, or_, select

from models import Issue, Label, Occurrence, Scope
from models.base import Id, Time, Word
from models.database import Steps
from models.dialect import ListOf, any_of, in_any_order, later_of, seconds_between, time_bucket
from models.values import now
from resolvers.query.counted import OF_WORDS, WORDS, Issues, reads_of
from resolvers.query.lists import filter_issues, table_source
from resolvers.query.made import Made, at, constant, make_object
from resolvers.query.objects import make_of, picker
from resolvers.query.plan import Asked, Build, Fetch, Run, enum_names, plain, whole_number
from resolvers.query.selection import Field
from resolvers.query.series import Series, series_of
from resolvers.query.source import Source, groups_of

# For each key, the value of one field.
Part = Callable[[Run, list[Any]], Steps[Mapping[Any, Any]]]


def stats(build: Build, field: Field, *, of_scopes: bool = False) -> Fetch:
    """For each scope, or for the key None, the IssueStats that a field asks for."""
    return _Stats(build, field, of_scopes=of_scopes).fetch


class _Stats:
    def __init__(self, build: Build, field: Field, *, of_scopes: bool) -> None:
        self._build, self._of_scopes = build, of_scopes
        self._keys = build.name("keys")
        source = table_source(build, Issue)
        table = source.table
        conditions = [filter_issues(source, table, field), *build.visible(table.c.namespace)]
        if of_scopes:
            conditions.append(any_of(table.c.scope_id, bindparam(self._keys, type_=ListOf(Id()))))
        fields = list(field.fields())
        self._issues = self._counted = Issues(table, source.tables, conditions)
        reads = reads_of(fields)
        self._together = not of_scopes and len(reads) > 1
        if self._together:
            # They lie all over their table; what is joined to them is found by its index.
            self._counted = self._issues.once(build.name("counted"), set(chain.from_iterable(reads)))
        self._by_words: Asked | None = None
        self._entries = [(each.key, self._part(each)) for each in fields]

    def _ask(self, rows: Select[Any], levels: int = 0) -> Asked:
        """`levels` of rows lie within them."""
        if self._of_scopes:
            return self._build.compile(rows)
        return self._build.ask_first(rows, levels=levels, together=self._together)

    @property
    def _issue(self) -> Any:
        return self._counted.table.c

    @property
    def _key(self) -> list[ColumnElement[Any]]:
        """What a row belongs to, as its first column; nothing at the root."""
        return [self._issues.table.c.scope_id] if self._of_scopes else []

    @property
    def _closed(self) -> ColumnElement[str]:
        """When it ended. Who says when it was resolved may be mistaken; nothing is resolved before it is detected."""
        return later_of(self._issue.detected_at, self._issue.resolved_at)

    def _count(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Of the rows that are counted."""
        return self._counted.select(*self._key, *columns)

    def fetch(self, run: Run, keys: list[Any]) -> Steps[dict[Any, Any]]:
        """The statistics of each key."""
        parts = []
        for name, part in self._entries:
            parts.append((name, (yield from part(run, keys))))
        return {key: {name: part[key] for name, part in parts} for key in keys}

    def _rows(self, run: Run, statement: Asked, keys: list[Any]) -> Steps[dict[Any, list[Sequence[Any]]]]:
        """For each key its rows, the key taken off."""
        rows = yield from run.fetch(statement, {self._keys: keys} if self._of_scopes else {})
        if not self._of_scopes:
            return {None: list(rows)}
        found: dict[Any, list[Sequence[Any]]] = {key: [] for key in keys}
        for row in rows:
            found[row[0]].append(tuple(row)[1:])
        return found

    def _part(self, field: Field) -> Part:
        match field.name:
            case "__typename":
                return self._same("IssueStats")
            case "position":
                self._build.want_position()
                return self._position
            case name if name in OF_WORDS:
                return self._words(field)
            case "byNamespace":
                return self._top(field, [self._issue.namespace], lambda row: {"namespace": row[0]})
            case "bySource":
                return self._top(field, [self._issue.source], lambda row: {"source": row[0]})
            case "byLabel":
                return self._labels(field)
            case "byScope":
                return self._scopes(field)
            case "series":
                return self._series(field)
            case _:
                return self._durations(field)

    def _same(self, value: Any) -> Part:
        def same(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            yield from ()
            return dict.fromkeys(keys, value)

        return same

    def _position(self, run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
        yield from ()
        return dict.fromkeys(keys, run.position)

    # One statement for the total and the three short breakdowns

    def _words(self, field: Field) -> Part:
        words = [self._issue[name] for name in WORDS]
        if self._by_words is None:
            self._by_words = self._ask(self._count(*words, func.count()).group_by(*self._key, *words))
        statement = self._by_words
        name = {"byState": "state", "bySeverity": "severity", "byType": "issueType"}.get(field.name)
        if name is None:
            place, names = 0, {}
        else:
            place = ("state", "severity", "issueType").index(name)
            enum = {"state": "IssueState", "severity": "Severity", "issueType": "IssueType"}[name]
            names = enum_names(field.selection.schema, enum)

        pick = picker(field)

        def counts(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            found = yield from self._once(run, statement, keys)
            if name is None:
                return {key: sum(row[3] for row in rows) for key, rows in found.items()}
            answers = {}
            for key, rows in found.items():
                by_word = dict.fromkeys(names, 0)
                for row in rows:
                    by_word[row[place]] += row[3]
                answers[key] = [pick({name: names[word], "count": n}) for word, n in by_word.items()]
            return answers

        return counts

    def _once(self, run: Run, statement: Asked, keys: list[Any]) -> Steps[dict[Any, list[Sequence[Any]]]]:
        """Rows that several fields look at are fetched once a run."""
        kept = (id(statement), tuple(keys))
        if kept not in run.kept:
            run.kept[kept] = yield from self._rows(run, statement, keys)
        found: dict[Any, list[Sequence[Any]]] = run.kept[kept]
        return found

    # The greatest counts

    def _most(self, field: Field) -> ColumnElement[int]:
        most, limits = self._build.parameter("first", BigInteger()), self._build.setting.limits
        self._build.bind(
            field, ["first"], lambda given: {most.key: whole_number("first", given["first"], 1, limits.page)}
        )
        return most

    def _greatest(self, field: Field, counted: Select[Any], columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """`columns` and their count, the greatest first; as many as `first` says, for each key."""
        order = [func.count().desc(), *(column.asc().nulls_last() for column in columns)]
        grouped = counted.group_by(*self._key, *columns)
        most = self._most(field)
        if not self._of_scopes:
            return grouped.order_by(*order).limit(most)
        place = func.row_number().over(partition_by=self._key, order_by=order).label("place")
        ranked = grouped.add_columns(place).subquery("ranked")
        wanted = [column for column in ranked.c if column.name != "place"]
        return select(*wanted).where(ranked.c.place <= most).order_by(wanted[0], ranked.c.place)

    def _top(
        self, field: Field, columns: Sequence[ColumnElement[Any]], made: Callable[[Sequence[Any]], dict[str, Any]]
    ) -> Part:
        count = func.count().label("count")
        statement = self._ask(self._greatest(field, self._count(*columns, count), columns))

        pick = picker(field)

        def top(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            found = yield from self._rows(run, statement, keys)
            return {key: [pick({**made(row), "count": row[-1]}) for row in rows] for key, rows in found.items()}

        return top

    def _labels(self, field: Field) -> Part:
        label, build = self._build.alias(Label, "label"), self._build
        name = build.parameter("label", Word())
        build.bind(field, ["name"], lambda given: {name.key: plain(given["name"])})
        of_labels = self._issues.select(*self._key, label.c.value, func.count().label("count"), each=label)
        counted = of_labels.where(label.c.name == name)
        statement = self._ask(self._greatest(field, counted, [in_any_order(label.c.value)]))

        pick = picker(field)

        def top(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            found = yield from self._rows(run, statement, keys)
            named = run.values[name.key]
            return {
                key: [pick({"label": {"name": named, "value": row[0]}, "count": row[1]}) for row in rows]
                for key, rows in found.items()
            }

        return top

    def _scopes(self, field: Field) -> Part:
        """The scopes of the greatest counts."""
        build, scope_id = self._build, self._issue.scope_id
        count = func.count().label("count")
        counts = self._greatest(field, self._count(scope_id.label("counted"), count), [scope_id])
        # A scope's own statistics have the key before the two columns.
        *keys, counted, total = counts.subquery("counts").c
        source = Source(build, counted.table)
        scope = source.join(counted.table, "scope", Scope, lambda scope: scope.c.id == counted)
        places = [source.column(column) for column in (*keys, total)]
        entries: list[tuple[str, Made]] = []
        for each in field.fields():
            match each.name:
                case "__typename":
                    entries.append((each.key, constant("ScopeCount")))
                case "scope":
                    entries.append((each.key, make_of(source, scope, each.fields())))
                case _:
                    entries.append((each.key, at(places[-1])))
        make = make_object(entries).compiled()
        statement = self._ask(source.select().order_by(*keys, total.desc(), scope.c.id), source.levels)

        def top(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            rows = yield from run.fetch(statement, {self._keys: keys} if self._of_scopes else {})
            groups = yield from groups_of(run, source.children, rows)
            found: dict[Any, list[Any]] = {key: [] for key in keys}
            for row in rows:
                found[row[0] if self._of_scopes else None].append(make(row, groups, run))
            return found

        return top

    # Over time

    def _durations(self, field: Field) -> Part:
        issue = self._issue
        lasted = self._count(seconds_between(issue.detected_at, self._closed).label("seconds"))
        # Reckoned once: both the order and the answer have them.
        *key, seconds = lasted.where(issue.resolved_at.is_not(None)).subquery("lasted").c
        place = func.row_number().over(partition_by=key or None, order_by=seconds).label("place")
        ranked = select(*key, seconds, place, func.count().over(partition_by=key or None).label("n")).subquery("ranked")
        # The two rows around the middle, and around nine tenths: all that a quantile is made of.
        around = [literal_column(text, BigInteger()) for text in _AROUND]
        statement = self._ask(
            select(*ranked.c).where(or_(*(ranked.c.place == wanted for wanted in around))).order_by(ranked.c.place)
        )

        pick = picker(field)

        def durations(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            found = yield from self._rows(run, statement, keys)
            return {key: pick(_quantiles(rows)) if rows else None for key, rows in found.items()}

        return durations

    def _series(self, field: Field) -> Part:
        build, issue = self._build, self._issue
        unit = str(field.arguments()["bucket"])
        start, end = (build.parameter(word, Time()) for word in ("start", "end"))
        prefix = build.name("series")

        def values(given: Mapping[str, Any]) -> Mapping[str, Any]:
            series = series_of(given, now())
            return {prefix: series, start.key: series.start, end.key: series.end}

        # Without `to` it ends now.
        build.bind(field, ("from", "to", "bucket"), values, each_time=True)
        bucket_of: Callable[[ColumnElement[str]], ColumnElement[str]] = lambda time: time_bucket(  # noqa: E731
            literal_column(f"'{unit.lower()}'"), time
        )

        def grouped(time: ColumnElement[str], *conditions: ColumnElement[bool]) -> Asked:
            bucket = bucket_of(time).label("bucket")
            within = self._count(bucket, func.count()).where(time >= start, time < end, *conditions)
            return self._ask(within.group_by(*self._key, bucket))

        wanted = {each.name for each in field.fields()}
        statements: dict[str, Asked] = {}
        if wanted & {"opened", "activeAtEnd"}:
            statements["opened"] = grouped(issue.detected_at)
        if "resolved" in wanted:
            statements["resolved"] = grouped(issue.resolved_at, issue.resolved_at.is_not(None))
        if "activeAtEnd" in wanted:
            closed = self._closed
            statements["closed"] = grouped(closed, issue.resolved_at.is_not(None))
            before = self._count(func.count()).where(
                issue.detected_at < start, or_(issue.resolved_at.is_(None), closed >= start)
            )
            statements["before"] = self._ask(before.group_by(*self._key) if self._of_scopes else before)
        if "occurrences" in wanted:
            statements["occurrences"] = self._ask(self._occurrences(start, end, bucket_of))

        pick = picker(field)

        def points(run: Run, keys: list[Any]) -> Steps[Mapping[Any, Any]]:
            series: Series = run.values[prefix]
            found = {}
            for name, statement in statements.items():
                found[name] = yield from self._rows(run, statement, keys)
            return {
                key: [pick(point) for point in series.points({name: rows[key] for name, rows in found.items()})]
                for key in keys
            }

        return points

    def _occurrences(
        self,
        start: ColumnElement[str],
        end: ColumnElement[str],
        bucket_of: Callable[[ColumnElement[str]], ColumnElement[str]],
    ) -> Select[Any]:
        occurrence = self._build.alias(Occurrence, "occurrence")
        bucket = bucket_of(occurrence.c.at).label("bucket")
        counted = self._issues.select(*self._key, bucket, func.count(), each=occurrence)
        return counted.where(occurrence.c.at >= start, occurrence.c.at < end).group_by(*self._key, bucket)


# Places from 1 to n, of whole numbers: 0.5 and 0.9 of the way, the row before and the row after.
_AROUND = ("(n - 1) / 2 + 1", "n / 2 + 1", "(n - 1) * 9 / 10 + 1", "(n - 1) * 9 / 10 + 2")


def _quantiles(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """From rows of seconds, place and count: by linear interpolation, as PostgreSQL's percentile_cont."""
    by_place = {row[1]: float(row[0]) for row in rows}
    count = rows[0][2]

    def quantile(tenths: int) -> float:
        whole, rest = divmod((count - 1) * tenths, 10)
        low = by_place[whole + 1]
        return low if rest == 0 else low + (by_place[whole + 2] - low) * rest / 10

    return {"count": count, "median": quantile(5), "p90": quantile(9)}
