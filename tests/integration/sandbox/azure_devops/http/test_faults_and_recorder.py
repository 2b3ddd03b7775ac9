from __future__ import annotations

import threading

import pytest
import requests

from tests.support.sandbox_api import ANN_TOKEN, Serve
from tests.support.sandbox_pipelines import pipeline


def test_an_answer_is_given_to_the_next_matching_requests_only(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.answer("GET", r"/build/builds$", status=503, headers={"Retry-After": "7"}, body="busy", times=2)
    other = api("GET", "build/definitions")
    answers = [api("GET", "build/builds") for _ in range(3)]
    assert other.status_code == 200
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert (answers[0].headers["Retry-After"], answers[0].text) == ("7", "busy")


def test_an_answer_can_hide_that_the_request_was_processed(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.answer("POST", "/runs", status=500, body={"message": "oops"}, processed=True)
    assert api("POST", "pipelines/12/runs", json={}).json() == {"message": "oops"}
    api.server.faults.answer("POST", "/runs", status=500)
    assert api("POST", "pipelines/12/runs", json={}).status_code == 500
    assert api.ids() == [1]


@pytest.mark.parametrize(("processed", "builds"), [(False, []), (True, [1])])
def test_a_connection_is_dropped_before_or_after_the_request_is_processed(
    serve: Serve, builds: list[int], *, processed: bool
) -> None:
    api = serve(pipeline())
    api.server.faults.reset("POST", "/runs", processed=processed)
    with pytest.raises(requests.ConnectionError):
        api("POST", "pipelines/12/runs", json={})
    assert api.ids() == builds
    assert [exchange.status for exchange in api.server.recorder.find("POST")] == [None]


def test_truncated_json_cannot_be_read(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.truncate("*", "definitions")
    response = api("GET", "build/definitions")
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert api.server.recorder.exchanges[-1].response_json is None


def test_being_throttled_looks_as_the_service_makes_it_look(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.throttle("GET", "builds", retry_after=3)
    response = api("GET", "build/builds")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")
    assert response.headers["X-RateLimit-Remaining"] == "0"
    assert response.json()["message"].startswith("TF400733: The request has been canceled")


def test_being_asked_to_slow_down_comes_with_a_good_answer(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.slow_down("GET", "builds", retry_after=2)
    response = api("GET", "build/builds")
    assert (response.status_code, response.headers["Retry-After"]) == (200, "2")
    assert "X-RateLimit-Delay" in response.headers


def test_a_delayed_answer_is_the_usual_one(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.delay("GET", "builds", seconds=0.01)
    assert api.json("GET", "build/builds")["count"] == 0


def test_a_held_request_waits_for_the_test_and_others_do_not(serve: Serve) -> None:
    api = serve(pipeline())
    held = api.server.faults.hold("POST", "/runs")
    runs: list[int] = []
    thread = threading.Thread(target=lambda: runs.append(api.run()))
    thread.start()
    assert held.arrived.wait(20)
    assert api.ids() == []
    held.release.set()
    thread.join(20)
    assert api.ids() == runs == [1]


def test_closing_lets_held_requests_go(serve: Serve) -> None:
    api = serve(pipeline())
    held = api.server.faults.hold("GET", "builds", processed=True)
    done: list[object] = []

    def ask() -> None:
        try:
            done.append(api("GET", "build/builds").status_code)
        except requests.ConnectionError as error:
            done.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert held.arrived.wait(20)
    api.server.close()
    thread.join(20)
    assert done


def test_cleared_faults_do_not_come(serve: Serve) -> None:
    api = serve(pipeline())
    api.server.faults.answer("*", "", status=503, times=9)
    api.server.faults.clear()
    assert api("GET", "build/builds").status_code == 200


def test_the_recorder_has_requests_and_answers_but_no_credentials(serve: Serve) -> None:
    api = serve(pipeline())
    body: dict[str, object] = {"templateParameters": {}}
    api("POST", "pipelines/12/runs", json=body)
    exchange = api.server.recorder.exchanges[-1]
    assert (exchange.method, exchange.path) == ("POST", "/sandbox/platform/_apis/pipelines/12/runs")
    assert (exchange.query, exchange.request_json, exchange.status) == ({"api-version": "7.1"}, body, 200)
    assert exchange.response_json["id"] == 1
    assert exchange.request_headers["x-tfs-fedauthredirect"] == "Suppress"
    assert ANN_TOKEN.secret not in repr(exchange)
    assert "authorization" not in exchange.request_headers


def test_recorded_requests_are_found_and_forgotten(serve: Serve) -> None:
    api = serve(pipeline())
    api.run()
    api("GET", "build/builds")
    recorder = api.server.recorder
    assert [len(recorder.find("POST")), len(recorder.find("get", "BUILDS$")), len(recorder.find())] == [1, 1, 2]
    recorder.clear()
    assert recorder.exchanges == []
