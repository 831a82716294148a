"""The site file: what is right passes, every mistake gets one line that helps."""

import json
import unicodedata
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.common.errors import SiteError
from edge.site import Site, load_site
from edge.site.schema import SceneOptions

GOOD_ZONE = '[[zone]]\nname = "a"\narea_m2 = 10\npolygon = [[0, 0], [1, 0.5], [0, 1]]\n'


def mistakes(tmp_path: Path, text: str) -> str:
    """The lines that a site file with this text is refused with."""
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(file)
    return str(caught.value).replace(f"site file {file}: ", "")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("", "upstream.host: is blank; write the broker's name or address, or take the line out"),
        ("  ", "upstream.host: is blank"),
        ("mqtt://127.0.0.1", 'has a scheme, mqtt://; write host = "127.0.0.1"'),
        ("mqtts://b.example:8883/", 'write host = "b.example" and port = 8883; TLS begins with'),
        ("b.example:1883", 'has a port; write host = "b.example" and port = 1883'),
        ("[fe80::1]:1883", 'has a port; write host = "fe80::1" and port = 1883'),
        ("[fe80::1]", 'has brackets; write host = "fe80::1"'),
        (" b.example", 'has a blank in it; write host = "b.example"'),
        ("b.example\n", "has a blank in it"),
        ("b.example/mqtt", 'has a path; write host = "b.example"'),
        ("me:hunter2@b.example", 'has a login; write host = "b.example"'),
        ("b..example", "is no name of a host; write the broker's name or address alone"),
        ("10.0.0.300", "is no name of a host"),
        ("b.example:port", "has a port; write the broker's name or address alone"),
    ],
)
def test_a_host_is_a_name_or_an_address_alone(tmp_path: Path, host: str, words: str) -> None:
    told = mistakes(tmp_path, f"[upstream]\nhost = {json.dumps(host)}\n")
    assert words in told
    assert len(told.splitlines()) == 1
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "host", ["localhost", "b.example.", "my_broker", "10.0.0.1", "::1", "fe80::1%eth0", "브로커.kr"]
)
def test_a_host_that_can_be_looked_up_is_taken(tmp_path: Path, host: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f'[upstream]\nhost = "{host}"\n', encoding="utf-8")
    assert load_site(file).upstream.host == host


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[upstream]\npassword_file = 'p'", "upstream.password_file needs upstream.username"),
        ("[upstream]\nusername = ' '\n", "option upstream.username: ' ' is blank"),
        ("[upstream]\nca_file = ''\n", "option upstream.ca_file: '' is blank"),
        ("[voice]\nquiet_from = '22:00'\nquiet_to = '22:00'", "voice.quiet_to are both 22:00"),
        (
            "[voice]\nnight_volume = 9\nnight_from = '22:00'\nnight_to = '22:00'",
            "voice.night_from and voice.night_to are both 22:00: no hour lies between them",
        ),
        ("[sign]\nnight_from = '00:00'\nnight_to = '00:00'", "sign.night_to are both 00:00"),
        ("[sign]\nneutral = ['a', ' ']", "option sign.neutral[1]: ' ' is blank; write words"),
        ("[sign]\nneutral = ['\u200b']", "'\\u200b' is blank; write words"),
        ("[words.clear.ko]\nshort = '\u3000'", "words.clear.ko.short: '\\u3000' is blank"),
        ("[words.critical.ko]\nspoken = ' '", "words.critical.ko.spoken: ' ' is blank"),
        ("[sign]\nneutral = ['a\u202eb']", "U+202E (right-to-left override) cannot be shown"),
        ("[voice]\ncard = ''", "option voice.card: '' is blank"),
        ("[alerts]\ncap = true", "alerts.cap = true needs alerts.sender, who the alert is from"),
        ("[alerts]\nsender = 'a, b'", "'a, b' must be 1 to 100 visible ASCII characters"),
        ("[alerts]\narea = ' '", "option alerts.area: ' ' is blank"),
        ("[alerts]\nvideo_source = '1/#'", "option alerts.video_source = '1/#' must be"),
        ("[upstream]\nconfiguration_url = 'pole-3'", "must be a web address without a login"),
        ("[voice]\ncard = ' '", "option voice.card: ' ' is blank"),
    ],
)
def test_what_says_nothing_is_refused(tmp_path: Path, text: str, words: str) -> None:
    told = mistakes(tmp_path, text)
    assert words in told
    assert len(told.splitlines()) == 1


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD_ZONE, encoding="utf-8-sig")
    assert load_site(file).zone[0].name == "a"


def test_words_are_composed_as_they_are_read(tmp_path: Path) -> None:
    """As a Mac writes them, with a variation selector."""
    neutral, spoken = "천천히 걸어요", "위험합니다. 더 이상 들어오지 마세요."
    apart = partial(unicodedata.normalize, "NFD")
    file = tmp_path / "site.toml"
    file.write_text(
        f"[sign]\nneutral = ['{apart(neutral)}\ufe0f', '{apart('각' * 40)}']\n"
        f"[words.critical.ko]\nspoken = '{apart(spoken)}'\n",
        encoding="utf-8",
    )
    site = load_site(file)
    assert site.sign.neutral == [neutral, "각" * 40]
    assert site.words["critical"]["ko"].spoken == spoken


def test_no_file_is_the_demonstration() -> None:
    site = load_site(None)
    assert site == Site()
    assert isinstance(site.camera, SceneOptions)


