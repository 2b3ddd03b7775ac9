"""Deliveries that differ from another in a few fields."""

from __future__ import annotations

from dataclasses import fields, replace

from ecs_cd.model.delivery import Delivery, DeliveryOptions, Place

_PLACE = {field.name for field in fields(Place)}
_OPTIONS = {field.name for field in fields(DeliveryOptions)}


def vary(delivery: Delivery, **changes: object) -> Delivery:
    """Return the delivery with other values for fields of its own, of its place or of its options, given by name."""
    place = {name: value for name, value in changes.items() if name in _PLACE}
    options = {name: value for name, value in changes.items() if name in _OPTIONS}
    own = {name: value for name, value in changes.items() if name not in place and name not in options}
    return replace(
        delivery,
        place=replace(delivery.place, **place),  # type: ignore[arg-type]  # fields by name
        options=replace(delivery.options, **options),  # type: ignore[arg-type]  # likewise
        **own,  # type: ignore[arg-type]  # likewise
    )
