"""Why a candidate was taken off the list, and whether it was their own wish."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("candidates", sa.Column("standing_reason", sa.String(280), nullable=False, server_default=""))
    op.add_column("candidates", sa.Column("disqualified", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("candidates", "disqualified")
    op.drop_column("candidates", "standing_reason")
