"""THE table of messages: what the sign shows, says and flashes, one row for each message.

A row has its words in each language, its default colour, the beacon's pattern, its priority, and
whether it is spoken. A site file replaces any cell (`edge/site/overrides.py`). Where the panel has
little room, `short` is shown in place of the two lines of `headline` and `action`. espeak-ng speaks
Mandarin as words only by its pinyin voice, and reads kanji as "Chinese letter": Japanese is spoken
from kana, in which the particles are spelled as they sound (わ for は, え for へ).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.common.wire import Level

# How espeak-ng names the voice of each language.
VOICES = {"ko": "ko", "en": "gmw/en-us", "zh": "sit/cmn-latn-pinyin", "ja": "jpx/ja"}


@dataclass(frozen=True)
class Words:
    """A cell: two lines for the panel, one line for a small one, and a warning to speak."""

    headline: str
    action: str
    short: str
    spoken: str = ""


@dataclass(frozen=True)
class MessageRow:
    """One message: colour "#rrggbb" of its pages, beacon pattern, priority (higher wins), words.

    `lines` are shown as they are whatever the sign's languages; `cycle` are colours shown by turns
    in the place of `colour`.
    """

    name: str
    colour: str
    beacon: str = "off"
    priority: int = 0
    spoken: bool = False
    words: Mapping[str, Words] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()


CLEAR = MessageRow(
    "clear",
    colour="#00d060",
    words={
        "ko": Words("보행 원활", "좋은 하루 되세요", "보행 원활"),
        "en": Words("CLEAR", "ENJOY YOUR DAY", "CLEAR"),
        "zh": Words("道路畅通", "祝您愉快", "道路畅通"),
        "ja": Words("混雑なし", "よい一日を", "混雑なし"),
    },
)
CAUTION = MessageRow(
    "caution",
    colour="#ffb000",
    beacon="slow",
    priority=1,
    spoken=True,
    words={
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
)
CROWDED = MessageRow(
    "crowded",
    colour="#ff6a00",
    beacon="slow",
    priority=2,
    spoken=True,
    words={
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
)
CRITICAL = MessageRow(
    "critical",
    colour="#ff2020",
    beacon="fast",
    priority=3,
    spoken=True,
    words={
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
)
# For UNKNOWN, and whenever no order is in force: it claims nothing about the street.
NEUTRAL = MessageRow(
    "neutral", colour="#c8c8c8", lines=("레드로드", "천천히 걸어요", "WALK SLOWLY")
)
# Lights every LED of a panel, colour by colour.
TEST = MessageRow(
    "test",
    colour="#ffffff",
    beacon="slow",
    lines=("시험 중", "TEST"),
    cycle=("#ff0000", "#00ff00", "#0000ff", "#ffffff"),
)

MESSAGES: Mapping[Level, MessageRow] = {
    Level.UNKNOWN: NEUTRAL,
    Level.CLEAR: CLEAR,
    Level.CAUTION: CAUTION,
    Level.CROWDED: CROWDED,
    Level.CRITICAL: CRITICAL,
}
ROWS: Mapping[str, MessageRow] = {row.name: row for row in (*MESSAGES.values(), TEST)}


@dataclass(frozen=True)
class AlertWords:
    """What an alert says to other agencies; `language` is CAP's, names in braces are filled in.

    The alert's headline and instruction are the sign's own words at CRITICAL.
    """

    language: str
    event: str
    crowd: str
    moves: str
    held: str
    unseen: str
    ended: str
    clock: str
    trial: str


ALERTS: Mapping[str, AlertWords] = {
    "ko": AlertWords(
        "ko-KR",
        event="인파 밀집",
        crowd="{zone}: 약 {people}명(90% 구간 {low}~{high}명), "
        "가장 붐비는 곳은 1㎡당 {peak}명입니다.",
        moves="{zone}: 인파의 움직임에도 위험 징후가 있습니다.",
        held="관제실의 명령으로 이 단계를 유지하고 있습니다.",
        unseen="지금은 카메라로 확인할 수 없습니다. 마지막으로 확인된 단계는 '{level}'입니다.",
        ended="'{critical}' 단계가 끝났습니다. 현재 단계는 '{level}'입니다.",
        clock="이 장치의 시계가 동기화되지 않아 시각이 틀릴 수 있습니다.",
        trial="점검용 메시지입니다. 조치하지 마십시오.",
    ),
    "en": AlertWords(
        "en-US",
        event="Dangerous crowding",
        crowd="{zone}: about {people} people (90 % interval {low} to {high}), and {peak} per m² "
        "on the most crowded spot.",
        moves="{zone}: the crowd also moves dangerously.",
        held="This level is held by a command of the control room.",
        unseen="The camera cannot see the street at present. The last level seen was {level}.",
        ended="{critical} has ended. The level is now {level}.",
        clock="The clock of this unit is not synchronised: its times may be wrong.",
        trial="This message is a test. Take no action.",
    ),
}


def clip_name(message: str, language: str) -> str:
    """The name of a clip's file, less its ending."""
    return f"{message}-{language}"
