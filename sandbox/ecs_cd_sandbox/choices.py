"""The commands that choose what a running sandbox does: `ecs-cd sandbox behave crash-loop --tag 101`.

They talk to the sandbox that the variables of `ecs-cd sandbox up` name, and to nothing that is not on this machine.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import click

_LOAD = "Load the variables of a sandbox that is up: set -a; . ./sandbox.env; set +a"
_SECONDS = 30

_service = click.option("--service", help="Of this service only.")


@click.command(short_help="Choose how the next rollouts go.")
@click.argument("rollout", metavar="success|slow|crash-loop|cannot-pull|stuck")
@_service
@click.option("--tag", help="With this tag only.")
@click.option("--ticks", type=int, help="For how many steps tasks of a slow rollout stay PENDING.  [default: 10]")
@click.option("--healthy", type=int, help="How many tasks run nevertheless.  [default: 0]")
@click.option("--container", help="Which container exits.  [default: the first essential one]")
@click.option("--exit-code", type=int, help="What it exits with.  [default: 1]")
@click.option("--log", multiple=True, help="A line that it writes before; may be given more than once.")
def behave(**chosen: Any) -> None:  # noqa: ANN401 - click hands over whatever the options are
    """Choose how the next rollouts go; the latest choice counts."""
    _send("behave", chosen)


@click.command(name="answer-hooks", short_help="Choose what Lambda hooks answer.")
@click.argument("status", metavar="SUCCEEDED|FAILED")
@_service
@click.option("--stage", help="At this lifecycle stage only.")
@click.option("--ticks", type=int, help="For how many steps the hook is in progress before.  [default: 1]")
def answer_hooks(**chosen: Any) -> None:  # noqa: ANN401 - likewise
    """Choose what the Lambda hooks of blue/green, linear and canary deployments answer."""
    _send("answer-hooks", chosen)


@click.command(short_help="Push an image, or another one under the same tag.")
@click.argument("repository")
@click.argument("tag")
@click.option("--content", help="Any text; another text makes another image.")
@click.option("--index", is_flag=True, help="Push an index of images for several platforms.")
def push(**chosen: Any) -> None:  # noqa: ANN401 - likewise
    """Push an image to the sandbox's ECR, and print its digest."""
    _send("push", chosen)


@click.command(short_help="Let a CloudWatch alarm go off.")
@click.argument("name")
@click.option("--ok", is_flag=True, help="Put it back into the state OK.")
def alarm(name: str, *, ok: bool) -> None:
    """Put a CloudWatch alarm into the state ALARM; deployments that watch it roll back."""
    _send("alarm", {"name": name, "ringing": not ok})


@click.command(short_help="Let everything go well again.")
def forget() -> None:
    """Drop all that was chosen: every rollout and every hook succeeds."""
    _send("forget", {})


COMMANDS = (behave, answer_hooks, push, alarm, forget)


def _send(command: str, chosen: dict[str, Any]) -> None:
    """Have the sandbox carry out a command, and print its answer."""
    given = {key: value for key, value in chosen.items() if value not in (None, (), False)}
    if command == "alarm":
        given["ringing"] = chosen["ringing"]
    request = urllib.request.Request(  # noqa: S310 - the address was checked
        f"{_address()}/_sandbox/{command}",
        data=json.dumps(given).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            click.echo(json.load(answer)["answer"])
    except urllib.error.HTTPError as refused:
        with refused:
            raise click.UsageError(f"The sandbox refuses: {_reason(refused)}.") from None
    except OSError:
        raise click.ClickException(f"No sandbox answers at {_address()}. {_LOAD}") from None


def _address() -> str:
    address = os.environ.get("AWS_ENDPOINT_URL", "")
    if not address:
        raise click.UsageError(f"AWS_ENDPOINT_URL names no sandbox. {_LOAD}")
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "localhost"}:
        raise click.UsageError(f"AWS_ENDPOINT_URL is {address!r}, which is no sandbox on this machine. {_LOAD}")
    return address.rstrip("/")


def _reason(refused: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(refused)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {refused.code}"
