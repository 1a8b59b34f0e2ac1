"""The texts of a pass, the same for every wallet."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date

from certificates import documents, states
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.states import State
from certificates.wallets.models import Wallet
from lms.core import clock


@dataclass(frozen=True, slots=True)
class PassContents:
    """The texts of a pass, each in both languages where it has two.

    `key` names the pass in Apple Wallet: it is the number of the first certificate of the chain, so that a pass of a corrected
    or renewed certificate takes the place of the former one. `course_…` are the qualification where a refresher renewed one.
    `address` is the signed code as the QR code of the paper holds it. `renews`: the number of the certificate, of this system
    or legacy, that this one renewed; for Google's pass it is left out, whose link would be too long.
    """

    key: str
    number: str
    holder: str
    second_name: str | None
    course_zh: str
    course_en: str
    unit_zh: str
    unit_en: str
    organisation_zh: str
    organisation_en: str
    issued_on: date
    valid_until: date | None
    in_force: bool
    address: str
    renews: str | None = None

    def digest(self, wallet: Wallet) -> bytes:
        """Return the SHA-256 of everything that the pass says."""
        texts = asdict(self)
        if wallet is Wallet.GOOGLE or self.renews is None:
            del texts["renews"]
        return hashlib.sha256(json.dumps([wallet, texts], default=str, sort_keys=True).encode()).digest()


def of_certificate(
    certificate: Certificate, first_number: str, branch: Branch, *, renews: str | None = None
) -> PassContents:
    """Return what the pass of a certificate says today. first_number: the number of the first certificate of its chain.

    renews: as in `PassContents`.
    """
    document = documents.document_of(certificate, branch)
    state = states.of_certificate(certificate, clock.today(branch.zone))
    return PassContents(
        key=first_number,
        number=document.number,
        holder=document.holder,
        second_name=document.second_name,
        course_zh=document.qualification_zh or document.course_zh,
        course_en=document.qualification_en or document.course_en,
        unit_zh=document.unit_zh,
        unit_en=document.unit_en,
        organisation_zh=document.organisation_zh,
        organisation_en=document.organisation_en,
        issued_on=document.issued_on,
        valid_until=document.valid_until,
        in_force=state not in {State.REVOKED, State.SUPERSEDED},
        address=document.address_prefix + document.digits,
        renews=renews,
    )
