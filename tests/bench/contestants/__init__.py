"""The servers that are compared: how each is started, what each is asked, and how its answers are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as a contestant takes it: the path, the body of each request, and how its answer is read.

    `read` turns the `data` of an answer into what issuegraph answers, so that contents can be compared.
    """

    document: str
    read: Callable[[Mapping[str, Any]], Any]
    # From issuegraph's variables to the contestant's.
    variables: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server. It listens on $PORT of the loopback interface and answers POST /graphql.

    `questions` are by the names in `tests.bench.questions`; one that it cannot express is left out.
    """

    name: str
    title: str
    command: Sequence[str]
    questions: Mapping[str, Asked]
    database: str = "postgresql"
    # `{port}` and `{url}` (SQLAlchemy's) are filled in.
    environment: Mapping[str, str] = field(default_factory=dict)
    # Of each request, beside those that all have.
    headers: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = False
