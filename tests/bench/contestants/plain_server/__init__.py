"""A GraphQL server built the plain way: Strawberry resolvers over the SQLAlchemy ORM on asyncpg.

What a query selects is loaded eagerly with its root (`joinedload`, `selectinload`), which measured faster than
DataLoaders. Resolvers hand out the ORM's rows, in which Strawberry finds the fields by their names.
"""