def test_whole_numbers_serve_as_numbers(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD_ZONE, encoding="utf-8")
    (zone,) = load_site(file).zone
    assert zone.polygon == [(0.0, 0.0), (1.0, 0.5), (0.0, 1.0)]
    assert zone.area_m2 == 10.0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sing]\nwidth = 64", "option sing = {...} is unknown; did you mean 'sign'?"),
        ("[camera]\nkind = 'scene'\nfpss = 3", "camera.fpss = 3 is unknown; did you mean 'fps'?"),
        ("[camera]\nkind = 'stream'", "option camera.url is missing; add it"),
        ("[camera]\nfps = 3", "option camera.kind is missing; add it"),
        ("[camera]\nkind = 'webcam'", "must be one of 'scene', 'pictures', 'stream', 'picamera'"),
        ("[camera]\nkind = 'scene'\nfps = 99", "option camera.fps = 99 must be at most 30.0"),
        (f"[sign]\nneutral = ['{'x' * 41}']", "must be a text of at most 40 characters; change it"),
        ("[sign]\nwidth = '64'", "option sign.width = '64' must be a whole number"),
        ("[sign]\nbrightness = true", "option sign.brightness = True must be a whole number"),
        (
            "[sign]\npanel = 'oled'",
            "must be one of 'emulator', 'hdmi', 'piomatter', ",
        ),
        (GOOD_ZONE.replace("10", "0"), "option zone[0].area_m2 = 0 must be at least 1.0"),
        (GOOD_ZONE.replace("0.5", "1.5"), "zone[0].polygon[1][1] = 1.5 must be at most 1.0"),
        (GOOD_ZONE + "[warnings]\nraise_level = true", "but no zone lies on the ground"),
        (GOOD_ZONE + GOOD_ZONE, "two zones are named 'a'; give each its own name"),
        ("[levels.caution]\nrise = 2\nfall = 3", "fall = 3 must be below rise = 2"),
        ("[levels.caution]\nrise = 4\nfall = 3.5", "must grow from caution to crowded to critical"),
        ("[site]\nname = 'Hong Dae'", "option site.name = 'Hong Dae' must be a text of the form"),
        ("[camera]\nkind = 'picamera'", "'picamera' sees a street of its own, but there is no"),
        ("[camera]\nkind = 'stream'\nurl = 'rtsp://a/b'", "make one with: redroad calibrate"),
        (
            "[camera]\nkind = 'scene'\n"
            "[sign]\npanel = 'rgbmatrix'\nhardware_mapping = 'adafruit-hat'",
            "takes at most 1 of the panels one above another, and a sign 64 px high",
        ),
        ("folder = '/tmp'", "option folder = '/tmp' is unknown"),
        ("a =", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_value_bound_and_remedy(
    tmp_path: Path, text: str, line: str
) -> None:
    told = mistakes(tmp_path, text)
    assert line in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[upstream]\npassword = 'hunter2'",
        "[upstream]\nport = 'mqtt://me:hunter2@broker'",
        "[camera]\nkind = 'rtsp'\nurl = 'rtsp://me:hunter2@camera'",
        "[camera]\nkind = 'stream'\nuri = 'rtsp://camera/path?key=hunter2'",
        "[camera]\nkind = 'stream'\nurl = 'rtsp://me:hunter2@camera'\nfps = 99",
        "[upstreem]\npassword = 'hunter2'",
        "[upstream]\nconfiguration_url = 'http://me:hunter2@signs.example/'",
    ],
)
def test_a_mistake_reports_no_secret(tmp_path: Path, text: str) -> None:
    """It goes to the log, and upstream."""
    assert "hunter2" not in mistakes(tmp_path, text)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_not_the_demonstration(tmp_path: Path, text: str) -> None:
    assert "is empty" in mistakes(tmp_path, text)


def test_a_real_panel_does_not_show_the_simulated_street_by_oversight(tmp_path: Path) -> None:
    assert "there is no [camera]" in mistakes(tmp_path, "[sign]\npanel = 'hdmi'\n")


def test_a_real_camera_is_calibrated_before_it_has_a_zone(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text("[camera]\nkind = 'picamera'\n", encoding="utf-8")
    assert load_site(file, surveyed=False).camera.kind == "picamera"
    file.write_text(f"[camera]\nkind = 'picamera'\n{GOOD_ZONE}", encoding="utf-8")
    assert load_site(file).zone[0].name == "a"


def test_every_mistake_gets_its_own_line(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "[sign]\nwidth = 1\nheigth = 2\n[voice]\nrepeat_s = 0\n")
    assert len(told.splitlines()) == 3


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"absent.toml: cannot be read .*--site"):
        load_site(tmp_path / "absent.toml")


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SiteError, match="not UTF-8"):
        load_site(file)


def test_relative_paths_start_at_the_site_file(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD_ZONE, encoding="utf-8")
    assert load_site(file).path("clips") == tmp_path.resolve() / "clips"


simple = st.one_of(
    st.integers(-5, 500), st.floats(-5, 500), st.booleans(), st.text("ab'-", max_size=5)
)


@given(st.sampled_from(["sign", "voice", "camera", "counter", "upstream", "beacon"]), simple)
def test_whatever_stands_in_a_section_it_loads_or_is_refused_in_plain_words(
    tmp_path_factory: pytest.TempPathFactory, section: str, value: object
) -> None:
    file = tmp_path_factory.mktemp("site") / "site.toml"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    file.write_text(f"[{section}]\nport = {shown}\n".replace("''", '""'), encoding="utf-8")
    try:
        load_site(file)
    except SiteError as error:
        assert all(line.startswith("site file ") for line in str(error).splitlines())
