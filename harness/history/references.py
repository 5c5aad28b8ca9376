"""Numbers of rows in other tables that lead nowhere: whoever joins would leave their rows out."""

from __future__ import annotations

from sqlalchemy import Connection

from harness.history.columns import SHOWN


def dangling(connection: Connection) -> list[str]:
    """Return, in words, what leads nowhere; SQLite looks at all rows, a million in a second."""
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [_in_words(connection, str(table), row, str(of), key) for table, row, of, key in lost]


def _in_words(connection: Connection, table: str, row: int | None, parent: str, key: int) -> str:
    """Return which column of which row it is; rows of a table without numbers are not told."""
    name = ascii(table)[1:-1]
    columns = {
        listed[0]: str(listed[3])
        for listed in connection.exec_driver_sql(f"PRAGMA foreign_key_list({_quoted(table)})")
    }
    column = columns.get(key, "")
    place = f"{name}.{ascii(column)[1:-1]}"
    if row is None or not column:
        return f"{place} of a row has a value that is no row of {ascii(parent)[1:-1]}"
    value = connection.exec_driver_sql(
        f"SELECT {_quoted(column)} FROM {_quoted(table)} WHERE rowid = ?",  # noqa: S608
        (row,),
    ).scalar_one_or_none()
    shown = ascii(value)[:SHOWN]
    return f"{place} of row {row} is {shown}, which is no row of {ascii(parent)[1:-1]}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
