"""Random commands over few enough names that they meet each other all the time."""

from datetime import timedelta

from models.values import new_id, now, time_of, to_datetime
from models.words import RELATION_KINDS
from resolvers.mutation import (
    AcknowledgeIssue,
    AcknowledgeIssues,
    DeleteIssue,
    LabelValue,
    LinkValue,
    PartValue,
    RelateIssues,
    ReopenIssue,
    ResolveIssue,
    ResolveIssues,
    UnacknowledgeIssue,
    UnrelateIssues,
    UpdateIssue,
)
from tests.resolvers.mutation.house import report, success

NAMESPACES = ("team", "other")
NAMES = ("api", "Straße")
TYPES = ("build", "test")
SEVERITIES = ("info", "minor", "major", "critical")
TEXTS = ("one", "Zwei", "drei\n" * 3, "四")
LINKS = tuple(LinkValue(text, f"https://ci.example/{number}") for number, text in enumerate(("", "Logs", "Trace")))
LABELS = tuple(LabelValue(name, value) for name in ("a", "B") for value in ("1", "Zwei", ""))
PARTS = ((), (PartValue("kind", "scan"),), (PartValue("kind", "scan"), PartValue("arch", "arm")))


class RandomCommands:
    """`next(ids)` is a command, about one of `ids` where it names an issue."""

    def __init__(self, random):
        self._random = random

    def next(self, ids):
        pick = self._random.choices
        (make,) = pick(
            (self._report, self._success, self._update, self._by_id, self._by_ids, self._relate, self._unrelate),
            (8, 2, 4, 4, 1, 4, 1),
        )
        return make([*ids, new_id()] if self._random.random() < 0.1 or not ids else ids)

    def _maybe(self, value, chance=0.5):
        return value if self._random.random() < chance else None

    def _some(self, values):
        return tuple(self._random.sample(values, self._random.randrange(len(values) + 1)))

    def _time(self):
        return time_of(to_datetime(now()) + timedelta(milliseconds=self._random.randrange(-200, 100)))

    def _report(self, ids):
        one = self._random.choice
        return report(
            namespace=one(NAMESPACES),
            resource_namespace=self._maybe("team"),
            resource_name=one(NAMES),
            issue_type=one(TYPES),
            title=one(TEXTS),
            description=one(TEXTS),
            severity=one(SEVERITIES),
            links=self._maybe(self._some(LINKS)),
            labels=self._maybe(self._some(LABELS)),
            detected_at=self._maybe(self._time(), 0.3),
            source=self._maybe("Tekton"),
            run_id=self._maybe(str(self._random.randrange(200))),
            fingerprint=one(PARTS),
            state=self._maybe("RESOLVED", 0.1) or "ACTIVE",
            reopen_within=self._maybe(timedelta(seconds=self._random.choice((0, 60))), 0.2),
            idempotency_key=self._maybe(str(self._random.randrange(50)), 0.1),
        )

    def _success(self, ids):
        return success(
            namespace=self._random.choice(NAMESPACES),
            resource_namespace=self._maybe("team"),
            resource_name=self._random.choice(NAMES),
            issue_type=self._maybe(self._random.choice(TYPES)),
            fingerprint=self._maybe(self._random.choice(PARTS)),
            at=self._maybe(self._time(), 0.3),
            reason=self._maybe("well again"),
        )

    def _update(self, ids):
        one = self._random.choice
        return UpdateIssue(
            id=one(ids),
            title=self._maybe(one(TEXTS), 0.3),
            description=self._maybe(one(TEXTS), 0.3),
            severity=self._maybe(one(SEVERITIES), 0.3),
            issue_type=self._maybe(one(TYPES), 0.3),
            links=self._maybe(self._some(LINKS), 0.3),
            labels=self._maybe(self._some(LABELS), 0.3),
            state=self._maybe(one(("ACTIVE", "RESOLVED")), 0.3),
            resolved_at=self._maybe(self._time(), 0.3),
            namespace=self._maybe(one(NAMESPACES), 0.3),
            resource_name=self._maybe(one(NAMES), 0.3),
            resource_namespace=self._maybe(one(NAMESPACES), 0.2),
        )

    def _by_id(self, ids):
        id = self._random.choice(ids)
        commands = (
            ResolveIssue(id=id, at=self._maybe(self._time(), 0.3), reason=self._maybe("done")),
            ReopenIssue(id=id),
            AcknowledgeIssue(id=id),
            UnacknowledgeIssue(id=id),
            DeleteIssue(id=id),
        )
        return self._random.choices(commands, (3, 3, 3, 3, 1))[0]

    def _by_ids(self, ids):
        chosen = tuple(self._random.choices(ids, k=3))
        return self._random.choice((ResolveIssues(ids=chosen), AcknowledgeIssues(ids=chosen)))

    def _relate(self, ids):
        source, target = self._random.choices(ids, k=2)
        kind = self._random.choice(RELATION_KINDS)
        return RelateIssues(source_id=source, target_id=target, kind=kind, reason=self._maybe("seen together"))

    def _unrelate(self, ids):
        source, target = self._random.choices(ids, k=2)
        return UnrelateIssues(source_id=source, target_id=target, kind=self._maybe(self._random.choice(RELATION_KINDS)))
