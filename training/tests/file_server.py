"""An HTTP server of files in memory. It can cut answers off, and knows the Range header."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class FileServer:
    """files: content by path without its first slash. cuts: how many bytes each of the next answers sends. ranges: whether it resumes."""

    files: dict[str, bytes]
    address: str = ""
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, and the Range header


@contextmanager
def serve(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Serve files on a free port while the block runs."""
    server = FileServer(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, wanted = self.path.removeprefix("/"), self.headers["Range"]
            server.requests.append((path, wanted))
            content = server.files.get(path)
            if content is None:
                self.send_error(404)
                return
            found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
            start = int(found[1]) if found and server.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = start + server.cuts.pop(0) if server.cuts else len(content)
            self.wfile.write(content[start:end])

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        server.address = f"http://127.0.0.1:{httpd.server_port}"
        Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        httpd.shutdown()
