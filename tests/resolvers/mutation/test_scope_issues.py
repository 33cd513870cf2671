"""What is found by parts is what has these parts, whatever came and went before."""

from random import Random

import pytest

from resolvers.mutation import PartValue
from resolvers.mutation.fingerprint import fingerprint_of, has_parts
from resolvers.mutation.reading import NO_ISSUE
from resolvers.mutation.rows import ScopeKey
from resolvers.mutation.scope_issues import ScopeIssues

NAMES, VALUES = ("kind", "arch", "os"), ("", "", "a", "b")


def some_parts(random):
    return tuple(PartValue(name, random.choice(VALUES)) for name in random.sample(NAMES, random.randint(0, 3)))


def issue(id, parts):
    fingerprint = fingerprint_of("team", "build", ScopeKey("component", "api", "team"), parts)
    return NO_ISSUE._replace(id=id, fingerprint_parts=fingerprint.parts)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_is_found_as_by_looking_at_each(seed):
    random, found, there = Random(seed), ScopeIssues(), {}
    for step in range(200):
        if there and random.random() < 0.4:
            id = random.choice(list(there))
            found.discard(id)
            del there[id]
        if random.random() < 0.7:
            # Those that have gone may come again, with other parts.
            id = f"{random.randrange(1_000):04}"
            if id not in there:
                there[id] = issue(id, some_parts(random))
                found.add(there[id])
        wanted = random.choice([None, some_parts(random)])
        expected = sorted(id for id, row in there.items() if has_parts(row.fingerprint_parts, wanted))
        assert found.having(wanted) == expected, step
