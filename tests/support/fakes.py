"""In-memory other sides of a delivery, and a clock that does not wait.

They keep the promises of the Protocols they stand for and nothing more. Every fake takes down its calls, can be told to
fail (`fail`) and can let something happen just before a call is answered (`meanwhile`), which is where another
delivery would act.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from ecs_cd.errors import EcsCdError, ImageMissing, ParameterRefused, VersionLimitReached
from ecs_cd.model.image import FoundImage, ImageRef, ImageRepository
from ecs_cd.model.labels import NO_MARKS, Marks
from ecs_cd.model.parameter import Parameter, ParameterVersion
from ecs_cd.model.run import (
    Approval,
    Pipeline,
    Run,
    RunPreview,
    RunProgress,
    RunRequest,
    RunState,
    TimelineRecord,
)
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.model.service_deployment import LifecycleHook, ServiceDeployment
from ecs_cd.model.stopped_task import LogLocation, StoppedTask

APPLIED = TimelineRecord("apply", "", "Task", "terraform apply", "completed", "succeeded")
EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)


class FakeClock:
    """A clock that moves when somebody sleeps on it; `slept` are the lengths of the sleeps."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._due: list[tuple[float, Callable[[], None]]] = []
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def utc(self) -> datetime:
        return EPOCH + timedelta(seconds=self._now)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due meanwhile happens at its moment."""
        end = self._now + seconds
        while due := [entry for entry in self._due if entry[0] <= end]:
            entry = min(due, key=lambda one: one[0])
            self._due.remove(entry)
            self._now = max(self._now, entry[0])
            entry[1]()
        self._now = end

    def later(self, seconds: float, happens: Callable[[], None]) -> None:
        """Have something happen when so many seconds have passed."""
        self._due.append((self._now + seconds, happens))


class Fake:
    """What all fakes can do; `calls` are the names of the methods called, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._faults: defaultdict[str, deque[EcsCdError]] = defaultdict(deque)
        self._meanwhile: defaultdict[str, deque[Callable[[], None]]] = defaultdict(deque)

    def fail(self, method: str, *errors: EcsCdError) -> None:
        """Raise these from the next calls of the method, one each; what was called for does not happen."""
        self._faults[method].extend(errors)

    def meanwhile(self, method: str, *happenings: Callable[[], None]) -> None:
        """Let these happen just before the next calls of the method are answered, one each."""
        self._meanwhile[method].extend(happenings)

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self._meanwhile[method]:
            self._meanwhile[method].popleft()()
        if self._faults[method]:
            raise self._faults[method].popleft()


