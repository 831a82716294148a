"""Every option of `site.toml`, with its default and its bounds."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from edge.common.polygon import area, crossing
from edge.site.alerts import Alerts
from edge.site.bands import BandTable
from edge.site.hub75 import panel_pins
from edge.site.outputs import Beacon, Inputs, Known, Language, Sign, Voice, Wording
from edge.site.scenarios import known_scenario
from edge.site.section import Given, Section
from edge.site.upstream import Upstream


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write it as 'Asia/Seoul'")
    return name


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
# Width over height of a camera's pixels, where they are not square; unset: as the stream says.
PixelAspect = Annotated[float, Field(ge=0.25, le=4.0)] | None
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Metre = Annotated[float, Field(ge=-100_000.0, le=100_000.0)]  # px and metres of the ground alike


class SceneOptions(Section):
    """A simulated street whose density rises and falls, or on which a scenario is played."""

    kind: Literal["scene"] = "scene"
    width: Annotated[int, Field(ge=64, le=1920)] = 640
    height: Annotated[int, Field(ge=64, le=1920)] = 352
    fps: Annotated[float, Field(gt=0, le=30)] = 4.0
    seed: Annotated[int, Field(ge=0)] = 0
    night: bool = False  # a scenario has a light of its own
    scenario: Annotated[str, AfterValidator(known_scenario)] | None = None


class PicturesOptions(Section):
    """A folder of pictures, shown in the order of time, then again."""

    kind: Literal["pictures"]
    folder: Given
    every_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    repeat: bool = True
    pixel_aspect: PixelAspect = None


class StreamOptions(Section):
    """Anything FFmpeg opens: an RTSP camera, a USB camera (/dev/video0), a video file.

    An http address that gives one picture (snap.jpg) is asked again every `every_s`. RTSP comes
    over `transport`. A USB camera is asked for `input_format`, `width` x `height` px and `rate`
    pictures a second; without them it gives what it has been set to.
    """

    kind: Literal["stream"]
    url: Given
    fps: Annotated[float, Field(gt=0, le=30)] = 4.0
    transport: Literal["auto", "tcp", "udp"] = "auto"
    every_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    input_format: Literal["mjpeg", "yuyv"] | None = None
    width: Annotated[int, Field(ge=64, le=7680)] | None = None
    height: Annotated[int, Field(ge=64, le=4320)] | None = None
    rate: Annotated[float, Field(gt=0, le=240)] | None = None
    open_timeout_s: Annotated[float, Field(gt=0, le=30)] = 5.0
    read_timeout_s: Annotated[float, Field(gt=0, le=30)] = 2.0
    repeat: bool = False
    password_file: Given | None = None
    pixel_aspect: PixelAspect = None

    @model_validator(mode="after")
    def _asks_for_what_it_can(self) -> Self:
        """Options that would be passed over in silence are mistakes."""
        if (self.width is None) != (self.height is None):
            raise ValueError("of camera.width and camera.height one is missing; add it")
        asked = {"input_format": self.input_format, "width": self.width, "rate": self.rate}
        given = [name for name, value in asked.items() if value is not None]
        if given and not self.url.startswith("/dev/"):
            raise ValueError(
                f'camera.{given[0]} belongs to a USB camera (url = "/dev/video0"); set it in the '
                "network camera itself, and leave it out here"
            )
        schemes = {
            "transport": ("rtsp://", "rtsps://"),
            "every_s": ("http://", "https://"),
        }
        for name, belongs in schemes.items():
            if name in self.model_fields_set and not self.url.lower().startswith(belongs):
                raise ValueError(
                    f"camera.{name} belongs to an address of {belongs[0]}..., which url is not; "
                    "leave it out"
                )
        return self


class PiCameraOptions(Section):
    """A camera on the Pi's ribbon cable, by picamera2."""

    kind: Literal["picamera"]
    width: Annotated[int, Field(ge=64, le=4608)] = 1280
    height: Annotated[int, Field(ge=64, le=2592)] = 720
    fps: Annotated[float, Field(gt=0, le=30)] = 4.0
    number: Annotated[int, Field(ge=0, le=3)] = 0


class RigCameraOptions(Section):
    """A test rig's camera: a film of the simulated street in a folder, and what befalls it."""

    kind: Literal["rig"]
    folder: Given
    fps: Annotated[float, Field(gt=0, le=30)] = 2.0


Camera = Annotated[
    SceneOptions | PicturesOptions | StreamOptions | PiCameraOptions | RigCameraOptions,
    Field(discriminator="kind"),
]


