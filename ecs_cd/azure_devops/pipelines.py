"""The pipelines of one Azure DevOps project: what the pipeline step asks for, in the SDK's calls.

Every call goes through `_call`, the one seam at which foreign errors become ours.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from ecs_cd.azure_devops.conversion import (
    to_approval,
    to_log_line,
    to_pipeline,
    to_preview,
    to_queued_run,
    to_run,
    to_timeline,
)
from ecs_cd.azure_devops.pipeline_names import describe_pipeline, folder_and_name, is_called
from ecs_cd.azure_devops.settings import AzureDevOpsSettings
from ecs_cd.errors import SettingsError, UnexpectedAnswer
from ecs_cd.model.pipeline_problems import read_problem
from ecs_cd.model.run import Approval, Pipeline, Run, RunPreview, RunRequest, TimelineRecord
from ecs_cd.sanitize import quoted
from ecs_cd.support import naming_rules
from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import import_lock

if TYPE_CHECKING:
    from azure.devops.connection import Connection

    from ecs_cd.azure_devops.error_response import ErrorResponse
    from ecs_cd.azure_devops.sdk import Clients

T = TypeVar("T")

_AGAINST_THE_RUN = frozenset(
    {"branch", "file", "template-file", "template-ref", "parameters", "variables", "yaml", "disabled", "paused"}
)
"""Problems for which a run would be refused as its preview is. Whether the caller or the pipeline may use a resource is
asked for the run itself, and a designer pipeline has no preview."""
_BUILD_NAMESPACE = "33344d9c-fc72-4d6f-aba5-fa317101a7e9"
"""The security namespace `Build` (Azure DevOps security namespace reference)."""
_QUEUE_BUILDS = 128
"""The bit of *Queue builds* in it (microsoft/terraform-provider-azuredevops issue 1040 lists them)."""
_ACTIVE = "inProgress,notStarted,postponed"
_EXECUTE = "Build (read & execute), vso.build_execute"


def connect(settings: AzureDevOpsSettings, clock: Clock, connection: Connection | None = None) -> AzureDevOps:
    """Return the pipelines of a project. Nothing is imported, and nothing sent, before the first call.

    Of a `connection` the credential is used in place of one of the settings. It is left as it is: requests are sent
    through clients of their own.

    Raises:
        SettingsError: there is no credential, or the connection is one to another organization.
        ValueError: a connection and another credential are both given.
    """
    if connection is None:
        settings.require_credential()
    elif settings.pat or settings.token:
        raise ValueError("a connection has a credential of its own: none can be given beside it")
    elif not naming_rules.same_organization(connection.base_url, settings.organization):
        raise SettingsError(
            f"The connection is one to {quoted(connection.base_url)}, not to {settings.organization}.",
            hint="Its credential is sent to no other organization: check `organization` in the settings.",
        )
    return AzureDevOps(settings, clock, connection)


class AzureDevOps:
    """The pipelines of one project, for any number of threads. Raises errors of `ecs_cd.errors` only.

    Close it at the end, or use it as a context manager: it keeps its connection.
    """

    def __init__(self, settings: AzureDevOpsSettings, clock: Clock, connection: Connection | None = None) -> None:
        """Remember whom to ask, whose clock waits, and whose credential is used if not that of the settings."""
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._made: Clients | None = None
        self._making = threading.Lock()
        web = f"{settings.organization}/{quote(settings.project, safe='')}"
        self._run_link = web.replace("{", "{{").replace("}", "}}") + "/_build/results?buildId={run_id}"

    def __enter__(self) -> AzureDevOps:  # noqa: PYI034 - `Self` is newer than Python 3.10
        """Return itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; a later call makes a new one."""
        if self._made:
            self._made.transport.close()

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        r"""Return the pipelines that a reference can mean: an id, a name, or a path such as `\folder\name`.

        An empty tuple where there is none. `/` serves as well as the backslash; letter case does not matter.

        Raises:
            WrongInput: no pipeline can be called this.
        """
        doing = f"looking for pipeline {quoted(reference)}"
        if re.fullmatch(r"[0-9]{1,9}", reference):
            return self._found_by_id(int(reference), doing)
        folder, name = folder_and_name(reference)
        project = self._settings.project

        def ask(clients: Clients) -> tuple[Pipeline, ...]:
            pages = _pages(
                clients,
                lambda token: clients.builds.get_definitions(
                    project, name=name, path=folder or None, continuation_token=token
                ),
            )
            return tuple(p for p in map(to_pipeline, pages) if p and is_called(p, folder, name))

        return self._call(ask, doing, right="View build pipeline")

    def _found_by_id(self, number: int, doing: str) -> tuple[Pipeline, ...]:
        def ask(clients: Clients) -> tuple[Pipeline, ...]:
            pipeline = to_pipeline(clients.builds.get_definition(self._settings.project, number))
            return (pipeline,) if pipeline else ()

        return self._call(ask, doing, right="View build pipeline", unless=(_missing("DefinitionNotFoundException"), ()))

    def queue(self, request: RunRequest) -> Run:
        """Queue a run.

        Raises:
            QueueRefused: no such branch, wrong parameters, a disabled pipeline.
            AccessDenied: the right to queue is missing; the message says which and for whom.
            Unreachable: the hint says when the run may have been queued all the same.
        """
        pipeline = request.pipeline

        def ask(clients: Clients) -> Run:
            from ecs_cd.azure_devops.sdk import run_parameters  # noqa: PLC0415 - imported already, by the first call

            run = clients.runs.run_pipeline(run_parameters(request), self._settings.project, pipeline.id)
            return to_queued_run(run, pipeline, request.branch, self._run_link)

        return self._call(
            ask,
            f"queueing {describe_pipeline(pipeline)} on {quoted(request.branch)}",
            right="Queue builds",
            scope=_EXECUTE,
            branch=request.branch,
        )

    def newest(self, pipeline: Pipeline) -> Run | None:
        """Return the run of a pipeline that was queued last, on any branch and in any state; None if there is none."""
        project = self._settings.project

        def ask(clients: Clients) -> Run | None:
            found = clients.builds.get_builds(
                project, definitions=[pipeline.id], query_order="queueTimeDescending", top=1
            )
            return next((to_run(build, self._run_link) for build in found or ()), None)

        return self._call(ask, f"looking for the newest run of {describe_pipeline(pipeline)}")

    def approvals(self, ids: Sequence[str]) -> tuple[Approval, ...]:
        """Return the approvals with these ids, which are those of their records in a run's timeline."""
        project = self._settings.project

        def ask(clients: Clients) -> tuple[Approval, ...]:
            return tuple(to_approval(found) for found in clients.approvals(project, ids))

        return self._call(ask, "looking at approvals")

    def preview(self, request: RunRequest) -> RunPreview | None:
        """Return what a run of this request would be, without queueing it; None where Azure DevOps cannot say.

        Raises:
            QueueRefused: the run would be refused: no such branch, a mistake in the YAML, wrong parameters.
        """
        pipeline = request.pipeline

        def ask(clients: Clients) -> RunPreview | None:
            from ecs_cd.azure_devops.sdk import run_parameters  # noqa: PLC0415 - imported already, by the first call

            wanted = run_parameters(request, preview=True)
            found = clients.runs.preview(wanted, self._settings.project, pipeline.id)
            return to_preview(found)

        return self._call(
            ask,
            f"previewing a run of {describe_pipeline(pipeline)} on {quoted(request.branch)}",
            unless=(_says_nothing(request.branch), None),
            branch=request.branch,
        )

    def check_queue_right(self, pipeline: Pipeline) -> None:
        """Ask whether these credentials may queue runs of the pipeline; nothing happens where Azure DevOps cannot say.

        Raises:
            AccessDenied: they may not; the message says which right is missing and for whom.
        """
        if not pipeline.project_id:
            return
        token = f"{pipeline.project_id}/{'/'.join(filter(None, (*pipeline.folder.split(chr(92)), str(pipeline.id))))}"

        def ask(clients: Clients) -> bool:
            # A folder's name may have a comma, which is the delimiter otherwise, and never this one.
            found = clients.security.has_permissions(
                _BUILD_NAMESPACE, _QUEUE_BUILDS, token, always_allow_administrators=True, delimiter="|"
            )
            return bool(found != [False])

        doing = "asking whether a run may be queued"
        right = f"Queue builds on {describe_pipeline(pipeline)}"
        if not self._call(ask, doing, unless=(lambda _: True, True)):
            from ecs_cd.azure_devops.errors import Operation, missing_right  # noqa: PLC0415 - after the SDK

            raise missing_right(Operation(self._settings, doing, right, _EXECUTE))

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        """Return the runs of a pipeline on a branch (a full ref) that are queued or in progress, oldest first."""
        project = self._settings.project

        def ask(clients: Clients) -> tuple[Run, ...]:
            pages = _pages(
                clients,
                lambda token: clients.builds.get_builds(
                    project,
                    definitions=[pipeline.id],
                    branch_name=branch,
                    status_filter=_ACTIVE,
                    query_order="queueTimeAscending",
                    continuation_token=token,
                ),
            )
            return tuple(to_run(build, self._run_link) for build in pages)

        return self._call(ask, f"looking for runs of {describe_pipeline(pipeline)} on {quoted(branch)}")

    def cancel(self, run_id: int) -> None:
        """Cancel a run.

        Raises:
            AccessDenied: the right to stop runs is missing; the message says which and for whom.
            UnexpectedAnswer: it is over already.
        """

        def ask(clients: Clients) -> None:
            from ecs_cd.azure_devops.sdk import cancelling  # noqa: PLC0415 - imported already, by the first call

            clients.builds.update_build(cancelling(), self._settings.project, run_id)

        self._call(ask, f"cancelling run {run_id}", right="Stop builds", scope=_EXECUTE)

    def tag(self, run_id: int, tag: str) -> None:
        """Put a tag on a run; one that it has stays as it is.

        Raises:
            AccessDenied: the right to tag runs is missing; the message says which and for whom.
        """
        self._retag(run_id, f"tagging run {run_id}", add=(tag,))

    def untag(self, run_id: int, tag: str) -> None:
        """Take a tag off a run; without it, nothing happens. Raises as `tag` does."""
        self._retag(run_id, f"taking a tag off run {run_id}", remove=(tag,))

    def _retag(self, run_id: int, doing: str, **changes: tuple[str, ...]) -> None:
        """Change a run's tags, by the one route that takes tags of any characters."""

        def ask(clients: Clients) -> None:
            from ecs_cd.azure_devops.sdk import tag_changes  # noqa: PLC0415 - imported already, by the first call

            clients.builds.update_build_tags(tag_changes(**changes), self._settings.project, run_id)

        self._call(ask, doing, right="Edit build quality", scope=_EXECUTE)

    def run(self, run_id: int) -> Run:
        """Return the run as it is now."""
        return self._call(
            lambda clients: to_run(clients.builds.get_build(self._settings.project, run_id), self._run_link),
            f"looking at run {run_id}",
        )

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        """Return the run's timeline; empty before there is one."""
        return self._call(
            lambda clients: to_timeline(clients.builds.get_build_timeline(self._settings.project, run_id)),
            f"looking at the timeline of run {run_id}",
            unless=(_missing("(?!Project|Build)"), ()),
        )

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        """Return the last lines of a task's log, without the agent's timestamps.

        The list of the run's logs tells how long this one is, so that only its end is read.
        """
        project = self._settings.project

        def ask(clients: Clients) -> tuple[str, ...]:
            logs = clients.builds.get_build_logs(project, run_id) or []
            count = next((log.line_count for log in logs if log.id == log_id), None)
            start = count - lines if isinstance(count, int) and count > lines else None
            found = clients.builds.get_build_log_lines(project, run_id, log_id, start_line=start) or []
            return tuple(to_log_line(line) for line in found[-lines:])

        return self._call(ask, f"reading log {log_id} of run {run_id}")

    def _clients(self) -> Clients:
        with import_lock:
            from ecs_cd.azure_devops.sdk import Clients, credential_of  # noqa: PLC0415 - costs a tenth of a second
            from ecs_cd.azure_devops.transport import Transport  # noqa: PLC0415 - likewise

        with self._making:
            if self._made is None:
                # `get_client`, the connection's public way, first asks the organization for its resource areas.
                given = self._connection and self._connection._creds  # noqa: SLF001 - see above
                credential = given or credential_of(self._settings)
                self._made = Clients(Transport(self._clock), self._settings.organization, credential)
            return self._made

    def _call(
        self,
        ask: Callable[[Clients], T],
        doing: str,
        *,
        unless: tuple[Callable[[ErrorResponse], bool], T] | None = None,
        **about: str,
    ) -> T:
        """Return what `ask` returns; raise ours where it fails.

        `unless`: which refusal is no failure, and what it means. `about`: see `Operation`.
        """
        clients = self._clients()
        from ecs_cd.azure_devops.error_response import ResponseError  # noqa: PLC0415 - likewise
        from ecs_cd.azure_devops.errors import Operation, map_error  # noqa: PLC0415 - after the SDK, which it needs

        try:
            return ask(clients)
        except ResponseError as answer:
            if unless and unless[0](answer.response):
                return unless[1]
            failure = map_error(answer, Operation(self._settings, doing, **about))
        except Exception as error:  # noqa: BLE001 - the seam: whatever the SDK raises becomes ours
            failure = map_error(error, Operation(self._settings, doing, **about))
        raise failure  # out here, so that no foreign error hangs on ours: those lead to the request and its headers


def _missing(type_key: str) -> Callable[[ErrorResponse], bool]:
    """Return whether an answer is a 404 whose type key begins with the pattern."""

    def is_missing(response: ErrorResponse) -> bool:
        return response.status == 404 and not response.html and bool(re.match(type_key, response.type_key))  # noqa: PLR2004 - HTTP's not found

    return is_missing


def _says_nothing(branch: str) -> Callable[[ErrorResponse], bool]:
    """Return whether a preview on a branch was refused for a reason that need not be one against the run itself."""

    def says_nothing(response: ErrorResponse) -> bool:
        problem = read_problem(response.message, branch=branch) if not response.html else None
        return response.status != 400 or problem is None or problem.kind not in _AGAINST_THE_RUN  # noqa: PLR2004 - HTTP's bad request

    return says_nothing


def _pages(clients: Clients, ask: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yield the items of all pages of a list.

    Raises:
        UnexpectedAnswer: a page names itself as the next one.
    """
    token: str | None = None
    while True:
        yield from ask(token) or []
        following = clients.transport.continuation_token
        if not following:
            return
        if following == token:
            raise UnexpectedAnswer("Azure DevOps goes on answering the same page of a list.", hint="Try again later.")
        token = following
