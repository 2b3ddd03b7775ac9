"""The error tree. Every error that leaves this library is one of these.

    EcsCdError
    |-- WrongInput             exit 2: the caller must change something before trying again
    |   |-- InvalidTag
    |   |-- TagFileError
    |   `-- SettingsError
    |-- DeliveryFailed         exit 1: refused or failed, and would be again
    |   |-- BadCredentials
    |   |-- AccessDenied
    |   |-- ImageMissing
    |   |-- ServiceMissing
    |   |-- NothingToPromote
    |   |-- ParameterRefused
    |   |   `-- VersionLimitReached
    |   |-- NothingVerified
    |   |-- PipelineNotFound
    |   |-- QueueRefused
    |   |-- RunFailed
    |   |-- RunCancelled
    |   |-- RolloutFailed
    |   |   |-- RolledBackByEcs
    |   |   |-- NotApplied
    |   |   |-- AnotherImage
    |   |   `-- NotServed
    |   |-- NothingWaits
    |   `-- UnexpectedAnswer
    |-- TryLater               exit 3: it may pass by itself
    |   |-- DeadlineReached
    |   |-- TooSoon
    |   |-- NotAttempted
    |   |-- Throttled
    |   |-- Unreachable
    |   `-- ServiceUnavailable
    `-- Interrupted            exit 130

A class says what kind of thing happened (`reason`, a stable word for programs), whether trying again can help
(`retryable`) and how a process ends (`exit_code`; `docs/rules.md` has the table). An instance says what, where, and
what to do next.
"""

from __future__ import annotations

from typing import ClassVar

from ecs_cd.messages import sanitized, sentences
from ecs_cd.sanitize import sanitize


class EcsCdError(Exception):
    """Something went wrong that the person who asked should read about.

    `message` says what is wrong and where, in one sentence; `hint` what to do about it; `details` are further lines
    of evidence (log lines, ECS events). Each may be an `ecs_cd.messages.Message`, which a front end writes in its own
    form; as a `str` it names keyword arguments of the library. All are sanitized: nothing in them is a command to an
    agent or a terminal.
    """

    reason: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", details: tuple[str, ...] = (), link: str = "") -> None:
        """Keep the sanitized form of all that is given."""
        super().__init__(sanitize(message))
        self.message = sanitized(message)
        self.hint = sanitized(hint)
        self.details = tuple(map(sanitized, details))
        self.link = sanitize(link)

    def add(self, details: tuple[str, ...] = (), *, link: str = "", hint: str = "") -> None:
        """Add further evidence, a link, and a hint that comes before its own, to an error on its way up."""
        self.details += tuple(map(sanitized, details))
        self.link = sanitize(link) or self.link
        self.hint = sentences(sanitized(hint), self.hint)

    def __str__(self) -> str:
        """Return message and hint, as one reads them in a traceback or a log."""
        return f"{self.message} {self.hint}".rstrip()


class WrongInput(EcsCdError):
    """An argument, a file or a setting is wrong; nothing was sent anywhere."""

    reason = "wrong-input"
    exit_code = 2


class InvalidTag(WrongInput):
    """The text is not a Docker image tag."""

    reason = "invalid-tag"


class TagFileError(WrongInput):
    """The tag file is missing, ambiguous, or not what a tag file may be."""

    reason = "tag-file"


class SettingsError(WrongInput):
    """`ecs-cd.yml`, the environment or a flag does not say what is needed."""

    reason = "settings"


class DeliveryFailed(EcsCdError):
    """The delivery was refused or went wrong, and would again."""

    reason = "failed"


class BadCredentials(DeliveryFailed):
    """Credentials are missing, wrong or expired."""

    reason = "bad-credentials"


class AccessDenied(DeliveryFailed):
    """The credentials are valid and a right is missing."""

    reason = "access-denied"


class ImageMissing(DeliveryFailed):
    """The repository or the tag is not in ECR."""

    reason = "image-missing"


class ServiceMissing(DeliveryFailed):
    """There is no such ECS cluster or service, as was seen before anything was changed."""

    reason = "service-missing"


class NothingToPromote(DeliveryFailed):
    """The environment to promote from serves nothing, or not under a tag."""

    reason = "nothing-to-promote"


class ParameterRefused(DeliveryFailed):
    """The parameter is missing, of a kind that cannot hold a tag, or refuses this value."""

    reason = "parameter-refused"


class VersionLimitReached(ParameterRefused):
    """A hundred versions are kept, and the oldest cannot go because it is labelled."""

    reason = "parameter-version-limit"


class NothingVerified(DeliveryFailed):
    """There is no version to roll back to that is known to have served."""

    reason = "nothing-verified"


class PipelineNotFound(DeliveryFailed):
    """No pipeline, or more than one, answers to the given name."""

    reason = "pipeline-not-found"


class QueueRefused(DeliveryFailed):
    """Azure DevOps will not queue the run: no such branch, disabled pipeline, wrong parameters."""

    reason = "queue-refused"


class RunFailed(DeliveryFailed):
    """The run of the infrastructure pipeline failed."""

    reason = "run-failed"


class RunCancelled(DeliveryFailed):
    """Somebody cancelled the run."""

    reason = "run-cancelled"


class RolloutFailed(DeliveryFailed):
    """ECS does not serve the tag and is not going to.

    `of_another`: what failed is not the tag's image, so that there is nothing of it to roll back.
    """

    reason = "rollout-failed"
    of_another = False


class RolledBackByEcs(RolloutFailed):
    """The circuit breaker put the former task definition back."""

    reason = "rolled-back-by-ecs"


class NotApplied(RolloutFailed):
    """The run succeeded and the service still runs something else."""

    reason = "not-applied"


class AnotherImage(RolloutFailed):
    """The service runs the tag, and another image than the one that ECR has under it."""

    reason = "another-image"


class NotServed(RolloutFailed):
    """`verify` saw that the service runs something else, or could not see what it runs."""

    reason = "not-served"


class NothingWaits(DeliveryFailed):
    """No deployment waits for somebody to let it continue."""

    reason = "nothing-waits"


class UnexpectedAnswer(DeliveryFailed):
    """What answered is not the service it should be, or answers otherwise than documented."""

    reason = "unexpected-answer"


class TryLater(EcsCdError):
    """It may pass by itself; the same call later can succeed.

    `after`: seconds the service asked us to wait first (`Retry-After`), 0 when it did not say.
    """

    reason = "try-later"
    retryable = True
    exit_code = 3
    after: float = 0.0


class DeadlineReached(TryLater):
    """The one deadline of the delivery passed."""

    reason = "deadline-reached"


class TooSoon(TryLater):
    """The environment to promote from does not serve the tag long enough yet."""

    reason = "too-soon"


class NotAttempted(TryLater):
    """Another service of the same call could not be delivered, and so nothing was changed."""

    reason = "not-attempted"


class Throttled(TryLater):
    """The service asks for fewer requests."""

    reason = "throttled"


class Unreachable(TryLater):
    """No connection: refused, reset, no such host, TLS, timed out."""

    reason = "unreachable"


class ServiceUnavailable(TryLater):
    """The service answered with a failure of its own (HTTP 5xx)."""

    reason = "service-unavailable"


class Interrupted(EcsCdError):
    """Ctrl-C, or the agent's cancel."""

    reason = "interrupted"
    exit_code = 130
