"""The shape of `ecs-cd.yml`, as pydantic models; what each value must be, the table of settings says."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ecs_cd.sanitize import quoted
from ecs_cd.settings import values
from ecs_cd.settings.options import BY_NAME, Kind, Option
from ecs_cd.support import naming_rules

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _own_name(value: str) -> str:
    if wrong := naming_rules.own(value):
        raise ValueError(f"{quoted(value)} {wrong}.")
    return value


OwnName = Annotated[str, AfterValidator(_own_name)]


def _described(option: Option) -> dict[str, Any]:
    """Return the JSON Schema of one setting."""
    title = option.path.rpartition(".")[2].replace("_", " ").capitalize()
    schema: dict[str, Any] = {"title": title, "description": option.help}
    if option.kind is Kind.SWITCH:
        schema["type"] = ["boolean", "null"]
    elif option.kind is Kind.DURATION:
        schema |= {
            "type": ["string", "integer", "null"],
            "pattern": "^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s?)?$",
            "minimum": 0,
        }
    elif option.kind is Kind.MAP:
        schema |= {"type": ["object", "null"], "additionalProperties": {"type": ["string", "number", "boolean"]}}
    elif option.choices:
        schema["enum"] = [*option.choices, None]
    else:
        schema["type"] = ["string", "integer", "null"] if option.numeric else ["string", "null"]
    if option.default:
        schema["default"] = option.default == "true" if option.kind is Kind.SWITCH else option.default
    return schema


def _setting(name: str) -> Any:  # noqa: ANN401 - as pydantic's own Field, whose place it takes
    described = _described(BY_NAME[name])

    def replace(schema: dict[str, Any]) -> None:
        schema.clear()
        schema.update(described)

    return Field(default=None, description=described["description"], json_schema_extra=replace)


class _Part(BaseModel):
    """A mapping in the file: unknown keys are errors, and the table reads each value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    options: ClassVar[dict[str, str]] = {}
    """Names of settings whose key is not their name."""

    @field_validator("*", mode="before")
    @classmethod
    def _as_the_table_says(cls, value: object, info: ValidationInfo) -> object:
        option = BY_NAME.get(cls.options.get(info.field_name or "", info.field_name or ""))
        if option is None or value is None:
            return value
        if option.kind is Kind.MAP and not isinstance(value, dict):  # NAME=VALUE is for flags and variables
            raise ValueError("must hold names and values.")
        return values.read(option, value)


class EcsPart(_Part):
    """Where the service runs."""

    options: ClassVar[dict[str, str]] = {"service": "ecs_service"}

    cluster: str | None = _setting("cluster")
    service: str | None = _setting("ecs_service")
    container: str | None = _setting("container")


class ServicePart(_Part):
    """What is known of a service; what `defaults` says need not be said again."""

    parameter: str | None = _setting("parameter")
    create_parameter: bool | None = _setting("create_parameter")
    order: str | None = _setting("order")
    repository: str | None = _setting("repository")
    registry: str | None = _setting("registry")
    registry_region: str | None = _setting("registry_region")
    check_image: bool | None = _setting("check_image")
    wait_for_image: float | None = _setting("wait_for_image")
    pipeline: str | None = _setting("pipeline")
    template_parameters: dict[str, str] | None = _setting("template_parameters")
    variables: dict[str, str] | None = _setting("variables")
    verify: bool | None = _setting("verify")
    rollback: str | None = _setting("rollback")
    ecs: EcsPart | None = Field(
        default=None, title="ECS", description="Where the service runs; null: ECS is not asked."
    )
    timeout: float | None = _setting("timeout")


class EnvironmentPart(_Part):
    """What is known of an environment."""

    branch: str | None = _setting("branch")
    region: str | None = _setting("region")
    profile: str | None = _setting("profile")
    role_arn: str | None = _setting("role_arn")
    external_id: str | None = _setting("external_id")
    promote_from: str | None = _setting("promote_from")
    promote_after: float | None = _setting("promote_after")
    services: dict[OwnName, ServicePart | None] | None = Field(
        default=None, title="Services", description="What is different for some services in this environment."
    )


class SettingsFile(_Part):
    """Settings of ecs-cd. `{service}` and `{environment}` may stand in every text; `{{` is a brace."""

    organization: str | None = _setting("organization")
    project: str | None = _setting("project")
    defaults: ServicePart | None = Field(default=None, title="Defaults", description="What holds for every service.")
    services: dict[OwnName, ServicePart | None] | None = Field(
        default=None, title="Services", description="The services by name."
    )
    environments: dict[OwnName, EnvironmentPart | None] | None = Field(
        default=None, title="Environments", description="The environments by name."
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `ecs-cd.yml`, for editors."""
    return {"$schema": SCHEMA_DIALECT} | SettingsFile.model_json_schema() | {"title": "ecs-cd.yml"}
