"""A connection and a revision in; out comes the database at that revision, by Alembic and the scripts of this folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.migration import MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_FOLDER = str(Path(__file__).parent)


def scripts() -> ScriptDirectory:
    """The scripts, in their order."""
    return ScriptDirectory(_FOLDER, version_locations=[_FOLDER])


def upgrade(connection: Connection, to: str) -> None:
    """In the transaction that is open. What has no stamp is taken for new: the first script makes only what is not there."""
    known = scripts()

    def steps(at: Any, _: object) -> Iterable[RevisionStep]:
        missing = reversed(list(known.iterate_revisions(to, at or "base")))
        return [MigrationStep.upgrade_from_script(known.revision_map, one) for one in missing]

    _run(connection, steps)


def downgrade(connection: Connection, to: str) -> None:
    """In the transaction that is open; `base` takes everything away. What is lost is said in each script."""
    known = scripts()

    def steps(at: Any, _: object) -> Iterable[RevisionStep]:
        excess = known.iterate_revisions(at, to)
        return [MigrationStep.downgrade_from_script(known.revision_map, one) for one in excess]

    _run(connection, steps)


def _run(connection: Connection, steps: Any) -> None:
    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()
