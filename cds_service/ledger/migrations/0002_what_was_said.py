"""Used tokens and feedback in; out come, beside them, the tables of issued advice, quiet periods, counts and switches.

Feedback gets a digest, by which what is said twice is kept once. What was given before has none, and its comments stay as they
were written: in plain words.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    inspect,
)

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes what is not there: versions between the two, which were never released, made some of it without a stamp."""
    _issued_advice()
    _quiet_periods()
    _counts_and_switches()
    if "digest" not in {one["name"] for one in inspect(op.get_bind()).get_columns("feedback")}:
        with op.batch_alter_table("feedback") as feedback:  # SQLite copies it, as it adds no constraint to a table
            feedback.add_column(Column("digest", String(32)))
            feedback.create_unique_constraint("feedback_once", ["digest"])
    op.create_index("feedback_when", "feedback", ["received"], if_not_exists=True)


def downgrade() -> None:
    """Loses issued advice, quiet periods, counts, switches and digests.

    Overridden advice then speaks again at once, what was switched off is live, and feedback that is sent again is kept twice.
    Comments that are sealed stay so, and are of no use without a version that opens them.
    """
    op.drop_index("feedback_when", "feedback")
    with op.batch_alter_table("feedback") as feedback:
        feedback.drop_constraint("feedback_once", type_="unique")
        feedback.drop_column("digest")
    for table in ("switches", "tallies", "quiet_periods", "issued_advice"):
        op.drop_table(table)


def _issued_advice() -> None:
    op.create_table(
        "issued_advice",
        Column("id", Integer, nullable=False),
        Column("issued", DateTime(timezone=True), nullable=False),
        Column("issuer", String(256), nullable=False),
        Column("service", String(64), nullable=False),
        Column("card", String(36), nullable=False),
        Column("rule", String(64), nullable=False),
        Column("indicator", String(16), nullable=False),
        Column("patient", String(32), nullable=False),
        Column("clinician", String(32), nullable=False),
        Column("fingerprint", String(32), nullable=False),
        Column("newest", String(128), nullable=False),
        Column("offered", Text, nullable=False),
        Column("shadow", Boolean, nullable=False),
        Column("ordered", DateTime(timezone=True)),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("card", "rule", "issuer", "service", name="issued_once"),
        if_not_exists=True,
    )
    op.create_index("issued_of_patient", "issued_advice", ["patient", "issued"], if_not_exists=True)
    op.create_index("issued_when", "issued_advice", ["issued"], if_not_exists=True)


def _quiet_periods() -> None:
    op.create_table(
        "quiet_periods",
        Column("issuer", String(256), nullable=False),
        Column("patient", String(32), nullable=False),
        Column("rule", String(64), nullable=False),
        Column("clinician", String(32), nullable=False),
        Column("fingerprint", String(32), nullable=False),
        Column("newest", String(128), nullable=False),
        Column("reason", String(32), nullable=False),
        Column("since", DateTime(timezone=True), nullable=False),
        Column("until", Date, nullable=False),
        PrimaryKeyConstraint("issuer", "patient", "rule", "clinician"),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_index("ix_quiet_periods_until", "quiet_periods", ["until"], if_not_exists=True)


def _counts_and_switches() -> None:
    op.create_table(
        "tallies",
        Column("day", Date, nullable=False),
        Column("issuer", String(256), nullable=False),
        Column("service", String(64), nullable=False),
        Column("rule", String(64), nullable=False),
        Column("outcome", String(16), nullable=False),
        Column("why", String(32), nullable=False),
        Column("times", BigInteger, nullable=False),
        PrimaryKeyConstraint("day", "issuer", "service", "rule", "outcome", "why"),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_table(
        "switches",
        Column("id", Integer, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("rule", String(64), nullable=False),
        Column("state", String(16), nullable=False),
        Column("who", String(128), nullable=False),
        Column("because", Text, nullable=False),
        PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
