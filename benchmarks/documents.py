"""Making a certificate: its code, its QR, its PDF, each by one process."""

from collections.abc import Sequence
from itertools import cycle

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.measurement import Measurement, seconds
from benchmarks.stage import Stage
from certificates import documents, qr
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import decode, digits_of, name_tag
from certificates.rendering import Layout

SAMPLE = 50


def measure(stage: Stage) -> Sequence[Measurement]:
    """Milliseconds of each part, and PDFs a second."""
    stage.load_demo()
    branch = Branch.of(stage.app.config["SETTINGS"])
    with Session(stage.app.extensions["engine"]) as db:
        stands = Certificate.revoked_at.is_(None) & Certificate.superseded_by_id.is_(None)
        issued = db.scalars(select(Certificate).where(stands).order_by(Certificate.id).limit(SAMPLE)).all()
    codes = cycle([digits_of(one.payload) for one in issued])
    papers = cycle(issued)

    def pdfs(layout: Layout) -> None:
        for _ in range(SAMPLE):
            documents.pdf(next(papers), branch, layout)

    prefix = f"{branch.public_url}/v/"
    return [
        Measurement(
            "QR matrix, level Q", seconds(lambda: qr.matrix(prefix, next(codes), qr.Level.Q)) * 1000, "ms", ceiling=3
        ),
        Measurement("code decoded", seconds(lambda: decode(next(codes))) * 1000, "ms"),
        Measurement("name tag (20,000 rounds, as specified)", seconds(lambda: name_tag("张三", 1)) * 1000, "ms"),
        Measurement("certificate as PDF, one core", SAMPLE / seconds(lambda: pdfs(Layout.A4)), "a second", floor=50),
        Measurement("wallet card as PDF, one core", SAMPLE / seconds(lambda: pdfs(Layout.CARD)), "a second", floor=50),
    ]
