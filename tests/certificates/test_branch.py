"""The branch as one value, from the settings."""

from pathlib import Path

from certificates.branch import Branch
from lms.config import Settings


def test_the_branch_is_what_the_settings_say(settings: Settings) -> None:
    changed = settings.model_copy(update={"branch_code": "SH", "seal_file": Path("seal.svg"), "logo_file": None})
    branch = Branch.of(changed)
    assert (branch.name_zh, branch.name_en) == (settings.organisation_name_zh, settings.organisation_name_en)
    assert (branch.zone, branch.keys_dir, branch.public_url) == (
        settings.zone, settings.keys_dir, settings.public_url,
    )  # fmt: skip
    assert (branch.seal, branch.logo) == (Path("seal.svg"), None)
    assert branch.scheme.compose("FR", 2026, 123).startswith("SH-FR-2026-0000123-")
