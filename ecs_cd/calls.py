"""What every call of a client has in common: its settings, its connections, its deadline, and who watches it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ecs_cd import arguments
from ecs_cd.connections import Connections
from ecs_cd.errors import DeliveryFailed
from ecs_cd.model.events import CallStarted, Event, Watch, WatchRaised, ending
from ecs_cd.settings import DELIVERY, DeliverySettings, Settings
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline


@dataclass(frozen=True)
class Calls:
    """The settings of a client's calls, the connections they use, and whose clock they wait by."""

    settings: Settings
    connections: Connections
    clock: Clock

    def resolve(
        self,
        function: str,
        service: str,
        environment: str,
        keywords: Mapping[str, object],
        steps: Collection[str] = DELIVERY,
    ) -> DeliverySettings:
        """Return the settings of one service in one environment, for a call of this public function.

        Raises:
            WrongInput: a name or a setting is wrong.
            TypeError: a keyword is no setting.
        """
        arguments.check_keywords(function, keywords)
        arguments.check_place(function, service, environment, self.settings)
        return self.settings.resolve(service, environment, steps=steps, **keywords)

    def resolve_project(
        self, function: str, keywords: Mapping[str, object], steps: Collection[str] = ("project",)
    ) -> DeliverySettings:
        """Return the settings of an Azure DevOps project, for a call that concerns no service.

        Raises:
            WrongInput: a setting is wrong.
            TypeError: a keyword is no setting.
        """
        arguments.check_keywords(function, keywords)
        return self.settings.resolve_project(steps=steps, **keywords)

    def prepared(self, *settings: DeliverySettings) -> Connections:
        """Return the connections for a call that talks to what these settings name.

        Raises:
            WrongInput: the client is closed, or its credentials are not for one of them.
        """
        self.connections.prepare(settings)
        return self.connections

    def begin(self, title: str, settings: DeliverySettings, watch: Watch) -> tuple[Deadline, Watch]:
        """Tell that a call for one service begins, and return its deadline and the watch of its events."""
        about = _about(settings.service, watch)
        about(CallStarted(title, settings.timeout))
        return Deadline.after(settings.timeout, self.clock), about

    def begin_report(self, title: str, settings: DeliverySettings, watch: Watch) -> tuple[Deadline, Watch]:
        """Do as `begin` does, for a call that returns a report: see `begun`."""
        about = begun(CallStarted(title, settings.timeout), _about(settings.service, watch))
        return Deadline.after(settings.timeout, self.clock), about


def begun(first: CallStarted, watch: Watch) -> Watch:
    """Show the first event of a call that returns a report, and return the watch of all others.

    An error of the library or Ctrl-C that `watch` raises at the first event ends the call at the next one, where there
    is a report for it; nothing is sent before that, because a phase begins with an event.
    """
    raised: WatchRaised | KeyboardInterrupt | None = None
    watch = ending(watch)
    try:
        watch(first)
    except (WatchRaised, KeyboardInterrupt) as error:
        raised = error

    def tell(event: Event) -> None:
        if raised:
            raise raised
        watch(event)

    return tell


def _about(service: str, watch: Watch) -> Watch:
    def tell(event: Event) -> None:
        watch(replace(event, service=service))

    return tell


@contextmanager
def watch_of_several(watch: Watch, services: Collection[str]) -> Iterator[Callable[[str], Watch]]:
    """Give the watch of each service of a call, and of each pipeline whose run several of them share.

    `watch` is one that `begun` returned. What it raises on the thread of one service fails its delivery there; if that
    is no error of this library, it is raised again at the end.
    """
    raised: list[Exception] = []

    def watch_of(name: str) -> Watch:
        def tell(event: Event) -> None:
            about = replace(event, service=name) if name in services else replace(event, pipeline=name)
            try:
                watch(about)
            except WatchRaised:
                raise
            except Exception as error:
                raised.append(error)
                failure = DeliveryFailed(f"`watch` raised {type(error).__name__}: {error}")
                raise WatchRaised(failure) from error

        return tell

    yield watch_of
    if raised:
        raise raised[0]
