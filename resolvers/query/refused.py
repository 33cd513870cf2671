"""A text that is no document: kept, so that looking at it again costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import GraphQLError, GraphQLSyntaxError

from resolvers.errors import shortened

# The same mistake may be made thousands of times.
MAX_LOCATIONS = 20
# What an error weighs beside its message.
_BESIDE_A_MESSAGE = 300
# What graphql-core says when comparing fields of one name would cost too much.
_ABORTED = "Validation aborted."


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong with a text that cannot be parsed or is not valid; `tokens` is how many it may have."""

    errors: tuple[GraphQLError, ...]
    tokens: int

    @classmethod
    def because_of(cls, errors: Sequence[GraphQLError], tokens: int) -> "Refused":
        """By these errors, which may hold the whole document."""
        return cls(tuple(map(_lasting, errors)), tokens)

    @property
    def characters(self) -> int:
        """What it takes of memory."""
        return sum(len(error.message) + _BESIDE_A_MESSAGE for error in self.errors)


def too_deep() -> GraphQLError:
    """Of a document that cannot even be looked through."""
    return GraphQLError("The document is nested too deeply.", extensions={"code": "TOO_COMPLEX"})


def _too_alike() -> GraphQLError:
    message = "The document has too many fields of one name, or too many fragments within each other."
    return GraphQLError(message, extensions={"code": "TOO_COMPLEX"})


def _lasting(error: GraphQLError) -> GraphQLError:
    """The same without the document."""
    if error.message == _ABORTED:
        return _too_alike()
    # The parser says only by its words that it met a limit, of tokens or of depth.
    is_limit = isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted.")
    lasting = GraphQLError(
        shortened(error.message), extensions={"code": "TOO_COMPLEX"} if is_limit else error.extensions
    )
    lasting.locations = error.locations[:MAX_LOCATIONS] if error.locations else None
    return lasting
