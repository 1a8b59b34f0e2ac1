"""Ten names as they stand in identity documents of China and elsewhere, which every part of the system has to carry.

They go through enrolment, import, closing, the documents and verification in the tests of these parts.
"""

from typing import Final

SIXTY: Final = "阿卜杜热西提·" * 8 + "买买提艾"
UNPRINTABLE: Final = "王\U00031350"  # of CJK Extension H, which no packaged font has; BabelStone Han of Debian has it

TEN_NAMES: Final = (
    "𠮷野㛃𠅤",  # CJK Extensions A and B
    "𫞩𬒔𰻝",  # Extensions C, E and G
    "ئابدۇراخمان قۇربان",  # Uyghur
    "བསྟན་འཛིན་རྒྱ་མཚོ",  # Tibetan, with stacks
    "ᠪᠠᠶᠠᠷᠮᠠ",  # Mongolian
    "ꆈꌠꁱꂷ",  # Yi
    "مُحَمَّد عَبْدُ اللهِ",  # Arabic with vowel marks
    "H̱ā́ṇ̄a M̂üller-Łukaszewicz",  # sequences of DIN 91379
    "䶮",  # one character
    SIXTY,
)
