"""Writes a trained task with its profiles to a running Worker, as `xpeft push --url` does."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from email.message import Message
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from xpeft.errors import BadValue, UnreachableWorker, WorkerProblem

# How often a request is sent to a busy Worker, and the statuses of a busy Worker.
MAX_TRIES = 20
BUSY = (429, 503)
# Lines a request. The Worker answers while it still reads, and few answers fit into the buffers on the way.
LINES_A_REQUEST = 5000


class Pushed(NamedTuple):
    """The result of a push: the task's generation, and how many profiles are new, replaced and unchanged."""

    generation: int
    created: int
    replaced: int
    unchanged: int


class Worker:
    """A Worker at an address. key: an API key, if its routes need one."""

    def __init__(self, url: str, key: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadValue(f"{url!r} is not the address of a Worker", "Give an address such as https://xpeft-edge.ACCOUNT.workers.dev.")
        self.url, self.key = url.rstrip("/"), key

    def push(self, name: str, task: bytes, profiles: Sequence[bytes], replace: bool) -> Pushed:
        """Write a task and its profiles. task: a `task.json`. profiles: lines of a `profiles.ndjson`.

        replace: whether existing profiles are deleted if they were learnt with another head.
        Raises UnreachableWorker, or WorkerProblem with the Worker's code and hint; lines that fail do not stop the others.
        """
        try:
            written = self.write_task(name, task, "keep")
        except WorkerProblem as error:
            # Tried without deleting first: profiles that fit the head stay even with `replace`.
            if not (replace and error.code == "task_has_profiles"):
                raise
            written = self.write_task(name, task, "delete")
        outcomes: Counter[str] = Counter()
        failed: list[tuple[int, dict[str, Any]]] = []
        for start in range(0, len(profiles), LINES_A_REQUEST):
            for answer in self.import_lines(name, profiles[start : start + LINES_A_REQUEST], written):
                outcomes[answer["status"]] += 1
                if answer["status"] == "failed":
                    failed.append((start + answer["line"], answer["error"]))
        if failed:
            line, problem = failed[0]
            raise problem_error(problem, f"{len(failed):,} of {len(profiles):,} profiles failed; the first is in line {line}: ")
        return Pushed(written, outcomes["created"], outcomes["replaced"], outcomes["unchanged"])

    def write_task(self, name: str, task: bytes, existing: str) -> int:
        """Write a task, and return its generation. existing: "keep" or "delete", for profiles that do not fit."""
        body = self.send("PUT", f"/v1/tasks/{name}?profiles={existing}", task, {"content-type": "application/json"})
        return int(json.loads(body)["generation"])

    def import_lines(self, name: str, lines: Sequence[bytes], generation: int) -> list[dict[str, Any]]:
        """Write profiles if the task is still at a generation, and return the answer for each line."""
        headers = {"content-type": "application/x-ndjson", "if-match": f'"{generation}"'}
        body = self.send("POST", f"/v1/tasks/{name}/import", b"".join(line + b"\n" for line in lines), headers)
        answers = [json.loads(line) for line in body.splitlines()]
        last = answers.pop() if answers else {}
        if "error" in last and len(last) == 1:
            raise problem_error(last["error"])
        if "done" not in last:
            raise UnreachableWorker(f"{self.url} closed the connection during the import", "Push again; that creates no duplicates.")
        return answers

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return the body of the answer to a request. Retries while the Worker is busy, after the time that it says."""
        authorization = {"authorization": f"Bearer {self.key}"} if self.key else {}
        for tries in range(1, MAX_TRIES + 1):
            # The constructor checks the scheme.
            request = Request(self.url + path, data=body, method=method, headers={**headers, **authorization})  # noqa: S310
            try:
                with urlopen(request) as answer:  # noqa: S310
                    self.check_origin(answer.status, answer.headers)
                    found: bytes = answer.read()
                    return found
            except HTTPError as error:
                self.check_origin(error.code, error.headers)
                problem = json.loads(error.read())
                seconds = float(error.headers.get("retry-after", 0))
                if error.code not in BUSY or not seconds or tries == MAX_TRIES:
                    raise problem_error(problem) from None
                time.sleep(seconds)
            except (OSError, HTTPException) as error:
                hint = "Check the address, and that the Worker runs: `npm start` serves one on http://localhost:8787."
                raise UnreachableWorker(f"{self.url} cannot be reached: {error}", hint) from error
        raise AssertionError("the last try returns or raises")

    def check_origin(self, status: int, headers: Message) -> None:
        """Raise UnreachableWorker if an answer is not of a Worker: a proxy's error page, or another server's."""
        is_problem = headers.get_content_type() == "application/problem+json"
        if not headers.get("x-request-id") or (status >= 400 and not is_problem):
            problem = f"{self.url} answered with status {status}, but is no Worker of xpeft"
            raise UnreachableWorker(problem, "Check the address of the Worker.")


def problem_error(problem: Mapping[str, Any], prefix: str = "") -> WorkerProblem:
    """Return the error for a Worker's problem details (docs/errors.md)."""
    return WorkerProblem(prefix + problem["detail"], problem["hint"], problem["code"], problem["status"])
