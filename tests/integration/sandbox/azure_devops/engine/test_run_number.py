from __future__ import annotations

from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import nothing, pipeline, stage


def test_a_run_has_the_number_its_pipeline_gives_it(serve: Serve) -> None:
    variables = {"major": "2"}
    api = serve(pipeline(run_name="$(Build.DefinitionName)-$(major).$(Rev:r)", variables=variables))
    names = [api.build(api.run())["buildNumber"] for _ in range(2)]
    assert names == ["deploy-2.1", "deploy-2.2"]


def test_a_number_that_no_run_may_have_is_told_to_whoever_queues_it(serve: Serve) -> None:
    api = serve(pipeline(stages=(stage("A", nothing),), run_name="a/b"))
    response = api("POST", "build/builds", json={"definition": {"id": 12}})
    assert response.status_code == 400
    assert "The run name 'a/b' is not valid" in response.json()["customProperties"]["ValidationResults"][0]["message"]
