"""Asks a service by huggingface_hub's client: requests in as JSON on stdin, outcomes out as JSON on stdout."""

import json
import sys

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


def outcome(url: str, token: str | None, request: dict) -> dict:
    """Gives the labels that a request is answered by, or the error that it raises."""
    client = InferenceClient(model=url, token=token)
    try:
        elements = client.text_classification(request.pop("text"), **request)
    except HfHubHTTPError as error:
        return {"status": error.response.status_code, "error": error.server_message, "shown": str(error)}
    return {"labels": [{"label": element.label, "score": element.score} for element in elements]}


payload = json.load(sys.stdin)
print(json.dumps([outcome(payload["url"], payload.get("token"), request) for request in payload["requests"]]))
