"""Links by which a holder adds the certificate to a profile elsewhere; the holder's own click sends what they carry."""

from urllib.parse import urlencode

from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of

LINKEDIN = "https://www.linkedin.com/profile/add"


def linkedin(certificate: Certificate, branch: Branch, language: str) -> str:
    """Return LinkedIn's "Add to profile" address: course, organisation, number, months, and the verification page.

    language: "zh" or "en", of the names. It holds no name of a person; LinkedIn adds it to the profile that is signed in there.
    """
    facts = certificate.facts
    fields = {
        "startTask": "CERTIFICATION_NAME",
        "name": facts.get(f"qualification_{language}") or facts[f"course_{language}"],
        "organizationName": facts[f"organisation_{language}"],
        "issueYear": certificate.issued_on.year,
        "issueMonth": certificate.issued_on.month,
    }
    if certificate.valid_until is not None:
        fields |= {"expirationYear": certificate.valid_until.year, "expirationMonth": certificate.valid_until.month}
    fields |= {
        "certId": certificate.number,
        "certUrl": f"{branch.public_url}/v/{digits_of(certificate.payload)}",
    }
    return f"{LINKEDIN}?{urlencode(fields)}"
