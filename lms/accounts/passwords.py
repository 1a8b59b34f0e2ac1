"""Passwords: how they are stored and which are refused.

Stored as Argon2id with OWASP's parameters (19 MiB, two passes, one lane). A password must be long and hard to guess (NIST
SP 800-63B); there is no rule on kinds of characters. How hard it is to guess is estimated by zxcvbn, which knows common
passwords, words, names, dates and rows of keys in their usual disguises (`P@ssw0rd2024`), and is told here what others may know
of the person and of the site.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lms.core import crypto
from lms.core.errors import N_, DomainError

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
MINIMUM = 10
MAXIMUM = 200
LEFT_OVER = 6
SCORE = 3  # of 4: more than 10**8 guesses, "safely unguessable" by zxcvbn for a hash that is slow
# zxcvbn takes 30 ms for 64 characters and refuses more than 72; what follows can only make a password harder to guess.
ESTIMATED = 64

# Passwords of ten characters and more, from lists of leaked ones and from what people here would think of first, which
# zxcvbn does not know.
COMMON = frozenset(
    """
    1234567890 0123456789 0987654321 9876543210 12345678910 1234567891 123456789a 123456789q 1234567899 1234512345
    1122334455 1212121212 1231231231 1357924680 1472583690 147258369a 5201314520 1314520520 1314521521 a123456789
    aa123456789 abc123456789 abc1234567 abcd123456 abcd1234567 abcde12345 abcdef1234 abcdefghij as123456789 qq123456789
    wang123456 woaini1314 woaini520 woaini5201314 woaini1314520 woaini123456 iloveyou123 iloveyou1314 iloveyou520
    qwertyuiop qwerty1234 qwerty12345 qwerty123456 qwertyuiop123 asdfghjkl1 asdfghjkl123 zxcvbnm123 zxcvbnm1234 1q2w3e4r5t
    1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3e q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcr qazwsx123456 password12 password123
    password1234 passw0rd123 p@ssw0rd123 p@ssword123 mypassword administrator admin12345 admin123456 admin1234567
    adminadmin welcome123 welcome1234 letmein123 changeme123 football123 superman123 princess123 sunshine123 monkey12345
    redcross123 redcross2025 redcross2026 hongshizihui hongshizihui123 beijing123 beijing2008 beijing2022 beijing1234
    china123456 zhongguo123 jiuhu12345 peixun1234 firstaid123 firstaidtraining
    """.split()  # noqa: SIM905  # a list of words is read as one
)
# Words of this field and place, as people would put them into a password here.
SITE_WORDS = (
    "redcross", "hongshizihui", "hongshizi", "firstaid", "jiuhu", "jijiu", "peixun", "xuexi", "beijing", "zhongguo",
    "woaini", "iloveyou", "5201314", "520", "1314", "红十字会", "红十字", "急救", "救护", "培训", "北京",
)  # fmt: skip

_WEAK = N_("This password is too common and easy to guess. Several words that only you would put together work well.")
# zxcvbn's warnings, by the beginning of each, and what is said instead.
_WARNINGS = (
    (("Straight rows", "Short keyboard"), N_(
        "Rows of keys are easy to guess. Several words that only you would put together work well."
    )),
    (("Repeats like",), N_(
        "Repeated characters and words are easy to guess. Several words that only you would put together work well."
    )),
    (("Sequences like",), N_(
        "Sequences such as “abc” or “6543” are easy to guess. Several words that only you would put together work well."
    )),
    (("Recent years", "Dates are"), N_(
        "Dates and years are easy to guess. Several words that only you would put together work well."
    )),
    (("This is similar",), N_(
        "This is a common password in disguise; digits at the end and “@” for “a” do not help. "
        "Several words that only you would put together work well."
    )),
    (("A word by itself", "Names and", "Common names"), N_(
        "A word or a name alone is easy to guess. Several words that only you would put together work well."
    )),
)  # fmt: skip


def seal(password: str) -> str:
    """The hash that is stored for a password."""
    return HASHER.hash(_normal(password))


def matches(sealed: str | None, password: str) -> bool:
    """Compare a password with its hash. Takes equally long for a user without a password, so that the time tells nothing."""
    try:
        return HASHER.verify(sealed or _nobody(), _normal(password)) and sealed is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(sealed: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(sealed)


def demand(password: str, *, facts: Iterable[str | None]) -> None:
    """Raise DomainError for a password that is too short, easy to guess, or little more than a fact about its owner.

    facts: what others may know of the owner, such as name, contacts, organisation and year of birth.
    """
    facts = tuple(facts)
    folded = _fold(password)
    if len(password) < MINIMUM:
        raise DomainError(
            "password_short", N_("Use at least %(least)s characters."), status=422, field="password", least=MINIMUM
        )
    if len(password) > MAXIMUM:
        raise DomainError(
            "password_long", N_("Use at most %(most)s characters."), status=422, field="password", most=MAXIMUM
        )
    for fact in _facts(facts):
        if fact in folded and len(folded.replace(fact, "")) < LEFT_OVER:
            raise DomainError(
                "password_personal",
                N_("This password is too similar to your name, e-mail address or phone number."),
                status=422,
                field="password",
            )
    warning = _warning(password, facts)
    if warning is not None:
        raise DomainError("password_common", warning, status=422, field="password")


def _warning(password: str, facts: Sequence[str | None]) -> str | None:
    """The reason for which a password is easy to guess, as a msgid; None for one that is not."""
    # Loading its word lists takes 50 ms, which only those processes need in which somebody chooses a password.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    known = [*_words(facts), *SITE_WORDS, *COMMON]
    estimate = zxcvbn(_normal(password)[:ESTIMATED], user_inputs=known)
    if estimate["score"] >= SCORE:
        return None
    given = str(estimate["feedback"]["warning"])
    return next((text for beginnings, text in _WARNINGS if given.startswith(beginnings)), _WEAK)


def _words(facts: Iterable[str | None]) -> list[str]:
    """The words of what others know of the owner: "li.lei@school.cn" gives li.lei, li, lei, school.cn, school, cn."""
    words: dict[str, None] = {}
    for fact in facts:
        for part in (fact or "").casefold().split("@"):
            digits = re.sub(r"^\+86", "", part)
            for word in (
                part,
                digits,
                digits[-8:],
                digits[-4:] if digits.isdecimal() else "",
                *re.split(r"[\W_]+", part),
            ):
                if len(word) > 1:
                    words[word] = None
    return list(words)


def _facts(facts: Iterable[str | None]) -> set[str]:
    guesses = set()
    for fact in facts:
        if fact:
            guesses |= {_fold(fact), _fold(fact.partition("@")[0]), re.sub(r"^\+86", "", fact).casefold()}
    return {fact for fact in guesses if fact}


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


@cache
def _nobody() -> str:
    """A hash that no password matches, made with today's parameters."""
    return HASHER.hash(crypto.token())