class Counter(Section):
    """The head counter: which model file, on which runtime, and where it looks.

    `look_at` "zones" is the part of the picture that holds them, where a ground plane says which;
    "far" that part and, where heads are small at its far end and there is time, that end closer.
    """

    model: Given = "auto"
    look_at: Literal["zones", "far", "picture"] = "zones"
    runtime: Literal["litert", "tflite-runtime"] = "litert"
    threads: Annotated[int, Field(ge=1, le=4)] = 2
    manifest: Given | None = None


class Ground(Section):
    """The flat ground, by marked points: [x px, y px, X m, Y m] each, of a picture of this size.

    Metres in any square frame on the ground, such as X to the right and Y away from the camera.
    `k1` and `k2` are Brown's radial distortion for radii in half picture widths.
    """

    picture_width: Annotated[int, Field(ge=64, le=16384)]
    picture_height: Annotated[int, Field(ge=64, le=16384)]
    points: Annotated[list[tuple[Metre, Metre, Metre, Metre]], Field(min_length=4, max_length=16)]
    camera_height_m: Annotated[float, Field(ge=2.5, le=60.0)]
    head_height_m: Annotated[float, Field(ge=1.0, le=2.0)] = 1.65
    camera_foot_m: Annotated[list[Metre], Field(min_length=2, max_length=2)] | None = None
    k1: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    k2: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    patch_m2: Annotated[float, Field(ge=1.0, le=100.0)] = 4.0


class Zone(Section):
    """A part of the street: its outline in metres on the ground, where there is a ground plane.

    Without one, its outline in the picture at the height of heads (`polygon`, in fractions of
    width and height) and its area. `width_m` and `slope_percent` of the street are notes for
    the person who chooses its levels and draws its zones: nothing is computed from them.
    """

    name: Name
    ground: Annotated[list[tuple[Metre, Metre]], Field(min_length=3, max_length=64)] | None = None
    polygon: (
        Annotated[list[tuple[Fraction, Fraction]], Field(min_length=3, max_length=64)] | None
    ) = None
    area_m2: Annotated[float, Field(ge=1.0, le=10_000.0)] | None = None
    width_m: Annotated[float, Field(ge=0.5, le=200.0)] | None = None
    slope_percent: Annotated[float, Field(ge=-40.0, le=40.0)] | None = None

    @model_validator(mode="after")
    def _has_one_outline(self) -> Self:
        if (self.ground is None) == (self.polygon is None):
            raise ValueError(f"zone {self.name!r} must have either ground or polygon; give one")
        if (self.ground is None) == (self.area_m2 is None):
            raise ValueError(
                f"zone {self.name!r}: area_m2 belongs to a polygon in the picture, and only there; "
                "the area of a zone on the ground follows from its outline"
            )
        sides = crossing(self.ground or self.polygon or [])
        if sides:
            raise ValueError(
                f"zone {self.name!r}: its sides {sides[0]} and {sides[1]} cross; "
                "list the corners in order around the zone"
            )
        if not 1.0 <= self.area <= 10_000.0:
            raise ValueError(
                f"zone {self.name!r} has {self.area:g} m2, must be 1 to 10000 m2; move its corners"
            )
        return self

    @property
    def area(self) -> float:
        """Square metres."""
        return self.area_m2 if self.ground is None else area(self.ground)  # type: ignore[return-value]


class Warnings(Section):
    """When the motion of a dense crowd is reported as a warning, and whether that raises the level.

    Both begin at a density, persons per m2 on the worst patch: `pressure` is crowd pressure in
    1/s2, and at a standstill the mean speed is at most `standstill_m_s`.
    """

    raise_level: bool = False
    from_density: Annotated[float, Field(ge=1.0, le=12.0)] = 3.0
    pressure: Annotated[float, Field(gt=0.0, le=10.0)] = 0.5
    standstill_m_s: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1


class Identity(Section):
    """The names of the site and of this unit, as they stand in MQTT topics, and where it is."""

    name: Name = "redroad-demo"
    unit: Name = "unit-1"
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Seoul"
    clock: Literal["synchronised", "trusted"] = "synchronised"
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


# The simulated street as its camera sees it, and its marked stretch (5 x 8 m).
DEMO_GROUND = Ground(
    picture_width=640,
    picture_height=352,
    points=[
        (165.2, 313.9, -2.5, 9.0),
        (474.8, 313.9, 2.5, 9.0),
        (424.4, 109.8, 2.5, 16.0),
        (215.6, 109.8, -2.5, 16.0),
        (320.0, 206.4, 0.0, 12.0),
        (191.7, 206.4, -2.5, 12.0),
    ],
    camera_height_m=8.5,
)
DEMO_ZONE = Zone(
    name="street",
    ground=[(-2.5, 16.0), (2.5, 16.0), (2.5, 8.0), (-2.5, 8.0)],
    width_m=5.0,
    slope_percent=0.0,
)


