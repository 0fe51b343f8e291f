"""Sends requests with huggingface_hub's client: reads them as JSON on stdin, writes outcomes as JSON on stdout."""

import json
import sys

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


def outcome(url: str, token: str | None, request: dict) -> dict:
    """Returns the labels of a response, or the error that the client raises."""
    client = InferenceClient(model=url, token=token)
    try:
        elements = client.text_classification(request.pop("text"), **request)
    except HfHubHTTPError as error:
        return {"status": error.response.status_code, "error": error.server_message, "shown": str(error)}
    return {"labels": [{"label": element.label, "score": element.score} for element in elements]}


payload = json.load(sys.stdin)
print(json.dumps([outcome(payload["url"], payload.get("token"), request) for request in payload["requests"]]))
