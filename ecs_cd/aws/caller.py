"""One AWS service as the adapters use it: its client, and the words for what goes wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from ecs_cd.aws.errors import translated
from ecs_cd.errors import EcsCdError

C = TypeVar("C")


@dataclass(frozen=True)
class Caller(Generic[C]):
    """The way to a service. `client` builds its client at the first call; `region` is known only then."""

    client: Callable[[], C]
    region: Callable[[], str]

    @contextmanager
    def asking(self, doing: str, *, quote: bool = True) -> Iterator[C]:
        """Lend the client; what goes wrong meanwhile leaves as one of our errors: "Cannot `doing` (region): ...".

        `quote=False` keeps AWS's own words out of the message, for a request that carries a secret: AWS repeats
        refused values.
        """
        try:
            yield self.client()
        except EcsCdError:
            raise
        except Exception as error:
            ours = translated(error, doing, self.region(), quote=quote)
            if ours is None:
                raise
            # The original may hold what must not be shown: a refused signature's text repeats the session token.
            raise ours from None