class Site(Section):
    """A whole site file. `Site()` is the demonstration on a simulated street."""

    site: Identity = Identity()
    camera: Camera = SceneOptions()
    counter: Counter = Counter()
    ground: Ground | None = DEMO_GROUND
    zone: Annotated[list[Zone], Field(min_length=1, max_length=16)] = [DEMO_ZONE]
    levels: BandTable = BandTable()
    warnings: Warnings = Warnings()
    sign: Sign = Sign()
    words: dict[Known, dict[Language, Wording]] = {}
    voice: Voice = Voice()
    beacon: Beacon = Beacon()
    inputs: Inputs = Inputs()
    upstream: Upstream = Upstream()
    alerts: Alerts = Alerts()
    _folder: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="before")
    @classmethod
    def _demonstration_is_whole(cls, options: Any) -> Any:
        """The demonstration's ground and zone stand in together or not at all."""
        if not isinstance(options, dict) or ("zone" in options) == ("ground" in options):
            return options
        if "ground" in options:
            raise ValueError("there is a [ground], but no zone on it; add a [[zone]]")
        return {**options, "ground": None}

    @model_validator(mode="after")
    def _zones_have_their_ground(self) -> Self:
        for zone in self.zone:
            if zone.ground is not None and self.ground is None:
                raise ValueError(
                    f"zone {zone.name!r} lies on the ground, but there is no ground plane; "
                    "make one with: redroad calibrate"
                )
        return self

    @model_validator(mode="after")
    def _warnings_have_metres(self) -> Self:
        if self.warnings.raise_level and all(zone.ground is None for zone in self.zone):
            raise ValueError(
                "warnings.raise_level = true, but no zone lies on the ground: without metres no "
                "speed is known; make a ground plane with redroad calibrate, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _zone_names_differ(self) -> Self:
        names = [zone.name for zone in self.zone]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two zones are named {twice[0]!r}; give each its own name")
        return self

    @model_validator(mode="after")
    def _pins_differ(self) -> Self:
        sign, used = self.sign, dict[int, str]()
        if sign.panel in {"rgbmatrix", "piomatter"}:
            used = dict.fromkeys(panel_pins(sign.hardware_mapping, sign.chains), "the LED panel")
        wanted = [(f"inputs.{name}", wired.pin) for name, wired in self.inputs.wired.items()]
        if self.beacon.output == "gpio":
            wanted.append(("beacon", self.beacon.pin))
        for name, pin in wanted:
            if pin in used:
                raise ValueError(
                    f"{name} and {used[pin]} both use pin {pin}; give each its own (pins 2, 3, 14 "
                    "and 19 are free beside one chain of HUB75)"
                )
            used[pin] = name
        return self

    @model_validator(mode="after")
    def _a_real_panel_has_a_camera(self) -> Self:
        """What the simulated street says must not stand in a real one by oversight."""
        real = {"hdmi", "rgbmatrix", "piomatter"}
        if self.sign.panel in real and "camera" not in self.model_fields_set:
            raise ValueError(
                f"sign.panel = {self.sign.panel!r}, but there is no [camera]: a real panel would "
                "show what a simulated street says; add the camera"
            )
        return self

    @model_validator(mode="after")
    def _night_is_known(self) -> Self:
        sign, place = self.sign, (self.site.latitude, self.site.longitude)
        if (sign.night_from is None) != (sign.night_to is None):
            raise ValueError("of sign.night_from and sign.night_to one is missing; add it")
        known = sign.night_from is not None or None not in place or self.inputs.lux_file
        if sign.night_brightness is not None and not known:
            raise ValueError(
                "sign.night_brightness needs site.latitude and site.longitude for the sun, or "
                "sign.night_from and sign.night_to, or inputs.lux_file; add one"
            )
        return self

    @property
    def has_own_zone(self) -> bool:
        """Whether its zones are written down; else the demonstration's stand in."""
        return "zone" in self.model_fields_set

    @property
    def has_own_ground(self) -> bool:
        """Whether its ground plane is written down."""
        return self.ground is not None and "ground" in self.model_fields_set

    def digest(self) -> str:
        """Tells these options from any others."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def path(self, text: str) -> Path:
        """A path of the site file: relative ones start at the site file's own folder."""
        return self._folder / text

    def in_folder(self, folder: Path) -> Self:
        """The same site, with relative paths starting at `folder`."""
        moved = self.model_copy()
        moved._folder = folder
        return moved
