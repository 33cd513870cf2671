"""What answers hold together, whoever ends them when."""

import re

import pytest

from resolvers.errors import Overloaded, TooLarge
from resolvers.query.size import FREE_BYTES, STEP_BYTES, Answers
from tests.resolvers.mutation.house import ADA, report


def test_what_an_answer_holds_is_given_back_once():
    answers = Answers(1_000_000, 3_000_000)
    with answers.begin("ada") as size:
        size.begin()
        size.count(FREE_BYTES)
        assert answers.held == 0
        size.count(1)
        assert answers.held == STEP_BYTES
        size.count(500_000)
        assert answers.held >= 500_000
        size.end()
        assert 500_000 <= answers.held <= 600_000
    assert answers.held == 0


def test_what_still_reads_when_it_is_over_holds_nothing_more():
    answers = Answers(1_000_000, 3_000_000)
    with answers.begin("ada") as size:
        size.begin()
        size.count(100_000)
    for _ in range(5):
        with pytest.raises(Overloaded):
            size.count(100_000)
    size.end()
    assert answers.held == 0


def test_one_caller_has_half_and_one_answer_its_largest_size():
    answers = Answers(1_000_000, 6_000_000)
    sizes = [answers.begin("ada") for _ in range(4)]
    for size in sizes[:3]:
        size.count(900_000)
    with pytest.raises(Overloaded):
        sizes[3].count(900_000)
    with answers.begin("bob") as size:
        size.count(900_000)
        with pytest.raises(TooLarge):
            size.count(200_000)
    for size in sizes:
        with size:
            pass
    assert answers.held == 0


def test_what_was_refused_once_is_refused_again():
    answers = Answers(1_000_000, 6_000_000)
    with answers.begin("ada") as size:
        size.look()
        with pytest.raises(TooLarge):
            size.count(1_000_001)
        with pytest.raises(TooLarge):
            size.look()
    with answers.begin("ada") as size:
        pass
    for again in (lambda: size.count(100_000), size.look):
        with pytest.raises(Overloaded, match="nobody waits"):
            again()


def test_work_that_is_begun_twice_is_counted_once():
    answers = Answers(1_000_000, 6_000_000)
    with answers.begin("ada") as size:
        size.count(400_000)

        def work():
            size.count(500_000)
            yield

        counted = size.counted(work)
        for _ in range(2):
            next(counted())
            assert size.read == 900_000


def test_texts_are_held_beside_the_rows_that_they_were_made_of():
    answers = Answers(1_000_000, 6_000_000)
    text = "é" * 500_000 + "🙈"  # Four bytes a character.
    with answers.begin("ada") as size:
        size.count(900_000)
        with pytest.raises(TooLarge):
            size.keep(text)
    with answers.begin("ada") as size:
        size.count(900_000)
        size.keep(text[:250_000])
        assert answers.held >= 1_150_000
        size.check([text[:250_000]])
        assert answers.held >= 1_650_000
    assert answers.held == 0


@pytest.mark.parametrize(
    "text",
    [
        "{ issues { nodes { title source } } }",
        "{ issueEvents { nodes { title } } }",
        "{ issues { nodes { occurrences { nodes { title runId } } } } }",
    ],
)
async def test_words_are_counted_as_long_as_they_are(house, text):
    await house.do(report(title="t" * 500, source="s" * 253, run_id="r" * 1_000))
    with house.planner.answers.begin("ada") as size:
        answer = await house.planner.execute(house.planner.documents.operation(text), ADA, size)
        assert not answer.errors
        words = re.findall(r"t{500}|s{253}|r{1000}", str(answer.data))
        assert sum(map(len, words)) >= 500
        assert size.read >= sum(map(len, words))
