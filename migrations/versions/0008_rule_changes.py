"""Versions of a campaign's rules, proposals for the next one, and the campaign's banner.

Campaigns that opened before get what they opened with as their first version.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

#: all but in_force_ms, which is filled in when the box has taken the rules over
WRITTEN_ONCE = (
    "id, campaign_id, version, rules, rules_hash, reason, asked_by, confirmed_by, decided_at, epoch, replaces"
)


def upgrade() -> None:
    op.create_table(
        "rule_versions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("rules_hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("confirmed_by", sa.String(64), nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.String(32), nullable=False),
        sa.Column("replaces", sa.String(32)),
        sa.Column("in_force_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_rule_versions"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_rule_versions_campaign_id"),
        sa.UniqueConstraint("campaign_id", "version", name="uq_rule_versions_campaign_id_version"),
    )
    op.create_table(
        "rule_proposals",
        sa.Column("request_id", sa.Integer, nullable=False),
        sa.Column("replaced_hash", sa.String(64), nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_rule_proposals"),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_rule_proposals_request_id"),
    )
    op.add_column("campaigns", sa.Column("banner", sa.String(32)))
    op.add_column("campaigns", sa.Column("banner_alt", sa.String(200), nullable=False, server_default=""))
    op.execute(
        "INSERT INTO rule_versions (campaign_id, version, rules, rules_hash, reason, asked_by, confirmed_by,"
        " decided_at, epoch, in_force_ms) SELECT id, 1, rules, rules_hash, '', '', '', coalesce(opened_at, created_at),"
        " coalesce(epoch, ''), coalesce(opened_at, created_at) FROM campaigns WHERE rules_hash IS NOT NULL"
    )
    refuse_changes()


def refuse_changes() -> None:
    """A version is written once (0001 has the function)."""
    if op.get_context().dialect.name == "sqlite":
        for name, act in (("update", f"UPDATE OF {WRITTEN_ONCE}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER rule_versions_refuse_{name} BEFORE {act} ON rule_versions "
                f"BEGIN SELECT RAISE(ABORT, 'rule_versions is append-only: {name.upper()} refused'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER rule_versions_append_only BEFORE UPDATE OF {WRITTEN_ONCE} OR DELETE OR TRUNCATE "
        "ON rule_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()"
    )


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM rule_versions WHERE version > 1 LIMIT 1")).first():
        raise RuntimeError("rules were changed after opening: dropping their history is refused")
    op.drop_column("campaigns", "banner_alt")
    op.drop_column("campaigns", "banner")
    op.drop_table("rule_proposals")
    op.drop_table("rule_versions")
