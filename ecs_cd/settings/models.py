"""The shape of `ecs-cd.yml`, as pydantic models made from the table of settings.

They are built when a file is read or its schema is asked for: pydantic takes longer to import than all else here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, create_model
from pydantic.json_schema import WithJsonSchema

from ecs_cd.sanitize import quoted
from ecs_cd.settings import values
from ecs_cd.settings.setting import Kind, Section, Setting
from ecs_cd.settings.table import in_section
from ecs_cd.support import naming_rules

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Part(BaseModel):
    """A mapping in the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def checked(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    """Return the keys and values of a file, each as its setting wants it; and pydantic's findings, if there are any."""
    try:
        return _file_model().model_validate(data).model_dump(exclude_unset=True), []
    except ValidationError as error:
        return {}, [dict(finding) for finding in error.errors(include_url=False)]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `ecs-cd.yml`, for editors."""
    return {"$schema": SCHEMA_DIALECT} | _file_model().model_json_schema() | {"title": "ecs-cd.yml"}


@cache
def _file_model() -> type[BaseModel]:
    ecs = _model("EcsPart", "Where the service runs.", _values(Section.SERVICE, "ecs."))
    service = _model(
        "ServicePart",
        "Settings of a service; they take precedence over `defaults`.",
        _values(Section.SERVICE) | {"ecs": _part(ecs | None, "ECS", "Where the service runs; null: no verification.")},
    )
    services: Any = dict[_PlaceName, service | None] | None  # type: ignore[valid-type]  # a class made above
    environment = _model(
        "EnvironmentPart",
        "Settings of an environment.",
        _values(Section.ENVIRONMENT)
        | {"services": _part(services, "Services", "Settings of single services in this environment.")},
    )
    environments: Any = dict[_PlaceName, environment | None] | None  # type: ignore[valid-type]  # likewise
    return _model(
        "SettingsFile",
        "Settings of ecs-cd. `{service}` and `{environment}` may stand in every text; `{{` is a brace.",
        _values(Section.TOP)
        | {
            "defaults": _part(service | None, "Defaults", "Settings of every service that has no other."),
            "services": _part(services, "Services", "The services by name."),
            "environments": _part(environments, "Environments", "The environments by name."),
        },
    )


def _model(name: str, description: str, fields: dict[str, Any]) -> type[BaseModel]:
    return create_model(name, __base__=_Part, __doc__=description, **fields)


def _part(kind: Any, title: str, description: str) -> Any:  # noqa: ANN401 - a type, and what create_model takes
    return kind, Field(default=None, title=title, description=description)


def _values(section: Section, prefix: str = "") -> dict[str, Any]:
    """Return a field for each setting whose key is `prefix` and one more word."""
    found = {}
    for path, setting in in_section(section).items():
        key = path.removeprefix(prefix)
        if path.startswith(prefix) and "." not in key:
            kind = Annotated[Any, PlainValidator(partial(_read, setting)), WithJsonSchema(_described(setting))]
            # A default made by a call is not in the schema: there stands the table's.
            found[key] = kind, Field(default_factory=lambda: None)
    return found


def _read(setting: Setting, value: object) -> object:
    if value is None:
        return None
    if setting.kind is Kind.MAP and not isinstance(value, dict):  # NAME=VALUE is for flags and variables
        raise ValueError("must hold names and values.")
    return values.read(setting, value)


def _place_name(value: str) -> str:
    if wrong := naming_rules.place(value):
        raise ValueError(f"{quoted(value)} {wrong}.")
    return value


_PlaceName = Annotated[str, AfterValidator(_place_name)]


def _described(setting: Setting) -> dict[str, Any]:
    """Return the JSON Schema of one setting."""
    title = setting.path.rpartition(".")[2].replace("_", " ").capitalize()
    schema: dict[str, Any] = {"title": title, "description": setting.help}
    if setting.kind is Kind.SWITCH:
        schema["type"] = ["boolean", "null"]
    elif setting.kind is Kind.DURATION:
        schema |= {
            "type": ["string", "integer", "null"],
            "pattern": "^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s?)?$",
            "minimum": 0,
        }
    elif setting.kind is Kind.MAP:
        schema |= {"type": ["object", "null"], "additionalProperties": {"type": ["string", "number", "boolean"]}}
    elif setting.choices:
        schema["enum"] = [*setting.choices, None]
    else:
        schema["type"] = ["string", "integer", "null"] if setting.numeric else ["string", "null"]
    if setting.default:
        schema["default"] = setting.default == "true" if setting.kind is Kind.SWITCH else setting.default
    return schema
