"""Consents, privacy texts, erasures and the retention of personal data."""

from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TEXTS = Path(__file__).resolve().parent.parent / "texts"

# Code, period (None: kept for good), unit, and the reason in both languages.
RULES: tuple[tuple[str, int | None, str, str, str], ...] = (
    ("account_traces", 30, "days", "登录会话、密码链接等在失效后不再需要", "sessions, password links and the like are not needed once they ended"),
    ("audit", None, "months", "审计记录须长期保存以供查证；其中的个人信息已打码", "the trail is evidence; personal data in it is masked"),
    ("contact_check", 30, "days", "验证结束后仅供核查冒用", "after a check ended only misuse is looked into"),
    ("enrolment_contact", 12, "months", "培训结束后一年内可能仍需联系学员", "people may have to be reached for a year after a training"),
    ("enrolment_list", 1, "days", "名单预览后当天处理", "a list is worked off on the day of its preview"),
    ("export", 7, "days", "导出文件供下载一周", "a file can be fetched for a week"),
    ("guardian", 12, "months", "监护人的联系方式只用于未成年人参加的培训", "a guardian is reached about the child's training alone"),
    ("import", 30, "days", "导入后 30 天内可以撤销", "an import can be undone for 30 days"),
    ("known_browser", 400, "days", "浏览器最长保存 Cookie 400 天", "browsers keep a cookie for 400 days at most"),
    ("message", 30, "days", "30 天后不再需要电话补通知", "after 30 days nobody calls about it any more"),
    ("person_time", None, "months", "培训统计须长期保存；不含姓名", "the figures are the branch's record and name nobody"),
    ("proposal", 12, "months", "更正申请处理后留存一年备查", "a decided correction is kept for a year for questions"),
    ("share_link", 30, "days", "到期的分享链接不再打开任何内容", "an expired link opens nothing"),
    ("trainee", 60, "months", "没有有效证书且五年未参加培训的，不再需要其档案", "nobody needs the record after five years without training or valid certificate"),
    ("walk_in", 12, "months", "现场登记一年内完成核对", "walk-ins are matched within a year"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "privacy_text",
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("version > 0", name=op.f("ck_privacy_text_version")),
        sa.CheckConstraint("text_zh <> '' AND text_en <> ''", name=op.f("ck_privacy_text_text")),
        sa.ForeignKeyConstraint(["published_by"], ["app_user.id"], name=op.f("fk_privacy_text_published_by")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_privacy_text")),
    )
    op.execute(
        "CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON privacy_text FOR EACH ROW EXECUTE FUNCTION refuse_alteration()"
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("trainee_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=True),
        sa.Column("guardian_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("giver IN ('oneself', 'guardian')", name=op.f("ck_consent_giver")),
        sa.CheckConstraint(
            "way IN ('self_enrolment', 'ticket', 'account', 'desk', 'list')", name=op.f("ck_consent_way")
        ),
        sa.CheckConstraint("(way IN ('desk', 'list')) = (recorded_by IS NOT NULL)", name=op.f("ck_consent_recorded")),
        sa.CheckConstraint("giver = 'guardian' OR guardian_sealed IS NULL", name=op.f("ck_consent_guardian")),
        sa.ForeignKeyConstraint(["trainee_id"], ["trainee.id"], name=op.f("fk_consent_trainee_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version"], ["privacy_text.version"], name=op.f("fk_consent_version")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_consent_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("ref", name=op.f("uq_consent_ref")),
    )
    op.create_index(op.f("ix_consent_trainee_id"), "consent", ["trainee_id"])
    op.create_table(
        "erasure_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("trainee_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done', 'refused', 'withdrawn')", name=op.f("ck_erasure_request_state")),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_erasure_request_decided")),
        sa.ForeignKeyConstraint(
            ["trainee_id"], ["trainee.id"], name=op.f("fk_erasure_request_trainee_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["app_user.id"], name=op.f("fk_erasure_request_asked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_request")),
    )
    op.create_index(op.f("ix_erasure_request_trainee_id"), "erasure_request", ["trainee_id"])
    op.create_index(
        "uq_erasure_request_open", "erasure_request", ["trainee_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    rules = op.create_table(
        "retention_rule",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("source_zh", sa.Text(), nullable=False),
        sa.Column("source_en", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("unit IN ('days', 'months')", name=op.f("ck_retention_rule_unit")),
        sa.CheckConstraint("amount BETWEEN 1 AND 3660", name=op.f("ck_retention_rule_amount")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_retention_rule")),
    )
    op.bulk_insert(
        rules,
        [dict(zip(("code", "amount", "unit", "source_zh", "source_en"), rule, strict=True)) for rule in RULES],
    )
    op.get_bind().execute(
        sa.text(
            "INSERT INTO privacy_text (version, text_zh, text_en, in_force_from, published_at)"
            " VALUES (1, :zh, :en, :day, now())"
        ),
        {
            "zh": (TEXTS / "privacy_zh.txt").read_text(encoding="utf-8").strip(),
            "en": (TEXTS / "privacy_en.txt").read_text(encoding="utf-8").strip(),
            "day": date(2026, 11, 30),
        },
    )
    _add_marks_of_erasure()
    _mask_names_in_the_trail()
    op.execute(
        """
        DO $$
        DECLARE
            given text;
        BEGIN
            FOR given IN SELECT rolname FROM pg_roles WHERE rolname IN ('lms_web', 'lms_worker') LOOP
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON privacy_text FROM %I', given);
                EXECUTE format('GRANT DELETE ON badge TO %I', given);
            END LOOP;
        END $$
        """
    )


def _add_marks_of_erasure() -> None:
    op.add_column("proposal", sa.Column("by_person", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("proposal", "proposed_by", nullable=True)
    op.create_check_constraint(op.f("ck_proposal_by"), "proposal", "by_person OR proposed_by IS NOT NULL")
    op.add_column("trainee", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_trainee_erased"),
        "trainee",
        "erased_at IS NULL OR num_nonnulls(user_id, phone_index, email_sealed, email_index, birth_year, id_number_index,"
        " guardian_name, guardian_phone_sealed) = 0",
    )
    op.add_column("certificate", sa.Column("erased_content", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(
        op.f("ck_certificate_erased_content"), "certificate", "octet_length(erased_content) = 32"
    )
    op.add_column("legacy_certificate", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    # For each statement and not for each row: an import enrols a hundred thousand people in one statement. The foreign key
    # has waited for an erasure under way by then, and this function sees its result.
    op.execute(
        """
        CREATE FUNCTION refuse_enrolment_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM added JOIN trainee ON trainee.id = added.trainee_id WHERE trainee.erased_at IS NOT NULL) THEN
                RAISE EXCEPTION 'the data of this person was erased'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_enrolment_person_erased';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER person_erased AFTER INSERT ON enrolment REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_enrolment_of_erased()"
    )


def _mask_names_in_the_trail() -> None:
    """Mask the names of people in entries of earlier versions, as new entries mask them. No entry is sealed yet."""
    op.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
    for column in ("before", "after"):
        for name in ("name", "guardian_name"):
            op.execute(
                f"UPDATE audit_entry SET {column} = {column} || jsonb_build_object('{name}', left({column} ->> '{name}', 1)"  # noqa: S608
                f" || '**') WHERE {column} ->> '{name}' <> ''"
                " AND subject ~ '^(trainee|proposal|app_user|certificate):' AND action !~ '^second_factor'"
            )
    op.execute("ALTER TABLE audit_entry ENABLE TRIGGER append_only")


def downgrade() -> None:
    op.execute("DROP TRIGGER person_erased ON enrolment")
    op.execute("DROP FUNCTION refuse_enrolment_of_erased()")
    op.execute("DELETE FROM proposal WHERE proposed_by IS NULL")
    op.alter_column("proposal", "proposed_by", nullable=False)
    op.drop_column("proposal", "by_person")
    op.drop_column("legacy_certificate", "erased_at")
    op.drop_column("certificate", "erased_content")
    op.drop_column("trainee", "erased_at")
    op.drop_table("retention_rule")
    op.drop_table("erasure_request")
    op.drop_table("consent")
    op.drop_table("privacy_text")
