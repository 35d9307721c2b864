"""Requests that a second person confirms, such as publishing a result."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("settled_by", sa.String(64)),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("outcome", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_requests_campaign_id"),
        sa.CheckConstraint("outcome IN ('confirmed', 'withdrawn', 'lapsed')", name="outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (settled_at IS NULL)", name="settled"),
    )
    op.create_index("ix_requests_campaign_id_act", "requests", ["campaign_id", "act"])


def downgrade() -> None:
    op.drop_table("requests")
