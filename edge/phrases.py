"""The spoken warnings: for every clip its voice, as espeak-ng names it, and its words.

Japanese stands in kana: espeak-ng reads kanji as "Chinese letter".
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """What one clip says, and in whose voice."""

    voice: str
    text: str


KOREAN, ENGLISH, JAPANESE = "ko", "gmw/en-us", "jpx/ja"

PHRASES: dict[str, Phrase] = {
    "caution-ko": Phrase(
        KOREAN,
        "안내 말씀 드립니다. 지금 이 거리가 붐비고 있습니다. "
        "앞사람과 간격을 두고 천천히 걸어 주시기 바랍니다.",
    ),
    "caution-en": Phrase(
        ENGLISH,
        "Attention please. This street is getting busy. Please walk slowly, and leave some space.",
    ),
    "caution-ja": Phrase(
        JAPANESE,
        "おしらせします。このみちは、こみあっています。ゆっくり、おあるきください。",
    ),
    "crowded-ko": Phrase(
        KOREAN,
        "안내 말씀 드립니다. 지금 이 거리가 혼잡합니다. "
        "좁은 골목으로 들어가지 마시고, 덜 붐비는 길로 돌아가 주시기 바랍니다.",
    ),
    "crowded-en": Phrase(
        ENGLISH,
        "Attention please. This street is crowded. "
        "Please keep out of narrow lanes, and use a less busy street.",
    ),
    "crowded-ja": Phrase(
        JAPANESE,
        "おしらせします。このみちは、こんざつしています。"
        "せまいみちにはいらず、すいているみちを、おとおりください。",
    ),
    "critical-ko": Phrase(
        KOREAN,
        "안전을 위해 안내 말씀 드립니다. 지금 이 거리가 매우 혼잡합니다. "
        "더 이상 들어오지 마시고, 안에 계신 분은 밀지 말고 "
        "덜 붐비는 길로 천천히 이동해 주시기 바랍니다.",
    ),
    "critical-en": Phrase(
        ENGLISH,
        "For your safety. This street is very crowded. Please do not enter. "
        "If you are inside, do not push, and move slowly to a less crowded street.",
    ),
    "critical-ja": Phrase(
        JAPANESE,
        "あんぜんのための、おしらせです。このみちは、とてもこんざつしています。"
        "はいらないでください。おさずに、ゆっくり、すいているみちへ、おすすみください。",
    ),
}
