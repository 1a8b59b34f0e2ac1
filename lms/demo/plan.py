"""Plan of the demo year: hosts, instructors, and which courses run when. Facts only; `lms.demo.year` carries them out."""

from dataclasses import dataclass

from lms.organisations.models import Sector

# District id, Chinese and English name, sector.
HOSTS: tuple[tuple[int, str, str, Sector], ...] = (
    (6, "北京市海淀区中关村第一小学", "Zhongguancun No. 1 Primary School, Haidian", Sector.SCHOOL),
    (6, "海淀区学院路街道红十字会", "Red Cross of Xueyuanlu Subdistrict, Haidian", Sector.RED_CROSS),
    (6, "海淀区清河街道阳光社区", "Yangguang Community, Qinghe, Haidian", Sector.COMMUNITY),
    (3, "朝阳区望京街道花家地社区", "Huajiadi Community, Wangjing, Chaoyang", Sector.COMMUNITY),
    (3, "北京朝阳制造有限公司", "Beijing Chaoyang Manufacturing Co.", Sector.ENTERPRISE),
    (1, "东城区红十字会", "Red Cross of Dongcheng District", Sector.RED_CROSS),
    (2, "西城区机关事务服务中心", "Office Services Centre, Xicheng", Sector.OFFICE),
    (4, "丰台区东高地第三小学", "Donggaodi No. 3 Primary School, Fengtai", Sector.SCHOOL),
    (9, "通州区宋庄镇小堡村", "Xiaopu Village, Songzhuang, Tongzhou", Sector.VILLAGE),
    (11, "昌平区回龙观街道龙泽家园", "Longze Families, Huilongguan, Changping", Sector.FAMILY),
)

# Home district, level, and the programmes taught.
INSTRUCTORS: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (6, "senior", ("RESCUE", "FIRST_RESPONDER", "INSTRUCTOR")),
    (6, "intermediate", ("RESCUE", "FIRST_RESPONDER")),
    (6, "junior", ("RESCUE", "FIRST_RESPONDER")),
    (3, "senior", ("RESCUE", "FIRST_RESPONDER", "INSTRUCTOR")),
    (3, "intermediate", ("RESCUE", "FIRST_RESPONDER")),
    (1, "intermediate", ("RESCUE", "FIRST_RESPONDER")),
    (1, "junior", ("RESCUE",)),
    (2, "senior", ("RESCUE", "FIRST_RESPONDER")),
    (4, "junior", ("RESCUE", "FIRST_RESPONDER")),
    (9, "intermediate", ("RESCUE", "FIRST_RESPONDER")),
    (11, "junior", ("RESCUE",)),
    (11, "intermediate", ("RESCUE", "FIRST_RESPONDER")),
)


@dataclass(frozen=True)
class OfferingKind:
    """A course as the demo runs it: trainees enrolled (least, most), people counted by head, and each session's hours."""

    course: str
    enrolled: tuple[int, int]
    headcount: tuple[int, int]
    hours: tuple[float, ...]


TALK = OfferingKind("RESCUE-TALK", (0, 4), (60, 320), (2,))
CPR = OfferingKind("RESCUE-CPR-AED", (10, 24), (0, 0), (4,))
FIRST_AIDER = OfferingKind("FR-8", (10, 22), (0, 0), (8,))
FIRST_RESPONDER = OfferingKind("FR-16", (12, 26), (0, 0), (8, 8))
REFRESHER = OfferingKind("FR-REFRESHER", (8, 14), (0, 0), (8,))
INSTRUCTOR = OfferingKind("INSTRUCTOR-48", (6, 8), (0, 0), (8, 8, 8, 8, 8, 8))

# What runs in a month, most often first; instructors are trained once, in the sixth month.
MONTH = (TALK, FIRST_RESPONDER, CPR, FIRST_AIDER, REFRESHER)
# Months of the year in which more is asked for: spring, and the autumn term.
BUSY = {3, 4, 5, 9, 10, 11}
