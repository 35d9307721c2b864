"""The ledger: areas, campaigns, candidates, ballots, choices, voids, results, standings.

Ballots, choices and voids are append-only; triggers refuse UPDATE and DELETE, and TRUNCATE where it exists.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("ballots", "choices", "voids")


def upgrade() -> None:
    op.create_table(
        "areas",
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("parent_code", sa.String(12)),
        sa.PrimaryKeyConstraint("code", name="pk_areas"),
        sa.ForeignKeyConstraint(["parent_code"], ["areas.code"], name="fk_areas_parent_code"),
        sa.CheckConstraint("level IN ('city', 'county', 'town', 'village')", name=op.f("ck_areas_level")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("organizer_name", sa.String(200), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("demonstration", sa.Boolean, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("paused_reason", sa.Text),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("rules_hash", sa.String(64)),
        sa.Column("epoch", sa.String(32)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("sealed_at", sa.BigInteger),
        sa.Column("sealed_ms", sa.BigInteger),
        sa.Column("sealed_seq", sa.BigInteger),
        sa.Column("published_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.UniqueConstraint("slug", name="uq_campaigns_slug"),
        sa.CheckConstraint(
            "stage IN ('draft', 'open', 'closed', 'provisional', 'published')", name=op.f("ck_campaigns_stage")
        ),
        sa.CheckConstraint("(sealed_ms IS NULL) = (sealed_seq IS NULL)", name=op.f("ck_campaigns_sealed")),
    )
    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("award", sa.String(32), nullable=False),
        sa.Column("group_key", sa.String(32)),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("area_code", sa.String(12)),
        sa.Column("summary", sa.String(280), nullable=False),
        sa.Column("story", sa.Text, nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_candidates"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_candidates_campaign_id"),
        sa.ForeignKeyConstraint(["area_code"], ["areas.code"], name="fk_candidates_area_code"),
        sa.UniqueConstraint("campaign_id", "number", name="uq_candidates_campaign_id_number"),
        sa.UniqueConstraint("campaign_id", "award", "code", name="uq_candidates_campaign_id_award_code"),
        sa.CheckConstraint("standing IN ('standing', 'withdrawn')", name=op.f("ck_candidates_standing")),
    )
    op.create_index("ix_candidates_campaign_id_award", "candidates", ["campaign_id", "award"])
    op.create_table(
        "ballots",
        sa.Column("ballot_id", sa.String(26), nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("stream_ms", sa.BigInteger, nullable=False),
        sa.Column("stream_seq", sa.BigInteger, nullable=False),
        sa.Column("voter_key", sa.LargeBinary(16), nullable=False),
        sa.Column("receipt", sa.String(16), nullable=False),
        sa.Column("network", sa.String(43), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(8), nullable=False),
        sa.Column("marks", sa.String(64), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("ballot_id", name="pk_ballots"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_ballots_campaign_id"),
        sa.UniqueConstraint("receipt", name="uq_ballots_receipt"),
        sa.UniqueConstraint(
            "campaign_id", "stream_ms", "stream_seq", name="uq_ballots_campaign_id_stream_ms_stream_seq"
        ),
    )
    op.create_index("ix_ballots_campaign_id_voter_key", "ballots", ["campaign_id", "voter_key"])
    op.create_table(
        "choices",
        sa.Column("ballot_id", sa.String(26), nullable=False),
        sa.Column("candidate_id", sa.Integer, nullable=False),
        sa.Column("times", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("ballot_id", "candidate_id", name="pk_choices"),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballots.ballot_id"], name="fk_choices_ballot_id"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name="fk_choices_candidate_id"),
        sa.CheckConstraint("times > 0", name=op.f("ck_choices_times")),
    )
    op.create_index("ix_choices_candidate_id", "choices", ["candidate_id"])
    op.create_table(
        "voids",
        sa.Column("ballot_id", sa.String(26), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ballot_id", name="pk_voids"),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballots.ballot_id"], name="fk_voids_ballot_id"),
    )
    op.create_table(
        "results",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("difference", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_results_campaign_id"),
        sa.UniqueConstraint("campaign_id", "version", name="uq_results_campaign_id_version"),
        sa.CheckConstraint("state IN ('provisional', 'published')", name=op.f("ck_results_state")),
    )
    op.create_table(
        "standings",
        sa.Column("result_id", sa.Integer, nullable=False),
        sa.Column("candidate_id", sa.Integer, nullable=False),
        sa.Column("award", sa.String(32), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("votes", sa.Integer, nullable=False),
        sa.Column("tied", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("result_id", "candidate_id", name="pk_standings"),
        sa.ForeignKeyConstraint(["result_id"], ["results.id"], name="fk_standings_result_id"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name="fk_standings_candidate_id"),
        sa.CheckConstraint(
            "outcome IN ('selected', 'tie_at_last_seat', 'not_selected')", name=op.f("ck_standings_outcome")
        ),
    )
    refuse_changes()


def refuse_changes() -> None:
    """The triggers that make the ledger append-only."""
    if op.get_context().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuse_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {act} refused'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in APPEND_ONLY:
        # For the statement, not for each row: TRUNCATE knows no rows, and a refusal should not depend on finding one.
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()"
        )


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM ballots LIMIT 1")).first():
        raise RuntimeError("the ledger holds ballots: dropping it is refused")
    for table in ("standings", "results", "voids", "choices", "ballots", "candidates", "campaigns", "areas"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_ledger_change()")
