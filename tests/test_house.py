"""The rules of the house, held as code: who may import whom, who may write, how long a file may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "models": set(),
    "resolvers": {"models"},
    "schema": {"models", "resolvers"},
    "webhooks": {"models", "resolvers"},
    "web": {"models", "resolvers", "schema", "webhooks"},
}
# Of models/, the two faces take values and words only; tables and SQL are behind the resolvers.
WITHOUT_TABLES = {"schema": {"models.values", "models.words"}, "webhooks": {"models.values", "models.words"}}
MAX_LINES = 450

FILES = sorted(
    path.relative_to(ROOT)
    for room in MAY_IMPORT
    for path in (ROOT / room).rglob("*.py")
    if "node_modules" not in path.parts
)


def imports(path):
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that a line tells the room"
            yield str(node.module)


def names_called(path):
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


@pytest.mark.parametrize("path", FILES, ids=str)
def test_nothing_imports_upward(path):
    room = path.parts[0]
    rooms = {name.split(".")[0] for name in imports(path)} & (MAY_IMPORT.keys() | {"tests"})
    assert rooms <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("path", [path for path in FILES if path.parts[0] in WITHOUT_TABLES], ids=str)
def test_a_face_never_touches_tables_or_sql(path):
    ours = {name for name in imports(path) if name.split(".")[0] == "models"}
    assert ours <= WITHOUT_TABLES[path.parts[0]]
    assert not {name for name in imports(path) if name.split(".")[0] in ("sqlalchemy", "sqlite3", "asyncpg")}


@pytest.mark.parametrize("path", [path for path in FILES if path.parts[0] != "models"], ids=str)
def test_only_the_writer_writes(path):
    # Of issues one does; what is known of tokens, sessions and webhooks, and the audit of an export, have nothing to do
    # with them; who erases a namespace removes what is left of issues that the writer has deleted.
    allowed = path in (
        Path("resolvers/mutation/writer.py"),
        Path("resolvers/tenant/export.py"),
        Path("resolvers/tenant/erase.py"),
        Path("resolvers/access/tokens.py"),
        Path("resolvers/access/keyring.py"),
        Path("resolvers/access/sessions.py"),
        Path("resolvers/access/signed_in.py"),
        Path("resolvers/webhooks/store.py"),
        Path("resolvers/access/audit.py"),
        Path("resolvers/access/connections.py"),
    )
    assert allowed or "transact" not in set(names_called(path))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_says_what_lives_in_it_and_is_short(path):
    text = (ROOT / path).read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= MAX_LINES
