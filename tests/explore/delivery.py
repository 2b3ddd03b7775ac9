"""A delivery that stops before each of its requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from ecs_cd.errors import EcsCdError
from ecs_cd.model.events import ignore_events
from ecs_cd.model.run import Approval, Pipeline, Run, RunPreview, RunRequest, TimelineRecord
from ecs_cd.run import sharing
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.states import (
    Acting,
    Done,
    Following,
    Hesitating,
    Queued,
    QueueFailed,
    Start,
    WaitingForHolders,
    WaitingForLock,
)

REQUEST = RunRequest(Pipeline(7), "refs/heads/main")
CARRIED = "carried"


class Request(NamedTuple):
    """A request to `Pipelines`: the name of its method, and what it is given."""

    method: str
    arguments: tuple[object, ...]

    def settled(self, ended: Callable[[int], bool]) -> bool:
        """Return whether the answer can never change any more: nothing others do could come before or after it."""
        return self.method in ("log_tail", "preview") or (self.method == "records" and ended(self.run_id))

    @property
    def run_id(self) -> int:
        assert isinstance(self.arguments[0], int)
        return self.arguments[0]

    def send(self, pipelines: Pipelines) -> object:
        """Return the answer; an error is one, too."""
        try:
            answer: object = getattr(pipelines, self.method)(*self.arguments)
        except EcsCdError as error:
            return Refusal(error.__class__)
        return answer


@dataclass(frozen=True)
class Refusal:
    """An answer that was an error."""

    error: type[EcsCdError]


class _UnansweredError(BaseException):
    """The delivery makes a request to which there is no answer yet."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


class _Replay:
    """Pipelines that give the answers received before, and stop at the next request."""

    def __init__(self, answers: Sequence[object]) -> None:
        self._answers = iter(answers)

    def _answer(self, method: str, *arguments: object) -> object:
        for answer in self._answers:
            if isinstance(answer, Refusal):
                raise answer.error("refused")
            return answer
        raise _UnansweredError(Request(method, arguments))

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        return self._answer("find", reference)  # type: ignore[return-value]  # the answer that this method had

    def check_queue_right(self, pipeline: Pipeline) -> None:
        raise AssertionError("sharing asks for no right")

    def queue(self, request: RunRequest) -> Run:
        return self._answer("queue", request)  # type: ignore[return-value]  # likewise

    def preview(self, request: RunRequest) -> RunPreview | None:
        return self._answer("preview", request)  # type: ignore[return-value]  # likewise

    def newest(self, pipeline: Pipeline) -> Run | None:
        return self._answer("newest", pipeline)  # type: ignore[return-value]  # likewise

    def approvals(self, ids: Sequence[str]) -> tuple[Approval, ...]:
        return self._answer("approvals", tuple(ids))  # type: ignore[return-value]  # likewise

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        return self._answer("active", pipeline, branch)  # type: ignore[return-value]  # likewise

    def cancel(self, run_id: int) -> None:
        self._answer("cancel", run_id)

    def tag(self, run_id: int, tag: str) -> None:
        self._answer("tag", run_id, tag)

    def untag(self, run_id: int, tag: str) -> None:
        self._answer("untag", run_id, tag)

    def run(self, run_id: int) -> Run:
        return self._answer("run", run_id)  # type: ignore[return-value]  # likewise

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        return self._answer("records", run_id)  # type: ignore[return-value]  # likewise

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        return self._answer("log_tail", run_id, log_id, lines)  # type: ignore[return-value]  # likewise


@dataclass(frozen=True)
class SteppedDelivery:
    """A delivery of `version`: whether it has written it, its state since, and the answers received in this state.

    `outcome` is how it ended: `CARRIED`, then `carried_by` that run; or the reason of its failure.
    """

    version: str
    wrote: bool = False
    state: Acting = Start()  # noqa: RUF009 - frozen
    answers: tuple[object, ...] = ()
    carried_by: int | None = None
    outcome: str = ""
    request: RunRequest = field(default=REQUEST, compare=False, repr=False)

    @property
    def ended(self) -> bool:
        return bool(self.outcome)

    @property
    def at_rest(self) -> bool:
        """Return whether it has nothing to do but follow a run."""
        return self.ended or (isinstance(self.state, Following) and not self.answers)

    @property
    def follows(self) -> int | None:
        """Return the run that it follows, or has just queued."""
        if isinstance(self.state, Following):
            return self.state.run.id
        return self.state.run_id if isinstance(self.state, Queued) else None

    @cached_property
    def mentioned(self) -> frozenset[int]:
        """Return the runs it has anything to do with; not those that were merely there at its first look."""
        state = self.state
        ids = set() if isinstance(state, Start) else set(state.known.excluded)
        ids |= {self.carried_by, self.follows} - {None}  # type: ignore[arg-type]  # which is left out
        if isinstance(state, Following):
            ids.update(other.id for other in state.others)
        if isinstance(state, WaitingForHolders):
            ids |= state.holders
        for answer in self.answers:
            if isinstance(answer, Run):
                ids.add(answer.id)
            elif isinstance(answer, tuple):
                ids.update(run.id for run in answer if isinstance(run, Run))
        return frozenset(ids)

    def restarted(self) -> SteppedDelivery:
        """Return it as it is after it was killed and started again: it has written, and remembers nothing."""
        return SteppedDelivery(self.version, wrote=self.wrote, request=self.request)

    @cached_property
    def pending(self) -> Request:
        """Return its next request."""
        try:
            sharing.next_state(_Replay(self.answers), self.request, self.state, ignore_events)
        except _UnansweredError as stopped:
            return stopped.request
        raise AssertionError("a state is left only by a request")

    def answered(self, answer: object) -> SteppedDelivery:
        """Return it after this answer, and after all it does before its next request."""
        answers = (*self.answers, answer)
        try:
            state = sharing.next_state(_Replay(answers), self.request, self.state, ignore_events)
        except _UnansweredError:
            return replace(self, answers=answers)
        except EcsCdError as error:
            return replace(self.restarted(), outcome=error.reason)
        while isinstance(state, Hesitating | QueueFailed | WaitingForLock):
            state = state.then
        if isinstance(state, Done):
            run = state.finished.run
            return replace(self.restarted(), outcome=CARRIED, carried_by=run.id if run else None)
        return replace(self, state=state, answers=())

    def stepped(
        self,
        send: Callable[[Request], object],
        ended: Callable[[int], bool],
        *,
        answered: Callable[[SteppedDelivery, object], SteppedDelivery] | None = None,
    ) -> SteppedDelivery:
        """Return it after its next request, and after those that are settled; `ended` says whether a run has ended.

        `answered` takes the place of the method where its results are kept.
        """
        delivery, sent = self, False
        while delivery is self or delivery.answers:
            request = delivery.pending
            if not request.settled(ended):
                if sent:
                    break
                sent = True
            answer = send(request)
            delivery = answered(delivery, answer) if answered else delivery.answered(answer)
        return delivery
