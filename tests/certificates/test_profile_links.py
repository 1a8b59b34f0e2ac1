"""The link to LinkedIn carries the course and the number, and no name of a person."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from certificates import profile_links
from certificates.branch import Branch
from certificates.models import Certificate


def test_the_link_says_what_the_page_says_that_it_sends(branch: Branch, issue: Callable[..., Certificate]) -> None:
    certificate = issue("张三丰")
    address = profile_links.linkedin(certificate, branch, "en")
    fields = {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}
    assert address.startswith("https://www.linkedin.com/profile/add?")
    assert fields["startTask"] == "CERTIFICATION_NAME"
    assert (fields["name"], fields["certId"]) == (certificate.facts["course_en"], certificate.number)
    assert fields["issueYear"] == str(certificate.issued_on.year)
    assert certificate.valid_until is not None
    assert fields["expirationMonth"] == str(certificate.valid_until.month)
    assert fields["certUrl"].startswith(f"{branch.public_url}/v/")
    assert "张三丰" not in "".join(fields.values())
    certificate.valid_until = None
    assert "expiration" not in profile_links.linkedin(certificate, branch, "zh")
