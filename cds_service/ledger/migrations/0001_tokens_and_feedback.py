"""An empty database in; out come the tables of used tokens, feedback and keys, as they were before revisions were counted.

Databases of that time have no stamp, and begin here too: what is there is left as it is.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, PrimaryKeyConstraint, String, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes what is not there."""
    op.create_table(
        "site_keys",
        Column("name", String(64), nullable=False),
        Column("value", LargeBinary(64), nullable=False),
        PrimaryKeyConstraint("name"),
        if_not_exists=True,
    )
    op.create_table(
        "seen_tokens",
        Column("issuer", String(256), nullable=False),
        Column("jti", String(256), nullable=False),
        Column("expires", BigInteger, nullable=False),
        PrimaryKeyConstraint("issuer", "jti"),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_index("ix_seen_tokens_expires", "seen_tokens", ["expires"], if_not_exists=True)
    op.create_table(
        "feedback",
        Column("id", Integer, nullable=False),
        Column("received", DateTime(timezone=True), nullable=False),
        Column("issuer", String(256), nullable=False),
        Column("service", String(64), nullable=False),
        Column("card", String(256), nullable=False),
        Column("outcome", String(16), nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("accepted", Text, nullable=False),
        Column("reason_code", String(256)),
        Column("reason_system", String(256)),
        Column("comment", Text),
        PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("feedback_of_card", "feedback", ["issuer", "service", "card"], if_not_exists=True)


def downgrade() -> None:
    """Loses everything: all feedback, the site's key, and which tokens were used, so that each may be used once more."""
    for table in ("feedback", "seen_tokens", "site_keys"):
        op.drop_table(table)
