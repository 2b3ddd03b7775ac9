"""A client of one AWS service whose errors leave as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from ecs_cd.aws.errors import map_error
from ecs_cd.errors import EcsCdError

C = TypeVar("C")


@dataclass(frozen=True)
class ServiceClient(Generic[C]):
    """A client of a service. `client` builds boto3's at the first call; `region` is known only then."""

    client: Callable[[], C]
    region: Callable[[], str]

    @contextmanager
    def calling(self, doing: str, *, quote: bool = True) -> Iterator[C]:
        """Lend boto3's client; an error meanwhile is raised as one of ours: "Cannot `doing` (region): ...".

        `quote=False` keeps AWS's own text out of the message, for a request that carries a secret: AWS repeats
        refused values.
        """
        try:
            yield self.client()
        except EcsCdError:
            raise
        except Exception as error:
            ours = map_error(error, doing, self.region(), quote=quote)
            if ours is None:
                raise
            # The original may hold what must not be shown: a refused signature's text repeats the session token.
            raise ours from None
