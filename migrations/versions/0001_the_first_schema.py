"""The first schema.

The tables of record (audit, attendance events, person-time ledger, ledger of issuance) refuse to be altered, whoever asks.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

APPEND_ONLY = ("audit_entry", "attendance_event", "person_time_entry", "ledger_entry")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_app_user_language")),
        sa.CheckConstraint("(phone_sealed IS NULL) = (phone_index IS NULL)", name=op.f("ck_app_user_phone_pair")),
        sa.CheckConstraint("email IS NOT NULL OR phone_index IS NOT NULL", name=op.f("ck_app_user_reachable")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("ref", name=op.f("uq_app_user_ref")),
    )
    op.create_index("uq_app_user_email", "app_user", [sa.literal_column("lower(email)")], unique=True)
    op.create_index("uq_app_user_phone_index", "app_user", ["phone_index"], unique=True)
    op.create_table(
        "district",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.CheckConstraint("id BETWEEN 1 AND 255", name=op.f("ck_district_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_district")),
        sa.UniqueConstraint("code", name=op.f("uq_district_code")),
    )
    op.create_table(
        "status_list",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("encoded", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number BETWEEN 0 AND 32767", name=op.f("ck_status_list_number")),
        sa.CheckConstraint("purpose IN ('revocation', 'superseded')", name=op.f("ck_status_list_purpose")),
        sa.CheckConstraint("valid_until > made_at", name=op.f("ck_status_list_period")),
        sa.PrimaryKeyConstraint("purpose", "number", name=op.f("pk_status_list")),
    )
    op.create_table(
        "issuer_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kid ~ '^(badge|status)-[0-9]{1,3}$'", name=op.f("ck_issuer_key_kid")),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_issuer_key_public_key")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_issuer_key")),
        sa.UniqueConstraint("public_key", name=op.f("uq_issuer_key_public_key")),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("ref", name=op.f("uq_outgoing_mail_ref")),
    )
    op.create_index("ix_outgoing_mail_owed", "outgoing_mail", ["id"], unique=False, postgresql_where="sent_at IS NULL")
    op.create_table(
        "programme",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("short_code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("short_code ~ '^[A-Z]{1,4}$'", name=op.f("ck_programme_short_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_programme")),
        sa.UniqueConstraint("short_code", name=op.f("uq_programme_short_code")),
    )
    op.create_table(
        "signing_key",
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("not_before", sa.Date(), nullable=False),
        sa.Column("not_after", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("compromised_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'compromised') = (compromised_at IS NOT NULL)", name=op.f("ck_signing_key_compromised")
        ),
        sa.CheckConstraint("state IN ('active', 'retired', 'compromised')", name=op.f("ck_signing_key_state")),
        sa.CheckConstraint("not_after >= not_before", name=op.f("ck_signing_key_period")),
        sa.CheckConstraint("number BETWEEN 0 AND 255", name=op.f("ck_signing_key_number")),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_signing_key_public_key")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_signing_key")),
    )
    op.create_index("uq_signing_key_active", "signing_key", ["state"], unique=True, postgresql_where="state = 'active'")
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_audit_entry_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject", "at"], unique=False)
    op.create_table(
        "browser_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_browser_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_browser_session")),
    )
    op.create_index(op.f("ix_browser_session_user_id"), "browser_session", ["user_id"], unique=False)
    op.create_table(
        "course",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("hours", sa.Numeric(precision=5, scale=1), nullable=False),
        sa.Column("sessions_needed", sa.SmallInteger(), nullable=False),
        sa.Column("pass_mark", sa.SmallInteger(), nullable=True),
        sa.Column("validity_months", sa.SmallInteger(), nullable=True),
        sa.Column("trainee_ratio", sa.SmallInteger(), nullable=True),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("certificate_type", sa.SmallInteger(), nullable=True),
        sa.Column("refresher", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_course_capacity")),
        sa.CheckConstraint("certificate_type BETWEEN 0 AND 255", name=op.f("ck_course_certificate_type")),
        sa.CheckConstraint("hours > 0", name=op.f("ck_course_hours")),
        sa.CheckConstraint("pass_mark BETWEEN 1 AND 100", name=op.f("ck_course_pass_mark")),
        sa.CheckConstraint("sessions_needed >= 1", name=op.f("ck_course_sessions_needed")),
        sa.CheckConstraint("trainee_ratio >= 1", name=op.f("ck_course_trainee_ratio")),
        sa.CheckConstraint("validity_months >= 1", name=op.f("ck_course_validity_months")),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_course_programme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("code", name=op.f("uq_course_code")),
    )
    op.create_index(op.f("ix_course_programme_code"), "course", ["programme_code"], unique=False)
    op.create_table(
        "frozen_quarter",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("quarter", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quarter BETWEEN 1 AND 4", name=op.f("ck_frozen_quarter_quarter")),
        sa.ForeignKeyConstraint(["frozen_by"], ["app_user.id"], name=op.f("fk_frozen_quarter_frozen_by")),
        sa.PrimaryKeyConstraint("year", "quarter", name=op.f("pk_frozen_quarter")),
    )
    op.create_table(
        "instructor",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("level IN ('junior', 'intermediate', 'senior')", name=op.f("ck_instructor_level")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_instructor_district_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_instructor_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructor")),
        sa.UniqueConstraint("ref", name=op.f("uq_instructor_ref")),
        sa.UniqueConstraint("registration_number", name=op.f("uq_instructor_registration_number")),
        sa.UniqueConstraint("user_id", name=op.f("uq_instructor_user_id")),
    )
    op.create_index(op.f("ix_instructor_district_id"), "instructor", ["district_id"], unique=False)
    op.create_table(
        "legacy_certificate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "id_type IN ('resident', 'passport', 'hk_macau_permit', 'taiwan_permit', 'foreign_permanent')",
            name=op.f("ck_legacy_certificate_id_type"),
        ),
        sa.CheckConstraint("number_key <> '' AND name_key <> ''", name=op.f("ck_legacy_certificate_named")),
        sa.CheckConstraint(
            "(id_type IS NULL) = (id_number_sealed IS NULL) AND (id_type IS NULL) = (id_number_index IS NULL)",
            name=op.f("ck_legacy_certificate_id_pair"),
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoke_reason IS NULL)", name=op.f("ck_legacy_certificate_revoked")
        ),
        sa.CheckConstraint("valid_until >= issued_on", name=op.f("ck_legacy_certificate_period")),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["programme.code"], name=op.f("fk_legacy_certificate_programme_code")
        ),
        sa.ForeignKeyConstraint(["revoked_by"], ["app_user.id"], name=op.f("fk_legacy_certificate_revoked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legacy_certificate")),
        sa.UniqueConstraint("number_key", name=op.f("uq_legacy_certificate_number_key")),
        sa.UniqueConstraint("ref", name=op.f("uq_legacy_certificate_ref")),
    )
    op.create_index("ix_legacy_certificate_id_number", "legacy_certificate", ["id_number_index"], unique=False)
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "sector IN ('community', 'village', 'school', 'enterprise', 'office', 'family', 'red_cross')",
            name=op.f("ck_organisation_sector"),
        ),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_organisation_district_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index(op.f("ix_organisation_district_id"), "organisation", ["district_id"], unique=False)
    op.create_table(
        "password_reset",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_password_reset_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_reset")),
    )
    op.create_index(op.f("ix_password_reset_user_id"), "password_reset", ["user_id"], unique=False)
    op.create_table(
        "trainee",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("district_id", sa.SmallInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("birth_year", sa.SmallInteger(), nullable=True),
        sa.Column("id_type", sa.Text(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("guardian_name", sa.Text(), nullable=True),
        sa.Column("guardian_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "id_type IN ('resident', 'passport', 'hk_macau_permit', 'taiwan_permit', 'foreign_permanent')",
            name=op.f("ck_trainee_id_type"),
        ),
        sa.CheckConstraint("name <> '' AND name_key <> ''", name=op.f("ck_trainee_name")),
        sa.CheckConstraint(
            "(id_type IS NULL) = (id_number_sealed IS NULL) AND (id_type IS NULL) = (id_number_index IS NULL)",
            name=op.f("ck_trainee_id_pair"),
        ),
        sa.CheckConstraint("(phone_sealed IS NULL) = (phone_index IS NULL)", name=op.f("ck_trainee_phone_pair")),
        sa.CheckConstraint("birth_year BETWEEN 1900 AND 2100", name=op.f("ck_trainee_birth_year")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_trainee_district_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_trainee_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainee")),
        sa.UniqueConstraint("ref", name=op.f("uq_trainee_ref")),
        sa.UniqueConstraint("user_id", name=op.f("uq_trainee_user_id")),
    )
    op.create_index("ix_trainee_name_key", "trainee", ["name_key"], unique=False)
    op.create_index("ix_trainee_phone", "trainee", ["phone_index", "name_key"], unique=False)
    op.create_index("uq_trainee_id_number", "trainee", ["id_type", "id_number_index"], unique=True)
    op.create_table(
        "course_skill",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_skill_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_skill")),
        sa.UniqueConstraint("course_id", "position", name=op.f("uq_course_skill_course_id_position")),
    )
    op.create_table(
        "offering",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=False),
        sa.Column("lead_instructor_id", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("by_invitation", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("counted_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancel_reason IS NOT NULL AND cancelled_at IS NOT NULL)",
            name=op.f("ck_offering_cancelled"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (counted_on IS NOT NULL AND closed_at IS NOT NULL)", name=op.f("ck_offering_closed")
        ),
        sa.CheckConstraint("state IN ('draft', 'published', 'closed', 'cancelled')", name=op.f("ck_offering_state")),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_offering_capacity")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_offering_course_id")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_offering_district_id")),
        sa.ForeignKeyConstraint(["lead_instructor_id"], ["instructor.id"], name=op.f("fk_offering_lead_instructor_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_offering_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offering")),
    )
    op.create_index("ix_offering_counted_on", "offering", ["counted_on"], unique=False)
    op.create_index(op.f("ix_offering_course_id"), "offering", ["course_id"], unique=False)
    op.create_index("ix_offering_district_state", "offering", ["district_id", "state"], unique=False)
    op.create_index(op.f("ix_offering_lead_instructor_id"), "offering", ["lead_instructor_id"], unique=False)
    op.create_index(op.f("ix_offering_organisation_id"), "offering", ["organisation_id"], unique=False)
    op.create_table(
        "qualification",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_qualification_period")),
        sa.ForeignKeyConstraint(
            ["instructor_id"], ["instructor.id"], name=op.f("fk_qualification_instructor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_qualification_programme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qualification")),
        sa.UniqueConstraint(
            "instructor_id",
            "programme_code",
            "valid_from",
            name=op.f("uq_qualification_instructor_id_programme_code_valid_from"),
        ),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(role = 'coordinator') = (organisation_id IS NOT NULL)", name=op.f("ck_role_grant_organisation")
        ),
        sa.CheckConstraint(
            "(role = 'district_administrator') = (district_id IS NOT NULL)", name=op.f("ck_role_grant_district")
        ),
        sa.CheckConstraint(
            "role IN ('trainee', 'instructor', 'coordinator', 'district_administrator', 'city_administrator', 'auditor')",
            name=op.f("ck_role_grant_role"),
        ),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_role_grant_district_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_role_grant_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_role_grant_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint(
            "user_id",
            "role",
            "district_id",
            "organisation_id",
            name="uq_role_grant_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_role_grant_user_id"), "role_grant", ["user_id"], unique=False)
    op.create_table(
        "course_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "during",
            postgresql.TSTZRANGE(),
            sa.Computed("tstzrange(starts_at, ends_at, '[)')", persisted=True),
            nullable=False,
        ),
        sa.Column("headcount", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at - starts_at <= interval '24 hours'", name=op.f("ck_course_session_length")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_course_session_period")),
        sa.CheckConstraint("headcount BETWEEN 0 AND 100000", name=op.f("ck_course_session_headcount")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_course_session_offering_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_session")),
        sa.UniqueConstraint("id", "during", name=op.f("uq_course_session_id_during")),
    )
    op.create_index(op.f("ix_course_session_offering_id"), "course_session", ["offering_id"], unique=False)
    op.create_index("ix_course_session_starts_at", "course_session", ["starts_at"], unique=False)
    op.create_table(
        "enrolment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("trainee_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("sessions_attended", sa.SmallInteger(), nullable=False),
        sa.Column("minutes_attended", sa.BigInteger(), nullable=False),
        sa.Column("shortfalls", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("certificate_due", sa.Boolean(), nullable=False),
        sa.Column("certified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_enrolment_cancelled")),
        sa.CheckConstraint(
            "NOT certificate_due OR state = 'completed' OR certified_at IS NOT NULL", name=op.f("ck_enrolment_due")
        ),
        sa.CheckConstraint("source IN ('self', 'staff', 'import', 'walk_in')", name=op.f("ck_enrolment_source")),
        sa.CheckConstraint("state <> 'waitlisted' OR queued_at IS NOT NULL", name=op.f("ck_enrolment_queued")),
        sa.CheckConstraint(
            "state IN ('enrolled', 'waitlisted', 'cancelled', 'completed', 'failed', 'incomplete')",
            name=op.f("ck_enrolment_state"),
        ),
        sa.CheckConstraint("sessions_attended >= 0 AND minutes_attended >= 0", name=op.f("ck_enrolment_attended")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_enrolment_offering_id")),
        sa.ForeignKeyConstraint(["trainee_id"], ["trainee.id"], name=op.f("fk_enrolment_trainee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("ticket", name=op.f("uq_enrolment_ticket")),
    )
    op.create_index(
        "ix_enrolment_owed",
        "enrolment",
        ["id"],
        unique=False,
        postgresql_where="certificate_due AND certified_at IS NULL",
    )
    op.create_index(op.f("ix_enrolment_trainee_id"), "enrolment", ["trainee_id"], unique=False)
    op.create_index(
        "ix_enrolment_waiting",
        "enrolment",
        ["offering_id", "queued_at", "id"],
        unique=False,
        postgresql_where="state = 'waitlisted'",
    )
    op.create_index(
        "uq_enrolment_once",
        "enrolment",
        ["offering_id", "trainee_id"],
        unique=True,
        postgresql_where="state <> 'cancelled'",
    )
    op.create_table(
        "enrolment_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_enrolment_import_offering_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_enrolment_import_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_import")),
        sa.UniqueConstraint("ref", name=op.f("uq_enrolment_import_ref")),
    )
    op.create_index(op.f("ix_enrolment_import_offering_id"), "enrolment_import", ["offering_id"], unique=False)
    op.create_table(
        "person_time_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=True),
        sa.Column("corrects_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("enrolled", sa.BigInteger(), nullable=False),
        sa.Column("named", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("certificates", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('correction', 'adjustment')) = (corrects_id IS NOT NULL)",
            name=op.f("ck_person_time_entry_corrects"),
        ),
        sa.CheckConstraint(
            "kind IN ('closing', 'correction', 'adjustment', 'certification')", name=op.f("ck_person_time_entry_kind")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('correction', 'adjustment') OR reason IS NOT NULL", name=op.f("ck_person_time_entry_reason")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["person_time_entry.id"], name=op.f("fk_person_time_entry_corrects_id")
        ),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_person_time_entry_offering_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_person_time_entry_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_time_entry")),
    )
    op.create_index("ix_person_time_entry_dated_on", "person_time_entry", ["dated_on", "offering_id"], unique=False)
    op.create_index(op.f("ix_person_time_entry_offering_id"), "person_time_entry", ["offering_id"], unique=False)
    op.create_index(
        "uq_person_time_entry_closing",
        "person_time_entry",
        ["offering_id"],
        unique=True,
        postgresql_where="kind = 'closing'",
    )
    op.create_table(
        "assessment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("theory_score", sa.SmallInteger(), nullable=True),
        sa.Column("examiner_id", sa.BigInteger(), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_assessment_attempt")),
        sa.CheckConstraint("theory_score BETWEEN 0 AND 100", name=op.f("ck_assessment_theory_score")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_assessment_enrolment_id")),
        sa.ForeignKeyConstraint(["examiner_id"], ["instructor.id"], name=op.f("fk_assessment_examiner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("enrolment_id", "attempt", name=op.f("uq_assessment_enrolment_id_attempt")),
    )
    op.create_table(
        "attendance_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind <> 'undo' OR reason IS NOT NULL", name=op.f("ck_attendance_event_undo_reason")),
        sa.CheckConstraint("kind IN ('arrive', 'leave', 'undo')", name=op.f("ck_attendance_event_kind")),
        sa.CheckConstraint(
            "method IN ('tap', 'scan', 'photo', 'walk_in', 'correction')", name=op.f("ck_attendance_event_method")
        ),
        sa.ForeignKeyConstraint(
            ["course_session_id"], ["course_session.id"], name=op.f("fk_attendance_event_course_session_id")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_attendance_event_enrolment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_attendance_event_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_event")),
    )
    op.create_index(op.f("ix_attendance_event_enrolment_id"), "attendance_event", ["enrolment_id"], unique=False)
    op.create_index(
        "ix_attendance_event_session",
        "attendance_event",
        ["course_session_id", "enrolment_id", "received_at"],
        unique=False,
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=False, start=1, maxvalue=4294967295), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("certificate_type", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("key_number", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.Column("superseded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("replaces_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name=op.f("ck_certificate_revoked")),
        sa.CheckConstraint("octet_length(payload) = 82", name=op.f("ck_certificate_payload")),
        sa.CheckConstraint("serial BETWEEN 0 AND 4294967295", name=op.f("ck_certificate_serial")),
        sa.CheckConstraint("superseded_by_id <> id AND replaces_id <> id", name=op.f("ck_certificate_superseded")),
        sa.CheckConstraint("valid_until >= issued_on", name=op.f("ck_certificate_period")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_certificate_enrolment_id")),
        sa.ForeignKeyConstraint(["key_number"], ["signing_key.number"], name=op.f("fk_certificate_key_number")),
        sa.ForeignKeyConstraint(["replaces_id"], ["certificate.id"], name=op.f("fk_certificate_replaces_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["app_user.id"], name=op.f("fk_certificate_revoked_by")),
        sa.ForeignKeyConstraint(
            ["superseded_by_id"],
            ["certificate.id"],
            name=op.f("fk_certificate_superseded_by_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
        sa.UniqueConstraint("payload", name=op.f("uq_certificate_payload")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_certificate_replaces_id")),
        sa.UniqueConstraint("serial", name=op.f("uq_certificate_serial")),
    )
    op.create_index("ix_certificate_issued_on", "certificate", ["issued_on"], unique=False)
    op.create_index(
        "ix_certificate_standing",
        "certificate",
        ["valid_until"],
        unique=False,
        postgresql_where="revoked_at IS NULL AND superseded_by_id IS NULL",
    )
    op.create_index(
        "uq_certificate_enrolment",
        "certificate",
        ["enrolment_id"],
        unique=True,
        postgresql_where="superseded_by_id IS NULL",
    )
    op.create_table(
        "session_instructor",
        sa.Column("course_session_id", sa.BigInteger(), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.literal_column("int8range(instructor_id, instructor_id, '[]')"), "&&"),
            (sa.column("during"), "&&"),
            where=sa.text("active"),
            using="gist",
            name="ex_session_instructor_one_place",
        ),
        sa.CheckConstraint("role IN ('lead', 'assistant')", name=op.f("ck_session_instructor_role")),
        sa.ForeignKeyConstraint(
            ["course_session_id", "during"],
            ["course_session.id", "course_session.during"],
            name="fk_session_instructor_course_session",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["instructor_id"], ["instructor.id"], name=op.f("fk_session_instructor_instructor_id")),
        sa.PrimaryKeyConstraint("course_session_id", "instructor_id", name=op.f("pk_session_instructor")),
    )
    op.create_index("ix_session_instructor_instructor_id", "session_instructor", ["instructor_id"], unique=False)
    op.create_index(
        "uq_session_instructor_lead",
        "session_instructor",
        ["course_session_id"],
        unique=True,
        postgresql_where="role = 'lead'",
    )
    op.create_table(
        "attendance",
        sa.Column("course_session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("left_at >= arrived_at", name=op.f("ck_attendance_order")),
        sa.ForeignKeyConstraint(
            ["course_session_id"], ["course_session.id"], name=op.f("fk_attendance_course_session_id")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_attendance_enrolment_id")),
        sa.ForeignKeyConstraint(["event_id"], ["attendance_event.id"], name=op.f("fk_attendance_event_id")),
        sa.PrimaryKeyConstraint("course_session_id", "enrolment_id", name=op.f("pk_attendance")),
        sa.UniqueConstraint("event_id", name=op.f("uq_attendance_event_id")),
    )
    op.create_index(op.f("ix_attendance_enrolment_id"), "attendance", ["enrolment_id"], unique=False)
    op.create_table(
        "badge",
        sa.Column("certificate_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(made_at IS NULL) = (credential IS NULL) AND (made_at IS NULL) = (token IS NULL)",
            name=op.f("ck_badge_whole"),
        ),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_badge_certificate_id")),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_badge")),
    )
    op.create_index("ix_badge_owed", "badge", ["certificate_id"], unique=False, postgresql_where="made_at IS NULL")
    op.create_table(
        "certificate_reminder",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("days_before", sa.SmallInteger(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("days_before > 0", name=op.f("ck_certificate_reminder_days_before")),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_reminder_certificate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_reminder")),
        sa.UniqueConstraint(
            "certificate_id", "days_before", name=op.f("uq_certificate_reminder_certificate_id_days_before")
        ),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(payload_hash) = 32 AND octet_length(previous_hash) = 32 AND octet_length(hash) = 32",
            name=op.f("ck_ledger_entry_lengths"),
        ),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_ledger_entry_certificate_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("certificate_id", name=op.f("uq_ledger_entry_certificate_id")),
        sa.UniqueConstraint("hash", name=op.f("uq_ledger_entry_hash")),
        sa.UniqueConstraint("payload_hash", name=op.f("uq_ledger_entry_payload_hash")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_ledger_entry_previous_hash")),
    )
    op.create_table(
        "reissue_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("replacement_id", sa.BigInteger(), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reason <> '' AND holder_name <> ''", name=op.f("ck_reissue_request_said")),
        sa.CheckConstraint("replacement_id IS NULL OR dropped_at IS NULL", name=op.f("ck_reissue_request_outcome")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_reissue_request_certificate_id")),
        sa.ForeignKeyConstraint(["replacement_id"], ["certificate.id"], name=op.f("fk_reissue_request_replacement_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_reissue_request_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reissue_request")),
        sa.UniqueConstraint("replacement_id", name=op.f("uq_reissue_request_replacement_id")),
    )
    op.create_index(
        "uq_reissue_request_open",
        "reissue_request",
        ["certificate_id"],
        unique=True,
        postgresql_where="replacement_id IS NULL AND dropped_at IS NULL",
    )
    op.create_table(
        "share_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > made_at", name=op.f("ck_share_link_period")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_share_link_token_hash")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_share_link_certificate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_share_link_token_hash")),
    )
    op.create_index("ix_share_link_certificate", "share_link", ["certificate_id"], unique=False)
    op.create_table(
        "skill_result",
        sa.Column("assessment_id", sa.BigInteger(), nullable=False),
        sa.Column("skill_id", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_skill_result_assessment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["skill_id"], ["course_skill.id"], name=op.f("fk_skill_result_skill_id")),
        sa.PrimaryKeyConstraint("assessment_id", "skill_id", name=op.f("pk_skill_result")),
    )
    op.execute(
        "CREATE FUNCTION refuse_alteration() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_alteration()"
        )


def downgrade() -> None:
    op.drop_table("skill_result")
    op.drop_index("ix_share_link_certificate", table_name="share_link")
    op.drop_table("share_link")
    op.drop_index(
        "uq_reissue_request_open",
        table_name="reissue_request",
        postgresql_where="replacement_id IS NULL AND dropped_at IS NULL",
    )
    op.drop_table("reissue_request")
    op.drop_table("ledger_entry")
    op.drop_table("certificate_reminder")
    op.drop_index("ix_badge_owed", table_name="badge", postgresql_where="made_at IS NULL")
    op.drop_table("badge")
    op.drop_index(op.f("ix_attendance_enrolment_id"), table_name="attendance")
    op.drop_table("attendance")
    op.drop_index("uq_session_instructor_lead", table_name="session_instructor", postgresql_where="role = 'lead'")
    op.drop_index("ix_session_instructor_instructor_id", table_name="session_instructor")
    op.drop_table("session_instructor")
    op.drop_index("uq_certificate_enrolment", table_name="certificate", postgresql_where="superseded_by_id IS NULL")
    op.drop_index(
        "ix_certificate_standing",
        table_name="certificate",
        postgresql_where="revoked_at IS NULL AND superseded_by_id IS NULL",
    )
    op.drop_index("ix_certificate_issued_on", table_name="certificate")
    op.drop_table("certificate")
    op.drop_index("ix_attendance_event_session", table_name="attendance_event")
    op.drop_index(op.f("ix_attendance_event_enrolment_id"), table_name="attendance_event")
    op.drop_table("attendance_event")
    op.drop_table("assessment")
    op.drop_index("uq_person_time_entry_closing", table_name="person_time_entry", postgresql_where="kind = 'closing'")
    op.drop_index(op.f("ix_person_time_entry_offering_id"), table_name="person_time_entry")
    op.drop_index("ix_person_time_entry_dated_on", table_name="person_time_entry")
    op.drop_table("person_time_entry")
    op.drop_index(op.f("ix_enrolment_import_offering_id"), table_name="enrolment_import")
    op.drop_table("enrolment_import")
    op.drop_index("uq_enrolment_once", table_name="enrolment", postgresql_where="state <> 'cancelled'")
    op.drop_index("ix_enrolment_waiting", table_name="enrolment", postgresql_where="state = 'waitlisted'")
    op.drop_index(op.f("ix_enrolment_trainee_id"), table_name="enrolment")
    op.drop_index(
        "ix_enrolment_owed", table_name="enrolment", postgresql_where="certificate_due AND certified_at IS NULL"
    )
    op.drop_table("enrolment")
    op.drop_index("ix_course_session_starts_at", table_name="course_session")
    op.drop_index(op.f("ix_course_session_offering_id"), table_name="course_session")
    op.drop_table("course_session")
    op.drop_index(op.f("ix_role_grant_user_id"), table_name="role_grant")
    op.drop_table("role_grant")
    op.drop_table("qualification")
    op.drop_index(op.f("ix_offering_organisation_id"), table_name="offering")
    op.drop_index(op.f("ix_offering_lead_instructor_id"), table_name="offering")
    op.drop_index("ix_offering_district_state", table_name="offering")
    op.drop_index(op.f("ix_offering_course_id"), table_name="offering")
    op.drop_index("ix_offering_counted_on", table_name="offering")
    op.drop_table("offering")
    op.drop_table("course_skill")
    op.drop_index("uq_trainee_id_number", table_name="trainee")
    op.drop_index("ix_trainee_phone", table_name="trainee")
    op.drop_index("ix_trainee_name_key", table_name="trainee")
    op.drop_table("trainee")
    op.drop_index(op.f("ix_password_reset_user_id"), table_name="password_reset")
    op.drop_table("password_reset")
    op.drop_index(op.f("ix_organisation_district_id"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_index("ix_legacy_certificate_id_number", table_name="legacy_certificate")
    op.drop_table("legacy_certificate")
    op.drop_index(op.f("ix_instructor_district_id"), table_name="instructor")
    op.drop_table("instructor")
    op.drop_table("frozen_quarter")
    op.drop_index(op.f("ix_course_programme_code"), table_name="course")
    op.drop_table("course")
    op.drop_index(op.f("ix_browser_session_user_id"), table_name="browser_session")
    op.drop_table("browser_session")
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index("uq_signing_key_active", table_name="signing_key", postgresql_where="state = 'active'")
    op.drop_table("signing_key")
    op.drop_table("programme")
    op.drop_index("ix_outgoing_mail_owed", table_name="outgoing_mail", postgresql_where="sent_at IS NULL")
    op.drop_table("outgoing_mail")
    op.drop_table("issuer_key")
    op.drop_table("status_list")
    op.drop_table("district")
    op.drop_index("uq_app_user_phone_index", table_name="app_user")
    op.drop_index("uq_app_user_email", table_name="app_user")
    op.drop_table("app_user")
    op.execute("DROP FUNCTION refuse_alteration()")
