"""Lists and searches are served by indexes of their own.

The pinyin and the initials of a trainee's name are read from the key that sorts the names, by an expression, so that
indexes alone keep them: nothing is written anew, and each writer of names fills them. On four million trainees the
indexes take about half a minute.
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_PINYIN = "lower(translate(replace(regexp_replace(name_sound, '[^A-Za-z:]+', '', 'g'), 'u:', 'v'), ':', ''))"
_INITIALS = (
    "COALESCE(NULLIF(upper(regexp_replace(name_sound, '([a-z])[a-z:]*[1-5].|[!{].', '\\1', 'g')), ''),"
    " upper(regexp_replace(name COLLATE \"C\", '([^ ·.-])[^ ·.-]*[ ·.-]*', '\\1', 'g')))"
)


def upgrade() -> None:
    op.create_index("ix_trainee_pinyin", "trainee", [sa.text(_PINYIN), "name_sound"])
    op.create_index("ix_trainee_initials", "trainee", [sa.text(_INITIALS), "name_sound"])
    op.create_index("ix_trainee_district", "trainee", ["district_id"])


def downgrade() -> None:
    op.drop_index("ix_trainee_district", "trainee")
    op.drop_index("ix_trainee_initials", "trainee")
    op.drop_index("ix_trainee_pinyin", "trainee")
