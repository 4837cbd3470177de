"""Conversations have a kind: with models, as all were so far, or with a specialist."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("chats", sa.Column("kind", sa.String(length=20), server_default="chat", nullable=False))
