from __future__ import annotations

from tests.support.standard_task_steps import refusal


def test_inputs_a_source_needs_are_asked_for_before_the_run() -> None:
    message = refusal("DownloadPipelineArtifact@2", {"source": "specific"})
    assert "needs the input project" in message and "needs the input pipeline" in message
