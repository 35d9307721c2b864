"""Two telephone numbers of a campaign: for enquiries, and for supervision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBERS = ("enquiry_phone", "supervision_phone")


def upgrade() -> None:
    for name in NUMBERS:
        op.add_column("campaigns", sa.Column(name, sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    for name in reversed(NUMBERS):
        op.drop_column("campaigns", name)
