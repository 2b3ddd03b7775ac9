"""The `ecs-cd` command; `python -m ecs_cd` does the same."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from ecs_cd.cli import run  # noqa: PLC0415 - `import ecs_cd.__main__` alone must cost nothing

    raise SystemExit(run())


if __name__ == "__main__":
    main()
