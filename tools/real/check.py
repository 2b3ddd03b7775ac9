"""Settles the facts one after the other; what keeps one from being settled keeps no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from botocore.exceptions import BotoCoreError, ClientError

from tools.real import images, parameter_store, runs, services
from tools.real.facts import FACTS, Fact, Found, Need, NotSettled, Row, Verdict
from tools.real.settings import Settings
from tools.real.world import World

MODULES = (parameter_store, images, services, runs)
"""Importing them registers their facts."""


def settle_all(
    world: World, settings: Settings, facts: Iterable[Fact] | None = None, say: Callable[[str], None] = lambda _: None
) -> list[Row]:
    """Return a row for each fact, in the order in which they are registered."""
    rows = []
    for each in FACTS.values() if facts is None else facts:
        say(f"{each.name} ...")
        rows.append(_settle(each, world, settings))
    return rows


def _settle(fact: Fact, world: World, settings: Settings) -> Row:
    if not _configured(fact.need, settings):
        return Row(fact, Verdict.OPEN, f"set {fact.need.value}")
    try:
        found = fact.settle(world)
    except NotSettled as error:
        return Row(fact, Verdict.OPEN, str(error))
    except (BotoCoreError, ClientError) as error:
        return Row(fact, Verdict.OPEN, f"{type(error).__name__}: {error}")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return Row(fact, Verdict.OPEN, f"the answer has not the documented shape ({type(error).__name__}: {error})")
    return Row(fact, _verdict(found), found.text)


def _verdict(found: Found) -> Verdict:
    if found.expected is None:
        return Verdict.SETTLED
    return Verdict.EXPECTED if found.expected else Verdict.DIFFERS


def _configured(need: Need, settings: Settings) -> bool:
    azure = settings.azure
    return {
        Need.AWS: bool(settings.region),
        Need.AZURE: azure is not None,
        Need.DISABLED: bool(azure and azure.disabled_pipeline),
        Need.RESTRICTED: bool(azure and azure.restricted_pat),
    }[need]
