"""What the check works with: clients, names with the prefix, and all it has made, which is removed at the end."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ecs_cd.support.clock import Clock
from tools.real.azure_devops import AzureDevOps
from tools.real.facts import NotSettled
from tools.real.settings import PREFIX, AzureSettings, Settings

_PATIENCE = 600.0
"""Seconds to wait for a run of a pipeline that has an agent to get."""


class World:
    """Give it to `with`: what was made is removed when it ends, last made first, whatever ended it."""

    def __init__(self, settings: Settings, clock: Clock, say: Callable[[str], None], *, interval: float = 2.0) -> None:
        self.clock = clock
        self.interval = interval
        self.name = f"{PREFIX}-{secrets.token_hex(4)}"
        self._settings = settings
        self._say = say
        self._stack = ExitStack()
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> World:  # noqa: PYI034 - `Self` is not in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def remove_later(self, what: str, remove: Callable[[], object]) -> None:
        """Have something removed at the end; what cannot be removed is named, and does not keep the rest.

        Call it before the thing is made, so that no interrupt comes between: it is fine if it is not there.
        """

        def removing() -> None:
            try:
                remove()
            except Exception as error:  # noqa: BLE001 - the others must be removed too, whatever this was
                if not _is_absent(error):
                    self._say(f"NOT REMOVED: {what} ({type(error).__name__}: {error}). Remove it by hand.")

        self._stack.callback(removing)

    def client(self, service: str) -> Any:  # noqa: ANN401 - its type depends on the name of the service
        """Return a client of AWS in the region of the check, with the credentials that the environment has."""
        if service not in self._clients:
            self._clients[service] = boto3.Session().client(  # type: ignore[call-overload]  # typed for literal names
                service, region_name=self._settings.region
            )
            self._stack.callback(self._clients[service].close)
        return self._clients[service]

    @property
    def azure_settings(self) -> AzureSettings:
        """Return the settings of Azure DevOps, which the facts that need them have."""
        if self._settings.azure is None:
            raise NotSettled("Azure DevOps is not configured")
        return self._settings.azure

    @cached_property
    def azure(self) -> AzureDevOps:
        """Return the project."""
        return self._connect(self.azure_settings.pat)

    @cached_property
    def restricted(self) -> AzureDevOps:
        """Return the project as somebody sees it who may queue runs and not tag them."""
        return self._connect(self.azure_settings.restricted_pat)

    def _connect(self, pat: str) -> AzureDevOps:
        connected = AzureDevOps(self.azure_settings.organization, self.azure_settings.project, pat)
        self._stack.callback(connected.close)
        return connected

    def queue(self, **body: object) -> dict[str, Any]:
        """Queue a run of the check's pipeline; it is cancelled if need be, and deleted at the end."""
        run = self.azure.get("POST", f"pipelines/{self.azure_settings.pipeline}/runs", {"resources": {}, **body})
        self.remove_later(f"run {run['id']}", lambda: self._delete_run(int(run["id"])))
        self.azure.get("PUT", f"build/builds/{run['id']}/tags/{self.name}")
        return run

    @cached_property
    def run(self) -> int:
        """Return a run without parameters that several facts look at."""
        return int(self.queue()["id"])

    def build(self, run: int) -> dict[str, Any]:
        """Return a run as the Build API has it."""
        return self.azure.get("GET", f"build/builds/{run}")

    def finished(self, run: int) -> dict[str, Any]:
        """Wait until a run is over, and return it as the Build API has it."""
        return self.wait(lambda: _completed(self.build(run)), f"run {run} to end")

    def wait(self, look: Callable[[], dict[str, Any] | None], what: str) -> dict[str, Any]:
        """Return what `look` returns once it returns something.

        Raises:
            NotSettled: it did not for ten minutes.
        """
        until = self.clock.now() + _PATIENCE
        while (seen := look()) is None:
            if self.clock.now() > until:
                raise NotSettled(f"waited {_PATIENCE:.0f} s for {what}")
            self.clock.sleep(self.interval)
        return seen

    def looks_until(self, look: Callable[[], bool], *, most: int = 30) -> int:
        """Return how many looks it took until `look` was true, 1 at best; 0 when it never was."""
        for number in range(1, most + 1):
            if look():
                return number
            self.clock.sleep(self.interval / 10)
        return 0

    def _delete_run(self, run: int) -> None:
        if self.build(run)["status"] != "completed":
            self.azure.ask("PATCH", f"build/builds/{run}", {"status": "cancelling"})
        self.finished(run)
        self._release(run)
        self.azure.get("DELETE", f"build/builds/{run}")

    def _release(self, run: int) -> None:
        """Take away what keeps a run from being deleted: the service retains the last ones of each branch."""
        kept = self.azure.ask("GET", f"build/builds/{run}/leases").body.get("value") or []
        if kept:
            ids = ",".join(str(lease["leaseId"]) for lease in kept)
            self.azure.get("DELETE", "build/retention/leases", ids=ids)


def _is_absent(error: Exception) -> bool:
    """Return whether AWS says that there is no such thing."""
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    return "NotFound" in code or "NotActive" in code


def _completed(build: dict[str, Any]) -> dict[str, Any] | None:
    return build if build["status"] == "completed" else None
