"""Attempts and extractions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("extraction_id", sa.String(40), nullable=False),
        sa.Column("schema_name", sa.String(128), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("asked_model", sa.String(128), nullable=False),
        sa.Column("model", sa.String(128)),
        sa.Column("request_id", sa.String(128)),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("reasoning_tokens", sa.Integer, nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("http_status", sa.Integer),
        sa.Column("error_code", sa.String(128)),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_extraction_id", "attempts", ["extraction_id"])
    op.create_table(
        "extractions",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("schema_name", sa.String(128), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_extractions"),
    )
    op.create_index("ix_extractions_schema_name_id", "extractions", ["schema_name", "id"])


def downgrade() -> None:
    op.drop_table("extractions")
    op.drop_table("attempts")
