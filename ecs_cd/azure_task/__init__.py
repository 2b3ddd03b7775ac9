"""The library's side of the Azure Pipelines task `EcsCd@1`; `task/README.md` is the contract with the Node side.

`main` takes one request out of the environment (`request`), reads its inputs (`inputs`), finds out where on which agent
it runs (`agent`), reaches the clouds as the agent would (`network`, `credentials`, `oidc`), carries the command out
(`commands`) and leaves a result file (`ending`, `summary`). Only `main` writes that file.
"""
