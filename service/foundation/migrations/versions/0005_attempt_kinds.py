"""What each attempt was for: a first reading, a part, a retry, a repair, an escalation."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("kind", sa.String(16), nullable=False, server_default="first"))


def downgrade() -> None:
    with op.batch_alter_table("attempts") as table:
        table.drop_column("kind")
