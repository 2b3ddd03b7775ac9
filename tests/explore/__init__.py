"""Every way in which deliveries can share runs: the real `next_state` of the protocol, one request at a time, against
every event of Azure DevOps, its agents and people.

A `SteppedDelivery` is a delivery that stops before its next request. It needs no thread: a step of the protocol depends
on nothing but the answers it gets, so it is begun anew, given the answers it had, and one more. The deliveries and the
`AzureState` are values; so is a `SystemState`, and what can become of it is a graph that `explore` walks to its ends:

    .venv/bin/python -m tests.explore --deliveries 2 --lock runLatest --extra-runs 1
"""
