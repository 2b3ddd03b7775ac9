"""The REST API: routes, requests, the JSON of answers, and the server that has it all."""
