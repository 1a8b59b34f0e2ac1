"""Public facts of an offering: whom to call, the way there, what to bring and the fee, as its public page says them.

What an offering leaves empty comes from its host organisation (the contact) and from its course (what to bring), so that
planners do not type it again for each offering.
"""

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from courses.models.offerings import Offering
from lms.core.errors import N_, DomainError

# The part of the setting MAP_LINK that stands for the address.
ADDRESS = "{address}"


@dataclass(frozen=True)
class PublicFacts:
    """The public facts that an offering has of its own; None for what it leaves to its host and its course.

    contact_phone: a number at work, as people type it. directions: in words, such as the bus. map_address: what a map finds
    better than the place. fee: in yuan, 0 for a training free of charge, None where nothing is said about a fee.
    """

    contact_name: str | None = field(default=None, repr=False)
    contact_phone: str | None = field(default=None, repr=False)
    directions: str | None = None
    map_address: str | None = None
    bring: str | None = None
    fee: Decimal | None = None
    fee_note: str | None = None

    @classmethod
    def of(cls, offering: Offering) -> "PublicFacts":
        """The facts of an offering."""
        return cls(**{name: getattr(offering, name) for name in cls.__dataclass_fields__})

    def set_on(self, offering: Offering) -> None:
        """Write the facts into an offering. Raises DomainError `phone_missing` for a name that nobody can call."""
        if self.contact_name and not self.contact_phone:
            raise DomainError(
                "phone_missing",
                N_("Enter the phone that people call, or remove the name."),
                status=422,
                field="contact_phone",
            )
        for name, value in asdict(self).items():
            setattr(offering, name, value)

    def for_audit(self) -> dict[str, Any]:
        """The facts as values of JSON."""
        return asdict(self) | {"fee": f"{self.fee:f}" if self.fee is not None else None}


def map_link(template: str | None, district: str, place: str, map_address: str | None) -> str | None:
    """The address of a map that searches for the place of an offering; None where no map is set.

    template: the setting MAP_LINK. A place such as a school's name is found in its district.
    """
    if template is None:
        return None
    return template.replace(ADDRESS, quote(map_address or f"{district} {place}", safe=""))


def dialled(phone: str) -> str:
    """The digits of a phone for a link that dials it, without the extension: "010-6400 0000 转 12" → "01064000000"."""
    main = phone.lower().replace("转", "x").replace("ext", "x").partition("x")[0]
    return ("+" if main.lstrip().startswith("+") else "") + "".join(filter(str.isdigit, main))
