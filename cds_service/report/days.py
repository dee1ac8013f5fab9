"""A column of a database in; out comes its day (UTC) in that database's own words, and what lies between two of them."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, cast, func, literal_column
from sqlalchemy.orm import InstrumentedAttribute

# Written out, not handed over: what stands in two places of a statement must be the same in both to PostgreSQL.
_UTC: ColumnElement[Any] = literal_column("'UTC'")
_FIRST: ColumnElement[Any] = literal_column("1")
_TEN: ColumnElement[Any] = literal_column("10")


class Days:
    """SQLite keeps moments and days as text, which begins with the day."""

    def __init__(self, dialect: str) -> None:
        self._is_sqlite = dialect == "sqlite"

    def of(self, moment: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        """The day of a moment."""
        if self._is_sqlite:
            return func.substr(moment, _FIRST, _TEN)
        return cast(func.timezone(_UTC, moment), Date)

    def since(self, day: ColumnElement[Any], first: date) -> ColumnElement[bool]:
        """Whether a day is not before that one."""
        return day >= literal_column(f"'{first}'")

    def between(self, earlier: ColumnElement[Any], later: ColumnElement[Any]) -> ColumnElement[Any]:
        """How many days later."""
        if self._is_sqlite:
            return func.julianday(later) - func.julianday(earlier)
        return cast(later - earlier, Integer)
