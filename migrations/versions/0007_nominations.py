"""Nominations: a campaign's call for them, and what people sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nomination_calls",
        sa.Column("campaign_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("opens_ms", sa.BigInteger, nullable=False),
        sa.Column("closes_ms", sa.BigInteger, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("desk", sa.Boolean, nullable=False),
        sa.Column("awards", sa.Text, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_nomination_calls"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_nomination_calls_campaign_id"),
    )
    op.create_table(
        "nominations",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("code_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary(32), nullable=False),
        sa.Column("award", sa.String(32), nullable=False),
        sa.Column("group_key", sa.String(32)),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("area_code", sa.String(12)),
        sa.Column("summary", sa.String(280), nullable=False),
        sa.Column("story", sa.Text, nullable=False),
        sa.Column("photo", sa.String(32)),
        sa.Column("nominator", sa.String(64), nullable=False),
        sa.Column("telephone", sa.String(20), nullable=False),
        sa.Column("sent_by", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(280), nullable=False),
        sa.Column("candidate_id", sa.Integer),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nominations"),
        sa.UniqueConstraint("code_digest", name="uq_nominations_code_digest"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_nominations_campaign_id"),
        sa.ForeignKeyConstraint(["area_code"], ["areas.code"], name="fk_nominations_area_code"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name="fk_nominations_candidate_id"),
        sa.CheckConstraint("state IN ('sent', 'returned', 'accepted', 'declined')", name=op.f("ck_nominations_state")),
        sa.CheckConstraint("(candidate_id IS NULL) = (state != 'accepted')", name=op.f("ck_nominations_accepted")),
    )
    op.create_index("ix_nominations_campaign_id_state", "nominations", ["campaign_id", "state"])


def downgrade() -> None:
    op.drop_table("nominations")
    op.drop_table("nomination_calls")
