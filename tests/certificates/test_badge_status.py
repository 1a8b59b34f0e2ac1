"""A revoked certificate's badge, seen by openbadgeslib: it fetches our lists and keys as any verifier would."""

import json
from collections.abc import Callable

import pytest
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from openbadgeslib.ob3.status import check_credential_status
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import badges, credentials, erasing, reissue, revocation
from certificates.branch import Branch
from certificates.keys import issuer_keys
from certificates.models import Badge, Certificate, StatusList
from certificates.reissue import Correction
from certificates.verification import status_lists
from certificates.verification.status_lists import StatusPurpose
from lms.core.scope import EVERYTHING

Issue = Callable[..., Certificate]
Web = Callable[[str], bytes]


@pytest.fixture
def web(db: Session, branch: Branch) -> Web:
    """The answers of the issuer's host at this moment."""

    def answer(url: str) -> bytes:
        # did:web is always asked by https.
        path = url.split("/", 3)[3]
        if path == ".well-known/did.json":
            return json.dumps(badges.did_document(db, branch)).encode()
        _, purpose, number = path.split("/")
        statement = select(StatusList.document).where(StatusList.purpose == purpose, StatusList.number == int(number))
        return db.scalars(statement).one().encode()

    return answer


def test_openbadgeslib_sees_a_revoked_badge(db: Session, branch: Branch, issue: Issue, web: Web) -> None:
    certificate, other = issue("张三"), issue("李四")
    for one in (certificate, other):
        badges.owe(db, one)
    badges.sign_owed(db, branch)
    status_lists.sign_due(db, branch)
    did = credentials.did_of(branch.public_url)
    made, kept = badges.signed_badge(db, certificate), badges.signed_badge(db, other)
    assert made is not None
    assert kept is not None
    ldp, jwt = OB3LdpVerifier.for_issuer_did(did), OB3Verifier.for_issuer_did(did, download=web)
    for one in (made, kept):
        assert ldp.verify(one.credential, check_status=True, download=web)
        check_credential_status(jwt.verify(one.token), download=web, verify_list=True)

    revocation.revoke(db, certificate, "发错人")
    status_lists.sign_due(db, branch)
    with pytest.raises(OB3VerificationError, match="revocation"):
        ldp.verify(made.credential, check_status=True, download=web)
    with pytest.raises(OB3VerificationError, match="revocation"):
        check_credential_status(jwt.verify(made.token), download=web, verify_list=True)
    assert ldp.verify(kept.credential, check_status=True, download=web)


def test_openbadgeslib_refuses_the_badge_of_a_corrected_certificate_and_believes_the_new_one(
    db: Session, branch: Branch, issue: Issue, web: Web
) -> None:
    certificate, renewed = issue("张三峰"), issue("李四")
    for one in (certificate, renewed):
        badges.owe(db, one)
    badges.sign_owed(db, branch)
    wrong, kept = badges.signed_badge(db, certificate), badges.signed_badge(db, renewed)
    assert wrong is not None
    assert kept is not None
    reissue.request(db, certificate, Correction("张三丰", {}), "姓名有误", branch=branch, scope=EVERYTHING)
    reissue.issue_owed(db, branch)
    db.expire_all()
    new = certificate.superseded_by
    assert new is not None
    renewed.superseded_by_id = (
        new.id
    )  # of another enrolment, as a refresher does: what the former badge says stays true
    badges.owe(db, new)
    badges.sign_owed(db, branch)
    status_lists.sign_due(db, branch)
    right = badges.signed_badge(db, new)
    assert right is not None
    did = credentials.did_of(branch.public_url)
    ldp, jwt = OB3LdpVerifier.for_issuer_did(did), OB3Verifier.for_issuer_did(did, download=web)
    with pytest.raises(OB3VerificationError, match="revocation"):
        ldp.verify(wrong.credential, check_status=True, download=web)
    with pytest.raises(OB3VerificationError, match="revocation"):
        check_credential_status(jwt.verify(wrong.token), download=web, verify_list=True)
    for one in (right, kept):
        assert ldp.verify(one.credential, check_status=True, download=web)
    assert "张三丰" in right.credential

    erasing.erase_holder(db, [certificate.enrolment.trainee_id])
    status_lists.sign_due(db, branch)
    with pytest.raises(OB3VerificationError, match="revocation"):
        ldp.verify(wrong.credential, check_status=True, download=web)


def test_a_corrected_certificate_without_a_badge_is_superseded_and_not_revoked(
    db: Session, branch: Branch, issue: Issue
) -> None:
    """So a scan of the former paper without a network says the same as with one."""
    certificate = issue("张三峰")
    badges.owe(db, certificate)
    reissue.request(db, certificate, Correction("张三丰", {}), "姓名有误", branch=branch, scope=EVERYTHING)
    reissue.issue_owed(db, branch)
    assert badges.sign_owed(db, branch) == 1
    assert db.scalar(select(func.count()).select_from(Badge)) == 0, "what was asked for too late is not signed any more"
    status_lists.sign_due(db, branch)
    keys = {key.kid: key.public_key for key in issuer_keys.public_keys(db)}
    lists = [status_lists.read(document, keys) for document in db.scalars(select(StatusList.document))]
    assert {bits.purpose: bits.contains(certificate.serial) for bits in lists} == {
        StatusPurpose.REVOCATION: False,
        StatusPurpose.SUPERSEDED: True,
    }
