"""Run revisions on the connection that `records.database` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from modelshelf.records.config_tables import config_metadata
from modelshelf.records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[metadata, config_metadata],
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
