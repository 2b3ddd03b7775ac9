"""`python -m ecs_cd.azure_task`: what the task's Node side starts."""

from __future__ import annotations


def main() -> None:
    """Carry out the request in the environment and end the process."""
    from ecs_cd.azure_task.main import run  # noqa: PLC0415 - importing this module alone must cost nothing

    raise SystemExit(run())


if __name__ == "__main__":
    main()
