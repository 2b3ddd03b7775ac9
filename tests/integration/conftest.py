"""Tests here may start servers and use the real SDKs."""

from __future__ import annotations

from tests.support.servers import aws, aws_server, terraform

__all__ = ["aws", "aws_server", "terraform"]
