"""Many rows at once, past the commands: copies of an issue, and relations between issues."""

from sqlalchemy import bindparam, insert

from models import Issue, Relation
from models.database import Write
from models.values import new_id, now


async def insert_rows(house, model, rows):
    """Rows as dicts, of columns that are not computed."""
    names = [column.name for column in model.__table__.columns if column.computed is None]
    columns = {name: bindparam(name, type_=model.__table__.c[name].type) for name in names}
    statement = house.database.compile(insert(model.__table__).values(columns))

    def work():
        yield Write(statement, [{name: row.get(name) for name in names} for row in rows])

    await house.database.transact(work)


async def copies(house, row, count, **values):
    """The ids of `count` issues like the one in a row."""
    ids = [new_id() for _ in range(count)]
    await insert_rows(house, Issue, [{**row, "id": id, "fingerprint": id, **values} for id in ids])
    return ids


async def relate_all(house, pairs, kind="RELATED"):
    """One relation a pair of source and target."""
    relation = {"kind": kind, "created_at": now()}
    rows = [{**relation, "id": new_id(), "source_id": source, "target_id": target} for source, target in pairs]
    await insert_rows(house, Relation, rows)
