"""Keeps the models of AWS's services once they are read: every command makes a session, which would read them anew."""

from __future__ import annotations

import functools

from botocore.loaders import JSONFileLoader

_load_file = functools.cache(JSONFileLoader().load_file)
setattr(JSONFileLoader, "load_file", lambda _, path: _load_file(path))  # noqa: B010 - the stubs want its very signature
