"""The 16 districts, the three programmes and their courses.

Districts: GB/T 2260; the id is the issuing unit in a certificate's code. Hours, sizes and validity follow the branch's
practice and are rows that an administrator edits, not constants.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DISTRICTS = (
    (1, "110101", "东城区", "Dongcheng"),
    (2, "110102", "西城区", "Xicheng"),
    (3, "110105", "朝阳区", "Chaoyang"),
    (4, "110106", "丰台区", "Fengtai"),
    (5, "110107", "石景山区", "Shijingshan"),
    (6, "110108", "海淀区", "Haidian"),
    (7, "110109", "门头沟区", "Mentougou"),
    (8, "110111", "房山区", "Fangshan"),
    (9, "110112", "通州区", "Tongzhou"),
    (10, "110113", "顺义区", "Shunyi"),
    (11, "110114", "昌平区", "Changping"),
    (12, "110115", "大兴区", "Daxing"),
    (13, "110116", "怀柔区", "Huairou"),
    (14, "110117", "平谷区", "Pinggu"),
    (15, "110118", "密云区", "Miyun"),
    (16, "110119", "延庆区", "Yanqing"),
)

PROGRAMMES = (
    ("RESCUE", "ER", "应急救护普及培训", "Emergency rescue training", 1),
    ("FIRST_RESPONDER", "FR", "救护员培训", "First-responder training", 2),
    ("INSTRUCTOR", "IN", "师资培训", "Instructor training", 3),
)

CPR = ("成人心肺复苏", "Adult CPR")
AED = ("自动体外除颤器（AED）使用", "Using an AED")
CHOKING = ("气道异物梗阻急救", "Relief of choking")
BLEEDING = ("止血与包扎", "Bleeding control and bandaging")
FRACTURE = ("骨折固定", "Splinting of fractures")
CARRYING = ("伤员搬运", "Moving the injured")
TEACHING = ("试讲", "Trial lesson")
DEMONSTRATION = ("操作示范", "Skills demonstration")

# code, programme, names, hours, sessions needed, pass mark, validity (months), ratio, capacity, type, refresher, skills
COURSES = (
    ("RESCUE-TALK", "RESCUE", "应急救护知识讲座", "First-aid talk", 2, 1, None, None, None, 500, None, False, ()),
    (
        "RESCUE-CPR-AED", "RESCUE", "心肺复苏与AED专项培训", "CPR and AED course",
        4, 1, None, None, 12, 60, None, False, (CPR, AED),
    ),
    (
        "FR-16", "FIRST_RESPONDER", "救护员", "First responder",
        16, 2, 60, 36, 12, 50, 1, False, (CPR, AED, CHOKING, BLEEDING, FRACTURE, CARRYING),
    ),
    (
        "FR-8", "FIRST_RESPONDER", "初级急救员", "Elementary first aider",
        8, 1, 60, 36, 12, 50, 2, False, (CPR, AED, CHOKING, BLEEDING),
    ),
    (
        "FR-REFRESHER", "FIRST_RESPONDER", "救护员复训", "First-responder refresher",
        8, 1, 60, 36, 12, 50, 1, True, (CPR, AED, CHOKING, BLEEDING),
    ),
    (
        "INSTRUCTOR-48", "INSTRUCTOR", "师资初训", "Initial instructor training",
        48, 6, 80, 36, 8, 35, 3, False, (CPR, AED, CHOKING, BLEEDING, FRACTURE, CARRYING, TEACHING, DEMONSTRATION),
    ),
    (
        "INSTRUCTOR-REFRESHER", "INSTRUCTOR", "师资复训", "Instructor refresher",
        8, 1, 80, 36, 8, 35, 3, True, (CPR, AED, TEACHING),
    ),
)  # fmt: skip


def upgrade() -> None:
    connection = op.get_bind()
    for row in DISTRICTS:
        connection.execute(
            sa.text("INSERT INTO district (id, code, name_zh, name_en) VALUES (:id, :code, :zh, :en)"),
            dict(zip(("id", "code", "zh", "en"), row, strict=True)),
        )
    for row in PROGRAMMES:
        connection.execute(
            sa.text(
                "INSERT INTO programme (code, short_code, name_zh, name_en, position)"
                " VALUES (:code, :short, :zh, :en, :position)"
            ),
            dict(zip(("code", "short", "zh", "en", "position"), row, strict=True)),
        )
    names = (
        "code", "programme", "zh", "en", "hours", "sessions", "mark", "months", "ratio", "capacity", "type", "refresher",
    )  # fmt: skip
    for *facts, skills in COURSES:
        course_id = connection.execute(
            sa.text(
                "INSERT INTO course (code, programme_code, name_zh, name_en, hours, sessions_needed, pass_mark,"
                " validity_months, trainee_ratio, capacity, certificate_type, refresher, active) VALUES (:code,"
                " :programme, :zh, :en, :hours, :sessions, :mark, :months, :ratio, :capacity, :type, :refresher, true)"
                " RETURNING id"
            ),
            dict(zip(names, facts, strict=True)),
        ).scalar_one()
        for position, (zh, en) in enumerate(skills, 1):
            connection.execute(
                sa.text(
                    "INSERT INTO course_skill (course_id, position, name_zh, name_en, active)"
                    " VALUES (:course, :position, :zh, :en, true)"
                ),
                {"course": course_id, "position": position, "zh": zh, "en": en},
            )


def downgrade() -> None:
    for table in ("course_skill", "course", "programme", "district"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own
