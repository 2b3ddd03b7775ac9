from __future__ import annotations

import pytest
import requests

from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import pipeline

BUILDS = "0cd358e1-9217-4d94-8269-1c1ee6f93dcf"


def test_options_lists_the_locations_all_or_of_one_area(serve: Serve) -> None:
    api = serve()
    rows = requests.options(f"{api.server.url}/_apis", auth=("", api.secret), timeout=20).json()
    assert rows["count"] == len(rows["value"]) > 15
    row = next(row for row in rows["value"] if row["id"] == BUILDS)
    assert row["routeTemplate"] == "{project}/_apis/build/{resource}/{buildId}"
    assert (row["minVersion"], row["maxVersion"], row["releasedVersion"]) == ("1.0", "7.2", "7.1")
    some = requests.options(f"{api.server.url}/_apis/pipelines", auth=("", api.secret), timeout=20).json()
    assert {row["area"].lower() for row in some["value"]} == {"pipelines"}


def test_resource_areas_live_under_the_organization(serve: Serve) -> None:
    api = serve()
    url = f"{api.server.url}/_apis/ResourceAreas"
    areas = requests.get(url, auth=("", api.secret), timeout=20).json()["value"]
    assert {area["locationUrl"] for area in areas} == {f"{api.server.url}/"}
    one = requests.get(f"{url}/{areas[0]['id'].upper()}", auth=("", api.secret), timeout=20).json()
    assert one == areas[0]


def test_connection_data_says_who_is_calling(serve: Serve) -> None:
    api = serve()
    data = requests.get(f"{api.server.url}/_apis/connectionData", auth=("", api.secret), timeout=20).json()
    assert data["authenticatedUser"]["providerDisplayName"] == "Ann Example"
    assert data["instanceId"]


def test_the_project_is_found_by_name_and_by_id_in_any_letter_case(serve: Serve) -> None:
    api = serve(pipeline())
    listed = requests.get(f"{api.server.url}/_apis/projects", auth=("", api.secret), timeout=20).json()["value"]
    for name in ("platform", "Platform", listed[0]["id"], listed[0]["id"].upper()):
        project = requests.get(f"{api.server.url}/_apis/projects/{name}", auth=("", api.secret), timeout=20).json()
        assert (project["name"], project["id"]) == ("platform", listed[0]["id"])
        assert api.json("GET", "build/builds", project=name)["count"] == 0


def test_routes_and_enumerations_have_no_letter_case(serve: Serve) -> None:
    api = serve(pipeline())
    run = api.run()
    api.server.wait(run)
    assert api.json("GET", f"BUILD/Builds/{run}")["id"] == run
    assert api.json("GET", f"Build/builds/{run}/TIMELINE")["records"]
    assert api.ids(statusFilter="COMPLETED,inprogress", queryOrder="QUEUETIMEASCENDING") == [run]


def test_an_unknown_project_is_named_in_the_refusal(serve: Serve) -> None:
    response = serve()("GET", "build/builds", project="nowhere")
    assert (response.status_code, response.json()["typeKey"]) == (404, "ProjectDoesNotExistWithNameException")
    assert response.json()["message"].startswith("TF200016: The following project does not exist: nowhere.")


def test_an_unknown_route_is_answered_in_plain_text(serve: Serve) -> None:
    response = serve()("GET", "nonsense/things")
    assert (response.status_code, response.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "was not found or does not implement IController" in response.text
    assert response.headers["X-TFS-ServiceError"].startswith("The%20controller")


def test_another_organization_is_not_served(serve: Serve) -> None:
    api = serve()
    url = api.server.url.replace("/sandbox", "/elsewhere")
    assert requests.get(f"{url}/_apis/projects", auth=("", api.secret), timeout=20).status_code == 404


def test_a_method_a_resource_does_not_know_is_refused(serve: Serve) -> None:
    response = serve(pipeline())("DELETE", "build/definitions/12")
    assert (response.status_code, response.json()["message"][-9:]) == (405, "'DELETE'.")


@pytest.mark.parametrize("version", ["7.1", "7.1-preview.7", "7.2-preview", "6.0", "1.0"])
def test_the_version_is_taken_from_query_or_accept_and_echoed(serve: Serve, version: str) -> None:
    api = serve()
    by_query = api("GET", "build/builds", params={"api-version": version})
    accept = {"Accept": f"application/json;api-version={version}"}
    by_accept = api("GET", "build/builds", params={"api-version": ""}, headers=accept)
    echoed = f"application/json; charset=utf-8; api-version={version}"
    assert [by_query.headers["content-type"], by_accept.headers["content-type"]] == [echoed, echoed]


@pytest.mark.parametrize(
    ("version", "type_key"),
    [
        ("", "VssVersionNotSpecifiedException"),
        ("9.9", "VssVersionOutOfRangeException"),
        ("7.2", "VssInvalidPreviewVersionException"),
        ("7.1-preview.99", "VssVersionOutOfRangeException"),
        ("newest", "VssInvalidApiResourceVersionException"),
    ],
)
def test_a_change_needs_a_version_the_resource_has(serve: Serve, version: str, type_key: str) -> None:
    response = serve(pipeline())("POST", "pipelines/12/runs", params={"api-version": version}, json={})
    assert (response.status_code, response.json()["typeKey"]) == (400, type_key)


def test_a_version_error_is_worded_as_the_service_words_it(serve: Serve) -> None:
    api = serve(pipeline())
    missing = api("POST", "pipelines/12/runs", params={"api-version": ""}, json={}).json()["message"]
    assert missing.startswith('No api-version was supplied for the "POST" request.')
    beyond = api("GET", "build/builds", params={"api-version": "9.9"}).json()["message"]
    assert "version of 9.9 is out of range for this server" in beyond
    preview = api("GET", "build/builds", params={"api-version": "7.2"}).json()["message"]
    assert preview.endswith('For example: "7.2-preview"')


def test_a_read_without_a_version_gets_the_latest_released_one(serve: Serve) -> None:
    api = serve()
    response = api("GET", "build/builds", params={"api-version": ""})
    assert response.headers["content-type"].endswith("api-version=7.1")
    areas = requests.get(f"{api.server.url}/_apis/ResourceAreas", auth=("", api.secret), timeout=20)
    assert areas.headers["content-type"].endswith("api-version=7.2-preview.1")


def test_an_error_has_the_envelope_the_tracing_headers_and_no_version(serve: Serve) -> None:
    response = serve()("GET", "build/builds/999")
    assert response.status_code == 404
    assert response.json() == {
        "$id": "1",
        "innerException": None,
        "message": "The requested build 999 could not be found.",
        "typeName": "Microsoft.TeamFoundation.Build.WebApi.BuildNotFoundException, "
        "Microsoft.TeamFoundation.Build2.WebApi",
        "typeKey": "BuildNotFoundException",
        "errorCode": 0,
        "eventId": 3000,
    }
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["activityid"]
    assert response.headers["x-vss-e2eid"]


def test_links_use_the_host_and_scheme_the_client_used(serve: Serve) -> None:
    api = serve(pipeline())
    headers = {"Host": "azure.example:8443", "X-Forwarded-Proto": "https"}
    pipelines = api("GET", "pipelines", headers=headers).json()["value"]
    assert pipelines[0]["url"].startswith("https://azure.example:8443/sandbox/")
    assert api("GET", "pipelines").json()["value"][0]["url"].startswith(f"{api.server.url}/")


def test_a_body_that_is_not_json_is_refused(serve: Serve) -> None:
    response = serve(pipeline())("POST", "pipelines/12/runs", data=b"{")
    assert response.status_code == 400
