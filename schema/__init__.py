"""What GraphQL clients see: the types, the three roots and the published schema."""

from schema.schema import schema


def sdl() -> str:
    """The published schema, as `schema/schema.graphql` holds it."""
    return schema.as_str() + "\n"


__all__ = ["schema", "sdl"]
