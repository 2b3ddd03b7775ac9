"""`python -m ecs_cd_sandbox`: the sandbox alone, for any other tool."""

from __future__ import annotations

from ecs_cd_sandbox.cli import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m ecs_cd_sandbox")
