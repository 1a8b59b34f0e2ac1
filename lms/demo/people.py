"""Invented people: plausible names, numbers that pass their checks and belong to nobody we know of."""

from datetime import date, timedelta
from random import Random

FAMILY = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
COMPOUND_FAMILY = ("欧阳", "司马", "上官", "诸葛")
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰建国志红梅春燕鹏飞宇航子涵梓萱浩然雨桐欣怡嘉怡俊杰"
    "思远佳琪晨曦文博雅婷海龙秀珍立新永年凤莲国栋晓东婉清景行若水长青"
)
FOREIGN = ("John Smith", "María García", "阿依古丽·买买提", "扎西·顿珠", "金智勋")
# Area codes of the 16 districts stand first in a number; any other would pass the check as well.
AREAS = ("110101", "110102", "110105", "110106", "110108", "110112", "130102", "370102", "410103", "510104")
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"


class DemoPeople:
    """A source of people, the same for the same seed; no phone and no ID number comes twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._phones: set[str] = set()
        self._numbers: set[str] = set()

    def name(self) -> str:
        """A name; one in eighty is of the kinds that systems get wrong."""
        if self._random.random() < 1 / 80:
            return self._random.choice(FOREIGN)
        family = self._random.choice(FAMILY) if self._random.random() > 0.02 else self._random.choice(COMPOUND_FAMILY)
        return family + "".join(self._random.sample(GIVEN, self._random.choice((1, 2, 2, 2))))

    def phone(self) -> str:
        """A mobile number in E.164."""
        while True:
            prefix = self._random.choice(("138", "139", "150", "158", "186", "188"))
            phone = f"+86{prefix}{self._random.randrange(10**8):08d}"
            if phone not in self._phones:
                self._phones.add(phone)
                return phone

    def resident_id(self, birth_year: int) -> str:
        """A resident ID number (GB 11643) whose check character is right."""
        while True:
            born = date(birth_year, 1, 1) + timedelta(days=self._random.randrange(365))
            body = f"{self._random.choice(AREAS)}{born:%Y%m%d}{self._random.randrange(1000):03d}"
            total = sum(int(digit) * weight for digit, weight in zip(body, ID_WEIGHTS, strict=True))
            number = body + ID_CHECKS[total % 11]
            if number not in self._numbers:
                self._numbers.add(number)
                return number
