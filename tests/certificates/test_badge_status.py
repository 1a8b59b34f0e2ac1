"""A revoked certificate's badge, seen by openbadgeslib: it fetches our lists and keys as any verifier would."""

import json
from collections.abc import Callable

import pytest
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from openbadgeslib.ob3.status import check_credential_status
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import badges, credentials, revocation
from certificates.branch import Branch
from certificates.models import Certificate, StatusList
from certificates.verification import status_lists

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
