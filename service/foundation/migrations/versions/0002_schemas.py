"""The schema registry."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("content_id", sa.Integer, nullable=False),
        sa.Column("config_change", sa.BigInteger, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registry_state"),
    )
    op.create_table(
        "schemas",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("mode", sa.String(32)),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name", name="pk_schemas"),
    )
    op.create_table(
        "schema_contents",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("shape_digest", sa.String(80), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schema_contents"),
        sa.UniqueConstraint("digest", name="uq_schema_contents_digest"),
    )
    op.create_table(
        "schema_versions",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("content_id", sa.Integer),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("base", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name", "number", name="pk_schema_versions"),
        sa.ForeignKeyConstraint(["name"], ["schemas.name"], name="fk_schema_versions_name"),
        sa.ForeignKeyConstraint(
            ["content_id"], ["schema_contents.id"], name="fk_schema_versions_content_id"
        ),
    )
    op.create_index("ix_schema_versions_content_id", "schema_versions", ["content_id"])
    op.create_table(
        "schema_drafts",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schema_drafts"),
        sa.ForeignKeyConstraint(["name"], ["schemas.name"], name="fk_schema_drafts_name"),
    )
    op.create_table(
        "schema_aliases",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("alias", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", "alias", name="pk_schema_aliases"),
        sa.ForeignKeyConstraint(["name"], ["schemas.name"], name="fk_schema_aliases_name"),
    )
    op.create_table(
        "schema_changes",
        sa.Column("change", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("part", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255)),
        sa.Column("number", sa.Integer),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("change", "part", name="pk_schema_changes"),
    )
    op.create_index("ix_schema_changes_name_change", "schema_changes", ["name", "change"])


def downgrade() -> None:
    for name in (
        "schema_changes", "schema_aliases", "schema_drafts", "schema_versions", "schema_contents", "schemas",
        "registry_state",
    ):
        op.drop_table(name)
