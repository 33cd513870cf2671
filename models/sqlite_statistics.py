"""SQLite: how many rows there are, as its planner knows them, without what makes it answer wrongly.

Of an index with few rows a value, versions of SQLite (3.40 is one) read all values of an `IN` in one go, and then take
rows that the range after it leaves out, as in `scope_id IN (...) AND detected_at < ?`. They do so only for indexes of
which they have statistics. Without those, SQLite takes ten rows a value, which for such an index is about right.
"""

import sqlite3

# Of indexes with fewer rows a value of their first column nothing is told.
FEW = 100
# Tables keep their number of rows, which is told with the indexes otherwise.
FORGET_OF_FEW = (
    """INSERT INTO sqlite_stat1 (tbl, idx, stat)
    SELECT tbl, NULL, CAST(max(CAST(stat AS INTEGER)) AS TEXT) FROM sqlite_stat1 AS told
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_stat1 AS known WHERE known.tbl = told.tbl AND known.idx IS NULL)
    GROUP BY tbl""",
    f"DELETE FROM sqlite_stat1 WHERE idx IS NOT NULL AND CAST(substr(stat, instr(stat, ' ') + 1) AS INTEGER) < {FEW}",
)


def analyze(connection: sqlite3.Connection, rows: int) -> None:
    """Finds out anew, from so many rows of each index."""
    connection.execute(f"PRAGMA analysis_limit = {rows}")
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        for statement in ("ANALYZE", *FORGET_OF_FEW):
            connection.execute(statement)
    # What this connection goes by; others read it when they open the file.
    connection.execute("ANALYZE sqlite_schema")
