"""Keeps what botocore has read of its data: every command makes a session, which would read and list it anew."""

from __future__ import annotations

import functools

from botocore.loaders import JSONFileLoader, Loader

_load_file = functools.cache(JSONFileLoader().load_file)
_list_services = Loader.list_available_services
_listed: dict[tuple[str, ...], list[str]] = {}


def _list_services_once(loader: Loader, type_name: str) -> list[str]:
    key = (*loader.search_paths, type_name)
    if key not in _listed:
        _listed[key] = _list_services(loader, type_name)
    return _listed[key]


# By setattr: the stubs want the very signatures of what is replaced.
setattr(JSONFileLoader, "load_file", lambda _, path: _load_file(path))  # noqa: B010
setattr(Loader, "list_available_services", _list_services_once)  # noqa: B010
