"""Fields that Strawberry only declares: the read planner answers them from rows."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import strawberry
from strawberry.types.field import StrawberryField

from resolvers.errors import Unplannable


def planned(field: Callable[..., Any]) -> StrawberryField:
    """Declare a field with arguments; the docstring is its description. The body calls `unplanned`."""
    assert field.__doc__, f"{field.__qualname__} has no description"
    return strawberry.field(field, description=" ".join(inspect.cleandoc(field.__doc__).split()))


def unplanned() -> NoReturn:
    """Raise Unplannable: a planned field was executed instead, which never happens silently."""
    raise Unplannable("This field is answered by the read planner only")


First = Annotated[int | None, strawberry.argument(description="At most so many from the front, 1 to 100 (default 50).")]
After = Annotated[str | None, strawberry.argument(description="Only what follows this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(description="At most so many from the end, 1 to 100; not together with `first`.")
]
Before = Annotated[str | None, strawberry.argument(description="Only what precedes this cursor.")]
Top = Annotated[int, strawberry.argument(description="The so many greatest counts, 1 to 100.")]
