"""The cheap look at the migrations agrees with Alembic's own."""

from alembic.script import ScriptDirectory

from lms.core.migrations import configuration
from lms.embedded import schema


def test_the_files_tell_what_alembic_tells() -> None:
    script = ScriptDirectory.from_config(configuration("postgresql:///none"))
    told = {step.revision: step.down_revision for step in script.walk_revisions()}
    assert schema.revisions() == told
    assert told
