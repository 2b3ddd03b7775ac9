"""The version, the one place that says it; `python -m ecs_cd.version` prints it."""

VERSION = "0.1.0"

if __name__ == "__main__":
    print(VERSION)  # noqa: T201 - for the Makefile
