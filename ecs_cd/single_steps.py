"""Single steps of a delivery, for pipelines that have them apart: `client.steps`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_cd import arguments, from_settings
from ecs_cd.arguments import Tag, TagSource
from ecs_cd.calls import Calls
from ecs_cd.delivery.single_steps import record_only
from ecs_cd.model.events import RunChanged, RunChosen, Watch, ignore_events
from ecs_cd.model.image import CheckedImage
from ecs_cd.model.parameter import Parameter, ParameterChange
from ecs_cd.model.run import Pipeline, Run, RunOrigin, RunRequest
from ecs_cd.parameter.record import read_parameter
from ecs_cd.run.follow import follow_run
from ecs_cd.run.pipelines import resolve_pipeline
from ecs_cd.support.deadline import Deadline

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ecs_cd.settings.keywords import SettingKeywords


@dataclass(frozen=True)
class QueuedRun:
    """A run that was queued; followed to its end where that was asked for.

    `branch` is the full ref. `run` is None in a dry run. `warning` is a sentence where the run succeeded with issues.
    """

    pipeline: Pipeline
    branch: str
    run: Run | None = None
    warning: str = ""


class SingleSteps:
    """The steps of a delivery one by one. Failures are raised; there is no report."""

    def __init__(self, calls: Calls) -> None:
        """Work with the settings and connections of a client."""
        self._calls = calls

    def get_parameter(self, service: str = "", environment: str = "", **settings: Unpack[SettingKeywords]) -> Parameter:
        """Return what is recorded for a service in an environment.

        Raises:
            WrongInput: a name or a setting is wrong.
            EcsCdError: AWS refused, or could not be reached.
        """
        resolved = self._calls.resolve("get_parameter", service, environment, settings, ["parameter"])
        aws = self._calls.prepared(resolved).aws(resolved, "get-parameter")
        return read_parameter(aws.parameters, resolved.parameter)

    def set_parameter(
        self,
        service: str = "",
        environment: str = "",
        *,
        tag: Tag | None = None,
        tag_file: TagSource = "",
        dry_run: bool = False,
        **settings: Unpack[SettingKeywords],
    ) -> tuple[CheckedImage, ParameterChange]:
        """Check the image and record its tag, unless a newer one is there or it is held; queue nothing.

        Raises:
            WrongInput: settings, tag or tag file are wrong.
            EcsCdError: AWS refused, or could not be reached.
        """
        arguments.check_switches(dry_run=dry_run)
        resolved = self._calls.resolve("set_parameter", service, environment, settings, ["image", "parameter"])
        entry = arguments.tag_entry(resolved.service, tag, tag_file)
        wanted = from_settings.delivery(resolved, entry, dry_run=dry_run)
        aws = self._calls.prepared(resolved).aws(resolved, str(entry.tag))
        deadline = Deadline.after(resolved.timeout, self._calls.clock)
        return record_only(wanted, aws.images, aws.parameters, deadline=deadline)

    def queue_run(
        self,
        service: str = "",
        environment: str = "",
        *,
        wait: bool = False,
        dry_run: bool = False,
        watch: Watch = ignore_events,
        **settings: Unpack[SettingKeywords],
    ) -> QueuedRun:
        """Queue a run of the infrastructure pipeline of a service, on the branch of an environment.

        Where the keywords name pipeline and branch, no service needs to be named. `wait`: follow the run to its end.
        `dry_run`: find the pipeline, and queue nothing.

        Raises:
            WrongInput: a name or a setting is wrong.
            RunFailed, RunCancelled, DeadlineReached: the run that was followed did not succeed.
            EcsCdError: there is no such pipeline, or Azure DevOps refused or could not be reached.
        """
        arguments.check_switches(wait=wait, dry_run=dry_run)
        arguments.check_watch(watch)
        if settings.get("pipeline") and settings.get("branch") and not service:
            resolved = self._calls.resolve_project("queue_run", settings, ["pipeline"])
        else:
            resolved = self._calls.resolve("queue_run", service, environment, settings, ["pipeline"])
        pipelines = self._calls.prepared(resolved).azure_devops(resolved)
        deadline, watch = self._calls.begin(f"{resolved.pipeline} on {resolved.branch}", resolved, watch)
        found = resolve_pipeline(pipelines, str(resolved.pipeline))
        if dry_run:
            return QueuedRun(found, resolved.branch)
        request = RunRequest(found, resolved.branch, resolved.template_parameters, resolved.variables)
        run = pipelines.queue(request)
        watch(RunChosen(run, RunOrigin.QUEUED))
        if not wait:
            return QueuedRun(found, resolved.branch, run)
        finished = follow_run(pipelines, run, deadline=deadline, watch=lambda progress: watch(RunChanged(progress)))
        return QueuedRun(found, resolved.branch, finished.run or run, finished.warning)

    def follow_run(self, run_id: int, *, watch: Watch = ignore_events, **settings: Unpack[SettingKeywords]) -> Run:
        """Follow the run with this id to its end.

        Raises:
            WrongInput: a setting is wrong.
            RunFailed, RunCancelled, DeadlineReached: it did not succeed.
            EcsCdError: Azure DevOps refused, or could not be reached.
        """
        arguments.check_watch(watch)
        resolved = self._calls.resolve_project("follow_run", settings)
        pipelines = self._calls.prepared(resolved).azure_devops(resolved)
        deadline, watch = self._calls.begin(f"run {run_id}", resolved, watch)
        run = pipelines.run(run_id)
        finished = follow_run(pipelines, run, deadline=deadline, watch=lambda progress: watch(RunChanged(progress)))
        return finished.run or run
