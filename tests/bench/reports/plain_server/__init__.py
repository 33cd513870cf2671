"""The plain way: Starlette and the SQLAlchemy ORM, one transaction a request, as their documentation teaches it."""
