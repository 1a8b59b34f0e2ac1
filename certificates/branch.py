"""The branch that issues certificates: the settings that issuing and printing need, as one value."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from certificates.number import NumberScheme
from lms.config import Settings

BRANCH_UNIT = 0  # the issuing unit in the signed code; 1 to 16 are districts


@dataclass(frozen=True, slots=True)
class Branch:
    """Settings of the branch.

    Its names in both languages, the scheme of its certificate numbers, its time zone, the folder of private keys, its
    public address, the image files of seal and logo, if it has any, and whether districts without a seal of their own bear
    the branch's. `renewal_at_old_end`: the validity of a certificate that was renewed early begins where the old one ends,
    and not with its issue. contact: whom somebody asks who has a question about a certificate.
    """

    name_zh: str
    name_en: str
    scheme: NumberScheme
    zone: ZoneInfo
    keys_dir: Path
    public_url: str
    seal: Path | None = None
    logo: Path | None = None
    contact: str | None = None
    seals_districts: bool = False
    renewal_at_old_end: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the branch of the system's settings."""
        return cls(
            name_zh=settings.organisation_name_zh,
            name_en=settings.organisation_name_en,
            scheme=NumberScheme(settings.branch_code),
            zone=settings.zone,
            keys_dir=settings.keys_dir,
            public_url=settings.public_url,
            seal=settings.seal_file,
            logo=settings.logo_file,
            contact=settings.verification_contact,
            seals_districts=settings.seal_on_district_certificates,
            renewal_at_old_end=settings.renewal_begins == "at_old_end",
        )
