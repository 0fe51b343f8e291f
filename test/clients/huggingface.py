"""Sends requests with Python clients: reads them as JSON on stdin, writes outcomes as JSON on stdout."""

import json
import sys
from collections.abc import Iterator

import requests
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


def generate(url: str, token: str | None, body: str) -> dict:
    """Returns the answer to a body that requests sends from a generator, in chunks."""

    def pieces() -> Iterator[bytes]:
        yield body[:10].encode()
        yield body[10:].encode()

    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    response = requests.post(url, data=pieces(), headers=headers, timeout=60)
    return {"status": response.status_code, "answer": response.json()}


def outcome(url: str, token: str | None, request: dict) -> dict:
    """Returns what the client's method returns, or the error that it raises. The default method is text_classification."""
    if "generate" in request:
        return generate(url, token, request["generate"])
    client = InferenceClient(model=url, token=token)
    try:
        if method := request.get("method"):
            # Only with the provider's name do these methods exist.
            client = InferenceClient(model=url, token=token, provider="hf-inference")
            return {"returned": getattr(client, method)()}
        elements = client.text_classification(request.pop("text"), **request)
    except HfHubHTTPError as error:
        return {"status": error.response.status_code, "error": error.server_message, "shown": str(error)}
    return {"labels": [{"label": element.label, "score": element.score} for element in elements]}


payload = json.load(sys.stdin)
print(json.dumps([outcome(payload["url"], payload.get("token"), request) for request in payload["requests"]]))