class FakeImages(Fake):
    """A registry: repositories, each with its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.repositories: dict[str, dict[str, FoundImage]] = {}
        self.indexes: dict[str, tuple[str, ...]] = {}

    def push(self, repository: str, tag: str, digest: str, *, platforms: Sequence[str] = ()) -> None:
        """Push an image; with `platforms`, an index of images with these digests."""
        pushed = FoundImage(digest, EPOCH, is_index=bool(platforms))
        self.repositories.setdefault(repository, {})[tag] = pushed
        self.indexes[digest] = tuple(platforms)

    def find(self, image: ImageRef) -> FoundImage | None:
        self._called("find")
        if image.repository not in self.repositories:
            raise ImageMissing(f"There is no repository {image.repository}.")
        return self.repositories[image.repository].get(str(image.tag))

    def find_digest(self, repository: ImageRepository, digest: str) -> FoundImage | None:
        self._called("find_digest")
        if repository.name not in self.repositories:
            raise ImageMissing(f"There is no repository {repository.name}.")
        there = self.repositories[repository.name].items()
        having = {tag: found for tag, found in there if found.digest == digest}
        if not having:
            return None
        return replace(next(iter(having.values())), tags=tuple(having))

    def platforms(self, repository: ImageRepository, digest: str) -> tuple[str, ...]:
        self._called("platforms")
        assert repository.name in self.repositories
        return self.indexes[digest]


class FakeParameters(Fake):
    """A parameter store that keeps a number of versions of each parameter; a label sits on one version only."""

    def __init__(self, limit: int = 100) -> None:
        super().__init__()
        self._limit = limit
        self._standing: dict[str, Parameter] = {}
        self._kept: dict[str, tuple[ParameterVersion, ...]] = {}

    def put(self, parameter: Parameter) -> None:
        """Create the parameter as if by Terraform, or write a version of it as if by somebody else."""
        kept = self._kept.get(parameter.name, ())
        if len(kept) == self._limit and kept[0].labels:
            raise VersionLimitReached("The oldest version is labelled.")
        number = kept[-1].version + 1 if kept else 1
        self._standing[parameter.name] = replace(parameter, version=number, marks=NO_MARKS)
        version = ParameterVersion(parameter.name, parameter.value, number)
        self._kept[parameter.name] = (*kept, version)[-self._limit :]

    def standing(self, name: str) -> Parameter:
        return replace(self._standing[name], marks=Marks.of(self._kept[name]))

    def values(self, name: str) -> list[str]:
        """Return the values of all versions, oldest first."""
        return [version.value for version in self._kept.get(name, ())]

    def labelled(self, name: str, label: str) -> list[int]:
        return [version.version for version in self._kept[name] if label in version.labels]

    def written(self) -> list[str]:
        """Return the calls that change something."""
        return [call for call in self.calls if call in ("write", "create", "label", "unlabel")]

    def state(self) -> tuple[tuple[ParameterVersion, ...], ...]:
        """Return all that was ever stored, to tell two stores apart."""
        return tuple(self._kept.values())

    def copy(self) -> FakeParameters:
        """Return a store that goes its own way from here."""
        twin = FakeParameters(self._limit)
        twin._standing, twin._kept = dict(self._standing), dict(self._kept)
        return twin

    def read(self, name: str) -> Parameter | None:
        self._called("read")
        return self.standing(name) if name in self._standing else None

    def read_many(self, names: Sequence[str]) -> dict[str, ParameterVersion]:
        self._called("read_many")
        return {name: self._kept[name][-1] for name in names if name in self._kept}

    def write(self, parameter: Parameter, value: str) -> int:
        self._called("write")
        self.put(replace(parameter, value=value))
        return self._standing[parameter.name].version

    def create(self, name: str, value: str) -> int | None:
        self._called("create")
        if name in self._standing:
            return None
        self.put(Parameter(name, value, 0))
        return self._standing[name].version

    def versions(self, name: str, numbers: Sequence[int], labels: Sequence[str] = ()) -> tuple[ParameterVersion, ...]:
        self._called("versions")
        assert numbers
        found = ((v, tuple(label for label in labels if label in v.labels)) for v in self._kept.get(name, ()))
        return tuple(replace(v, labels=carried) for v, carried in found if v.version in numbers or carried)

    def label(self, name: str, version: int, label: str) -> None:
        self._called("label")
        if version not in (v.version for v in self._kept[name]):
            raise ParameterRefused("There is no such version.")
        self._kept[name] = tuple(
            replace(v, labels=tuple(sorted({*v.labels, label} if v.version == version else {*v.labels} - {label})))
            for v in self._kept[name]
        )

    def unlabel(self, name: str, version: int, label: str) -> None:
        self._called("unlabel")
        self._kept[name] = tuple(
            replace(v, labels=tuple(one for one in v.labels if one != label)) if v.version == version else v
            for v in self._kept[name]
        )

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        self._called("history")
        return self._kept.get(name, ())


class FakePipelines(Fake):
    """A project's pipelines. A run shows its `script` one step at each look, and stays at the last.

    What `queue` makes is listed as waiting until it has been looked at; `listed` are runs that others queued.
    """

    def __init__(self, *known: Pipeline) -> None:
        super().__init__()
        self.known = known
        self.requests: list[RunRequest] = []
        self.previewed: list[RunRequest] = []
        self.scripts: dict[int, deque[RunProgress]] = {}
        self.logs: dict[int, tuple[str, ...]] = {}
        self.tails: list[tuple[int, int, int]] = []
        self.listed: list[Run] = []
        self.cancelled: list[int] = []
        self.tags: dict[int, set[str]] = {}
        self.expand: Callable[[RunRequest], str] = lambda request: str(sorted(request.template_parameters.items()))
        self.answers: dict[str, Approval] = {}
        self._shown: dict[int, RunProgress] = {}

    def play(self, *steps: RunProgress) -> Run:
        """Let a run go through these steps; return it as it is first."""
        run = steps[0].run
        self.scripts[run.id] = deque(steps)
        return run

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        self._called("find")
        return tuple(p for p in self.known if reference in (str(p.id), p.name, p.path))

    def check_queue_right(self, pipeline: Pipeline) -> None:
        self._called("check_queue_right")

    def queue(self, request: RunRequest) -> Run:
        self._called("queue")
        self.requests.append(request)
        number = 100 + len(self.requests)
        run = Run(
            number,
            f"20260101.{number}",
            f"https://dev/build?buildId={number}",
            RunState.WAITING,
            7,
            template_parameters=request.template_parameters,
            variables=request.variables,
        )
        ended = RunProgress(replace(run, state=RunState.SUCCEEDED), (APPLIED,))
        self.scripts.setdefault(number, deque([RunProgress(run), ended]))
        return run

    def preview(self, request: RunRequest) -> RunPreview | None:
        """Return what `expand` makes of the request; other parameters make another YAML unless it says otherwise."""
        self._called("preview")
        self.previewed.append(request)
        return RunPreview(self.expand(request))

    def newest(self, pipeline: Pipeline) -> Run | None:
        self._called("newest")
        return self.scripts[max(self.scripts)][0].run if self.scripts else None

    def approvals(self, ids: Sequence[str]) -> tuple[Approval, ...]:
        self._called("approvals")
        return tuple(self.answers[one] for one in ids if one in self.answers)

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        self._called("active")
        queued = [self.scripts[100 + n][0].run for n in range(1, len(self.requests) + 1) if 100 + n not in self._shown]
        return (*self.listed, *queued)

    def cancel(self, run_id: int) -> None:
        self._called("cancel")
        self.cancelled.append(run_id)

    def tag(self, run_id: int, tag: str) -> None:
        self._called("tag")
        self.tags.setdefault(run_id, set()).add(tag)

    def untag(self, run_id: int, tag: str) -> None:
        self._called("untag")
        self.tags.setdefault(run_id, set()).discard(tag)

    def run(self, run_id: int) -> Run:
        self._called("run")
        script = self.scripts[run_id]
        self._shown[run_id] = script.popleft() if len(script) > 1 else script[0]
        return self._shown[run_id].run

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        self._called("records")
        return self._shown.get(run_id, self.scripts[run_id][0]).records

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        self._called("log_tail")
        self.tails.append((run_id, log_id, lines))
        return self.logs.get(log_id, ())[-lines:]


class FakeServices(Fake):
    """ECS services. A service shows its `script` one snapshot at each look, and stays at the last."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[ServiceTarget, deque[ServiceSnapshot]] = {}
        self.stopped: dict[str, tuple[StoppedTask, ...]] = {}
        self.answered: list[tuple[str, str, bool]] = []
        self.families: dict[str, deque[TaskDefinition]] = {}

    def play(self, *steps: ServiceSnapshot) -> None:
        """Let a service go through these snapshots."""
        self.scripts[steps[0].target] = deque(steps)

    def brief(self, target: ServiceTarget) -> ServiceSnapshot | None:
        self._called("brief")
        found = self._next(target)
        if found is None:
            return None
        deployments = tuple(replace(one, digests=()) for one in found.deployments)
        return replace(found, deployments=deployments, service_deployment=None, unseen=())

    def snapshot(self, target: ServiceTarget) -> ServiceSnapshot | None:
        self._called("snapshot")
        return self._next(target)

    def _next(self, target: ServiceTarget) -> ServiceSnapshot | None:
        script = self.scripts.get(target)
        if not script:
            return None
        return script.popleft() if len(script) > 1 else script[0]

    def answer_hook(self, record: ServiceDeployment, hook: LifecycleHook, *, rollback: bool) -> None:
        self._called("answer_hook")
        self.answered.append((record.arn, hook.id, rollback))

    def task_definition(self, family: str) -> TaskDefinition | None:
        self._called("task_definition")
        revisions = self.families.get(family)
        if not revisions:
            return None
        return revisions.popleft() if len(revisions) > 1 else revisions[0]

    def stopped_tasks(self, target: ServiceTarget, task_definition: str) -> tuple[StoppedTask, ...]:
        self._called("stopped_tasks")
        if not task_definition:
            return tuple(task for tasks in self.stopped.values() for task in tasks)
        return self.stopped.get(task_definition, ())


class FakeLogs(Fake):
    """Log streams by their names; `asked` are those whose end was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: dict[str, tuple[str, ...]] = {}
        self.asked: list[str] = []

    def tail(self, location: LogLocation, lines: int) -> tuple[str, ...]:
        self.asked.append(location.stream)
        self._called("tail")
        return self.streams.get(location.stream, ())[-lines:]
