"""argv to one call each: no command does more than read its flags, call the library and print what comes back."""

from ecs_cd.cli.main import run

__all__ = ["run"]
