"""Facts of Parameter Store: versions, labels, and what a read sees after a write."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tools.real.facts import Found, Need, NotSettled, fact
from tools.real.world import World

_WRITES = 10


def _parameter(world: World, name: str, **more: Any) -> tuple[Any, str]:  # noqa: ANN401 - a boto3 client has no type here
    """Create a parameter; return a client and the parameter's name."""
    ssm, full = world.client("ssm"), f"/{world.name}/{name}"
    world.remove_later(f"parameter {full}", lambda: ssm.delete_parameter(Name=full))
    ssm.put_parameter(Name=full, Value="1", Type="String", **more)
    return ssm, full


def _labelled(world: World, name: str) -> tuple[Any, str]:
    """Create a parameter of three versions, the second labelled twice and the third not at all."""
    ssm, full = _parameter(world, name)
    for value in ("2", "3"):
        ssm.put_parameter(Name=full, Value=value, Overwrite=True)
    ssm.label_parameter_version(Name=full, ParameterVersion=2, Labels=["zulu", "alpha"])
    return ssm, full


@fact("several-selectors", "GetParameters answers a name and its labels in one request", Need.AWS)
def several_selectors(world: World) -> Found:
    """Ask for a parameter by name and by a label at once."""
    ssm, name = _labelled(world, "several-selectors")
    try:
        answer = ssm.get_parameters(Names=[name, f"{name}:alpha"])
    except ClientError as error:
        return Found(f"refused: {error}")
    return Found(f"{len(answer['Parameters'])} parameters, invalid: {answer['InvalidParameters']}")


@fact("selectors-are-named", "each answer names the selector that it answers", Need.AWS)
def selectors_are_named(world: World) -> Found:
    """Look for `Selector` in the answer to a label."""
    ssm, name = _labelled(world, "selectors-are-named")
    [found] = ssm.get_parameters(Names=[f"{name}:alpha"])["Parameters"]
    return Found(f"Selector {found.get('Selector')!r}", found.get("Selector") == ":alpha")


@fact("selector-order", "the answers come in alphabetical order", Need.AWS)
def selector_order(world: World) -> Found:
    """Ask for labels in an order that is not the alphabet's."""
    ssm, name = _labelled(world, "selector-order")
    try:
        answer = ssm.get_parameters(Names=[f"{name}:zulu", f"{name}:alpha", name])
    except ClientError as error:
        return Found(f"refused: {error}")
    return Found(", ".join(str(each.get("Selector", "(none)")) for each in answer["Parameters"]))


@fact("same-version-twice", "two selectors of one version are answered twice", Need.AWS)
def same_version_twice(world: World) -> Found:
    """Ask for one version by its number and by both of its labels."""
    ssm, name = _labelled(world, "same-version-twice")
    try:
        answer = ssm.get_parameters(Names=[f"{name}:zulu", f"{name}:alpha", f"{name}:2"])
    except ClientError as error:
        return Found(f"refused: {error}")
    return Found(f"{len(answer['Parameters'])} of 3")


@fact("unchanged-write", "a PutParameter with the value that is there makes a version of its own", Need.AWS)
def unchanged_write(world: World) -> Found:
    """Write the same value again."""
    ssm, name = _parameter(world, "unchanged-write")
    version = ssm.put_parameter(Name=name, Value="1", Overwrite=True)["Version"]
    return Found(f"version {version}", version == 2)  # noqa: PLR2004 - the second of two writes


@fact("overwrite-drops-nothing", "an overwrite without description and allowed pattern keeps both", Need.AWS)
def overwrite_drops_nothing(world: World) -> Found:
    """Overwrite a parameter that has a description and a pattern, and describe it."""
    ssm, name = _parameter(world, "overwrite", Description="kept", AllowedPattern="^[0-9]+$")
    ssm.put_parameter(Name=name, Value="2", Overwrite=True)
    newest = ssm.get_parameter_history(Name=name)["Parameters"][-1]
    return Found(f"description {newest.get('Description')!r}, pattern {newest.get('AllowedPattern')!r}")


@fact("read-after-write", "a read right after a write may see the version before", Need.AWS)
def read_after_write(world: World) -> Found:
    """Write ten versions and read each at once."""
    ssm, name = _parameter(world, "read-after-write")
    stale = 0
    for value in range(_WRITES):
        written = ssm.put_parameter(Name=name, Value=str(value + 2), Overwrite=True)["Version"]
        stale += ssm.get_parameters(Names=[name])["Parameters"][0]["Version"] < written
        world.clock.sleep(world.interval / 5)  # 3 writes a second are granted
    return Found(f"{stale} of {_WRITES} reads saw an older version")


@fact("describe-after-create", "DescribeParameters shows a new parameter later than GetParameters does", Need.AWS)
def describe_after_create(world: World) -> Found:
    """Create a parameter and describe it until it is there."""
    ssm, name = _parameter(world, "describe-after-create")
    filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    looks = world.looks_until(lambda: bool(ssm.describe_parameters(ParameterFilters=filters)["Parameters"]))
    if not looks:
        raise NotSettled("DescribeParameters never showed it")
    return Found(f"seen at look {looks}")
