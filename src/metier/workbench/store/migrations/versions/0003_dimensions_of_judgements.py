"""Judgements of a review with a rubric say which answer is better in each dimension."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("judgements", sa.Column("dimensions", sa.JSON(), server_default="{}", nullable=False))
