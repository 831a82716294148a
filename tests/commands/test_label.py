"""A unit's label: what it says is read back from the picture by a QR reader."""

import io
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from edge.cli import main
from edge.commands.label import Label, draw_label
from edge.site import Site

LONGEST = Label("s" + "-m" * 31, "m" * 63, "0123456789abcdef" * 4, "2027-03-01")
SHORT = Label("a", "b")


def read_qr(image: Image.Image) -> str:
    """Each of OpenCV's two detectors misses a code in some forty; only one of them may."""
    grey = np.asarray(image.convert("L"))
    for detector in (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()):
        words, _, _ = detector.detectAndDecode(grey)
        if words:
            return str(words)
    return ""


def draw(folder: Path, out: str, site: str = '[site]\nunit = "unit-1"\n') -> Result:
    (folder / "site.toml").write_text(site, encoding="utf-8")
    files = ["--site", str(folder / "site.toml"), "--out", str(folder / out)]
    return CliRunner().invoke(main, ["label", *files])


WITH_CERTIFICATE = """
[site]
name = "itaewon-alley"
unit = "pole-3"
[upstream]
host = "broker.example"
ca_file = "unit.pem"
cert_file = "unit.pem"
key_file = "unit.key"
"""
CERTIFICATE = """
-----BEGIN CERTIFICATE-----
MIICMjCCAdigAwIBAgIUDeOfb8qtksRz3BFHlolxZej+mNwwCgYIKoZIzj0EAwIw
QDEXMBUGA1UECgwOdHJ1c3RtZSB2MS4yLjExJTAjBgNVBAsMHFRlc3RpbmcgQ0Eg
I3I4c3dsRHlTVWhtOFM5VHIwIBcNMDAwMTAxMDAwMDAwWhgPMzAwMDAxMDEwMDAw
MDBaMEIxFzAVBgNVBAoMDnRydXN0bWUgdjEuMi4xMScwJQYDVQQLDB5UZXN0aW5n
IGNlcnQgI002Z05NRlMzdVB2VXdua0MwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATImxpUF6uW051AeR959LN8OQ248TMYa40JjPFmnIFNu6OiNUrvmhVt48dzBCRS
WHOjhJN2bbgteg6C6LPybYn8o4GrMIGoMB0GA1UdDgQWBBSk+3lhfWsh5KyxIb9S
9Rg/Qf0dOzAMBgNVHRMBAf8EAjAAMB8GA1UdIwQYMBaAFEgE7RbVbp2EEWaMktDA
5nbfmjPvMBwGA1UdEQEB/wQSMBCCDnVuaXQtMS5leGFtcGxlMA4GA1UdDwEB/wQE
AwIFoDAqBgNVHSUBAf8EIDAeBggrBgEFBQcDAgYIKwYBBQUHAwEGCCsGAQUFBwMD
MAoGCCqGSM49BAMCA0gAMEUCICjx5KLsGHwuikjgvzpZxZexptPsZprxprIWL4ek
gwktAiEAy534M8ItDhzLsIyHrxBsN7n/JrJjyKh9oz895zDg6n8=
-----END CERTIFICATE-----
"""
# As `openssl x509 -fingerprint -sha256` prints it of that.
SHA256 = (
    "41:06:2A:C0:F7:17:A8:E4:2D:45:B2:07:04:05:E4:B3:"
    "66:C9:10:C0:AE:2F:06:A4:54:B4:EA:AB:48:C2:89:4D"
)


def test_a_label_of_a_unit_without_a_certificate(tmp_path: Path) -> None:
    done = draw(tmp_path, "label.png")
    assert done.exit_code == 0, done.output
    assert "100 x 62 mm at 300 dpi, code G10R-8XAY" in done.output
    with Image.open(tmp_path / "label.png") as image:
        assert image.size == (_px(100), _px(62))
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert read_qr(image) == "redroad:redroad-demo/unit-1?code=G10R-8XAY"


