"""The texts of a pass, and when it must be made anew."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from certificates import reissue, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.reissue import Correction
from certificates.second_names import second_names
from certificates.second_names.models import Way
from certificates.wallets import passes
from certificates.wallets.models import Wallet
from lms.core.scope import EVERYTHING


def test_the_digest_follows_what_the_pass_says(db: Session, branch: Branch, issue: Callable[..., Certificate]) -> None:
    certificate = issue("张三丰")
    seen = [passes.contents_of(db, certificate, branch)]
    second_names.record(db, certificate, "Zhang Sanfeng", Way.READING, branch=branch)
    seen.append(passes.contents_of(db, certificate, branch))
    revocation.revoke(db, certificate, "发错人")
    seen.append(passes.contents_of(db, certificate, branch))
    assert [(says.second_name, says.in_force) for says in seen] == [
        (None, True), ("Zhang Sanfeng", True), ("Zhang Sanfeng", False),
    ]  # fmt: skip
    digests = {says.digest(wallet) for says in seen for wallet in Wallet}
    assert len(digests) == 6
    assert seen[0].renews is None
    renewing = replace(seen[0], renews="BJ-1")
    assert [renewing.digest(wallet) in digests for wallet in (Wallet.APPLE, Wallet.GOOGLE)] == [False, True]
    assert passes.contents_of(db, certificate, branch).digest(Wallet.APPLE) in digests


def test_a_corrected_pass_takes_the_place_of_the_former(
    db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    former = issue("张三峰")
    reissue.request(db, former, Correction("张三丰", {}), "姓名有误", branch=branch, scope=EVERYTHING)
    reissue.issue_owed(db, branch)
    db.expire_all()
    assert former.superseded_by is not None
    says = passes.contents_of(db, former.superseded_by, branch)
    assert (says.key, says.holder) == (former.number, "张三丰")
    assert says.number != former.number
