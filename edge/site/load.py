"""Reading `site.toml`: one clear line for every mistake."""

import difflib
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge.common.errors import SiteError
from edge.common.secret import harmless
from edge.site.schema import PiCameraOptions, Site, StreamOptions

# Words for pydantic's kinds of error: what the value must be.
_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
    "union_tag_invalid": "one of {expected_tags}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list of two numbers",
    "finite_number": "a finite number",
}


def load_site(path: Path | None, *, surveyed: bool = True) -> Site:
    """The site in the file at `path`, or the demonstration when there is none.

    SiteError names option, value, bound and remedy, a line for each mistake, and no secret: it
    goes to the log and upstream. With `surveyed`, a real camera must have a zone: the
    demonstration's lies on another street.
    """
    if path is None:
        return Site()
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin with a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"site file {path}: cannot be read ({_why(error)}") from error
    if not text.strip():  # as a power cut may leave it
        raise SiteError(f"site file {path}: is empty; write it again")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SiteError(f"site file {path}: not valid TOML: {error}; mend that line") from error
    try:
        site = Site.model_validate(_as_python(document)).in_folder(path.resolve().parent)
    except ValidationError as error:
        mistakes = [f"site file {path}: {_explain(mistake)}" for mistake in error.errors()]
        raise SiteError("\n".join(mistakes)) from error
    if (
        surveyed
        and isinstance(site.camera, StreamOptions | PiCameraOptions)
        and not site.has_own_zone
    ):
        raise SiteError(
            f"site file {path}: camera.kind = {site.camera.kind!r} sees a street of its own, but "
            f"there is no [[zone]]; make one with: redroad calibrate PICTURE --site {path}"
        )
    return site


def _why(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, and what to do."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text); save it as UTF-8"
    remedy = "use sudo" if isinstance(error, PermissionError) else "give its path with --site"
    return f"{error.strerror}); {remedy}"


def _as_python(value: Any) -> Any:
    """TOML's arrays of points as tuples, which the strict schema asks for."""
    if isinstance(value, dict):
        return {key: _as_python(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tuple(item) if isinstance(item, list) else _as_python(item) for item in value]
    return value


def _explain(mistake: ErrorDetails) -> str:
    option = _option_name(mistake)
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_option(option, mistake)
    if kind in {"missing", "union_tag_not_found"}:
        missing = option if kind == "missing" else f"{option}.kind"
        return f"option {missing} is missing; add it"
    if kind == "value_error":
        return f"option {option}: {context['error']}" if option else f"{context['error']}"
    value = harmless(option, mistake["input"])
    return f"option {option} = {value} must be {wanted(mistake)}; change it"


def wanted(mistake: ErrorDetails) -> str:
    """What the value must be, in words."""
    bound = _BOUNDS.get(mistake["type"])
    return bound.format(**mistake.get("ctx", {})) if bound else mistake["msg"]


def _option_name(mistake: ErrorDetails) -> str:
    """The path as a technician writes it: camera.fps, zone[0].area_m2."""
    name = ""
    for step in _real_steps(mistake):
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def _real_steps(mistake: ErrorDetails) -> list[int | str]:
    """The location without the tag that pydantic puts after a choice by `kind`."""
    steps = list(mistake["loc"])
    if len(steps) > 1 and steps[0] == "camera":
        if mistake["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            return steps
        del steps[1]
    return steps


def _unknown_option(option: str, mistake: ErrorDetails) -> str:
    *above, unknown = mistake["loc"]
    known = sorted(_options_at(above))
    near = difflib.get_close_matches(str(unknown), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"option {option} = {harmless(option, mistake['input'])} is unknown; {hint}"


def _options_at(location: list[int | str]) -> set[str]:
    """The option names the schema knows at a location."""
    models: list[type[BaseModel]] = [Site]
    for step in location:
        if isinstance(step, int):
            continue
        tagged = [model for model in models if _kind_of(model) == step]
        fields = [model.model_fields[step] for model in models if step in model.model_fields]
        inner = [model for field in fields for model in _models_in(field.annotation)]
        models = (
            tagged or inner or models
        )  # the key of a table, such as a language, changes nothing
    return {name for model in models for name in model.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections that an annotation such as list[Zone] or Scene | Stream can hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _kind_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    return str(get_args(field.annotation)[0]) if field else None