def test_a_label_has_the_fingerprint_of_the_unit_s_certificate(tmp_path: Path) -> None:
    (tmp_path / "unit.pem").write_text(CERTIFICATE)
    done = draw(tmp_path, "label.png", WITH_CERTIFICATE)
    assert done.exit_code == 0, done.output
    sha256 = SHA256.replace(":", "").lower()
    with Image.open(tmp_path / "label.png") as image:
        assert read_qr(image) == f"redroad:itaewon-alley/pole-3?code=2R7B-6F2F&sha256={sha256}"


def test_a_pdf_is_a_page_of_the_label_s_size(tmp_path: Path) -> None:
    assert draw(tmp_path, "label.PDF").exit_code == 0
    page = (tmp_path / "label.PDF").read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", page)
    assert box is not None
    assert [float(side) / 72 * 25.4 for side in box.groups()] == pytest.approx([100, 62], abs=0.1)
    picture = page[page.index(b"\xff\xd8\xff") :]
    assert read_qr(Image.open(io.BytesIO(picture))).startswith("redroad:redroad-demo/unit-1?")


@pytest.mark.parametrize("label", [SHORT, LONGEST], ids=["short", "longest"])
@pytest.mark.parametrize(("dpi", "turn"), [(300, 0.0), (150, 0.0), (200, 12.0)])
def test_the_code_is_read_of_a_coarse_and_of_a_turned_picture(
    label: Label, dpi: int, turn: float
) -> None:
    """As a telephone sees it, and in black and white as a label's printer has it."""
    image = draw_label(label).point(lambda grey: 255 * (grey > 127))
    smaller = image.resize((image.width * dpi // 300, image.height * dpi // 300))
    seen = smaller.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert read_qr(seen) == label.address


@pytest.mark.parametrize("label", [SHORT, LONGEST], ids=["short", "longest"])
def test_nothing_is_written_over_the_frame_or_beyond_it(label: Label) -> None:
    """Inside of the frame a stripe of half a millimetre stays white, on every side."""
    grey = np.asarray(draw_label(label)).copy()
    frame, inside = _px(1.9), _px(2.4)
    corner = _px(5.5)  # where the frame is round
    for _ in range(4):
        assert (grey[frame:inside, corner:-corner] == 255).all()
        grey = np.rot90(grey)


def test_the_letters_of_the_longest_names_can_be_read() -> None:
    """The letters m of the unit's lines, beside its caption, are a millimetre high or more."""
    grey = np.asarray(draw_label(LONGEST))[_px(21) : _px(31), _px(60) : _px(95)]
    inked = np.concatenate(([0], (grey < 128).any(axis=1).astype(int), [0]))
    begins, ends = np.flatnonzero(np.diff(inked) == 1), np.flatnonzero(np.diff(inked) == -1)
    heights_mm = (ends - begins) / 300 * 25.4
    assert len(heights_mm) >= 2
    assert heights_mm.min() >= 1.0


def _px(mm: float) -> int:
    return round(mm / 25.4 * 300)


def test_codes_differ_where_names_do() -> None:
    codes = {Label(site, unit).code for site in ("a", "a-b", "b") for unit in ("1", "2", "b-1")}
    assert len(codes) == 9
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


def test_the_label_of_a_site_object_has_its_names() -> None:
    assert Label.of(Site()) == Label("redroad-demo", "unit-1")


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("label.txt", "must end in .png or .pdf"),
        ("missing/label.png", "No such file or directory; choose another place"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, out: str, words: str
) -> None:
    done = draw(tmp_path, out)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_a_certificate_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "unit.pem").write_text("no certificate")
    done = draw(tmp_path, "label.png", WITH_CERTIFICATE)
    assert done.exit_code == 2
    assert "option upstream.cert_file" in done.output
    assert "is no certificate; give a PEM file" in done.output
