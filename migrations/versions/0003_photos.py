"""Photos of candidates: the name of a stored picture, by its content; null while there is none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("candidates", sa.Column("photo", sa.String(32)))


def downgrade() -> None:
    op.drop_column("candidates", "photo")
