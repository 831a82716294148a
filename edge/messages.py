"""What the sign shows and says: one row for each message, one cell for each language.

A site file replaces any part of any cell in `[words.MESSAGE.LANGUAGE]`. Where the panel has little
room, `short` stands for the two lines of `headline` and `action`. espeak-ng speaks Mandarin as
words only by its pinyin voice, and reads kanji as "Chinese letter": Japanese is spoken from kana,
in which the particles are spelled as they sound (わ for は, え for へ).
"""

from dataclasses import dataclass

from edge.site.outputs import Wording
from edge.site.schema import Site

VOICES = {"ko": "ko", "en": "gmw/en-us", "zh": "sit/cmn-latn-pinyin", "ja": "jpx/ja"}


@dataclass(frozen=True)
class Words:
    """A cell: two lines for the panel, one line for a small one, and a warning to speak."""

    headline: str
    action: str
    short: str
    spoken: str = ""


@dataclass(frozen=True)
class Phrase:
    """What one clip says, and in whose voice, as espeak-ng names it."""

    voice: str
    text: str


WORDS: dict[str, dict[str, Words]] = {
    "clear": {
        "ko": Words("보행 원활", "좋은 하루 되세요", "보행 원활"),
        "en": Words("CLEAR", "ENJOY YOUR DAY", "CLEAR"),
        "zh": Words("道路畅通", "祝您愉快", "道路畅通"),
        "ja": Words("混雑なし", "よい一日を", "混雑なし"),
    },
    "caution": {
        "ko": Words(
            "약간 혼잡",
            "천천히 걸어요",
            "천천히 걸어요",
            "안내 말씀 드립니다. 지금 이 거리가 붐비고 있습니다. "
            "앞사람과 간격을 두고 천천히 걸어 주시기 바랍니다.",
        ),
        "en": Words(
            "GETTING BUSY",
            "SLOW DOWN",
            "SLOW DOWN",
            "Attention please. This street is getting busy. "
            "Please walk slowly, and leave some space.",
        ),
        "zh": Words(
            "人流较多",
            "请慢行",
            "请慢行",
            "请注意。这条街现在人比较多。请慢慢走，并与前面的人保持距离。",
        ),
        "ja": Words(
            "やや混雑",
            "ゆっくり歩こう",
            "ゆっくり",
            "おしらせします。このみちわ、こみあっています。ゆっくり、おあるきください。",
        ),
    },
    "crowded": {
        "ko": Words(
            "혼잡",
            "우회하세요",
            "우회하세요",
            "안내 말씀 드립니다. 지금 이 거리가 혼잡합니다. "
            "좁은 골목으로 들어가지 마시고, 덜 붐비는 길로 돌아가 주시기 바랍니다.",
        ),
        "en": Words(
            "CROWDED",
            "USE OTHER STREETS",
            "CROWDED",
            "Attention please. This street is crowded. "
            "Please keep out of narrow lanes, and use a less busy street.",
        ),
        "zh": Words(
            "人群拥挤",
            "请绕行",
            "请绕行",
            "请注意。这条街现在很拥挤。请不要进入小巷，请改走人少的路。",
        ),
        "ja": Words(
            "混雑",
            "他の道へ",
            "他の道へ",
            "おしらせします。このみちわ、こんざつしています。"
            "せまいみちにはいらず、すいているみちを、おとおりください。",
        ),
    },
    "critical": {
        "ko": Words(
            "매우 혼잡",
            "진입 금지",
            "진입 금지",
            "안전을 위해 안내 말씀 드립니다. 지금 이 거리가 매우 혼잡합니다. "
            "더 이상 들어오지 마시고, 안에 계신 분은 밀지 말고 "
            "덜 붐비는 길로 천천히 이동해 주시기 바랍니다.",
        ),
        "en": Words(
            "DANGER",
            "DO NOT ENTER",
            "NO ENTRY",
            "For your safety. This street is very crowded. Please do not enter. "
            "If you are inside, do not push, and move slowly to a less crowded street.",
        ),
        "zh": Words(
            "非常拥挤",
            "禁止进入",
            "禁止进入",
            "为了您的安全。这条街现在非常拥挤。请不要再进入。"
            "里面的人请不要推挤，请慢慢走到人少的路。",
        ),
        "ja": Words(
            "大変混雑",
            "進入禁止",
            "進入禁止",
            "あんぜんのための、おしらせです。このみちわ、とてもこんざつしています。"
            "はいらないでください。おさずに、ゆっくり、すいているみちえ、おすすみください。",
        ),
    },
}


def words_of(site: Site, message: str, language: str) -> Words:
    """A cell of the table, as the site has it."""
    shipped = WORDS[message][language]
    overridden: dict[tuple[str, str], Wording] = {
        (row, column): own for row, cells in site.words.items() for column, own in cells.items()
    }
    own = overridden.get((message, language), Wording())
    return Words(
        own.headline or shipped.headline,
        own.action or shipped.action,
        own.short or shipped.short,
        own.spoken or shipped.spoken,
    )


def phrases_of(site: Site) -> dict[str, Phrase]:
    """Every clip that the site's loudspeaker needs, by the clip's name."""
    return {
        clip_name(message, language): Phrase(VOICES[language], spoken)
        for message in WORDS
        if message in site.voice.spoken
        for language in site.voice.languages
        if (spoken := words_of(site, message, language).spoken)
    }


def clip_name(message: str, language: str) -> str:
    """The name of a clip's file, less its ending."""
    return f"{message}-{language}"
