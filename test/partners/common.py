"""What every partner shares: records under --out, the ready file, scripted faults, the control endpoint."""

import argparse
import http.server
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading


def write_atomic(path, data):
    """Write bytes or text so that a reader sees the former file or the whole new one."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, str):
        data = data.encode("utf-8")
    handle, name = tempfile.mkstemp(prefix="." + path.name, dir=path.parent)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    os.chmod(name, 0o644)
    os.replace(name, path)


def write_json(path, value):
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


class Records:
    """Numbered files `<folder>/<n>-<name>` under the --out folder; goes on counting after a restart."""

    def __init__(self, out, folder):
        self.folder = pathlib.Path(out) / folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        numbers = [p.name.split("-")[0].split(".")[0] for p in self.folder.iterdir()]
        self._next = max([int(n) for n in numbers if n.isdigit()], default=0)

    def number(self):
        with self._lock:
            self._next += 1
            return self._next

    def save(self, number, name, data):
        path = self.folder / f"{number:05d}{name}"
        write_atomic(path, data)
        return path


class Faults:
    """The script of faults: a list of {"times": n, "do": what, "match": text}.

    `next(text)` gives what the coming exchange must do ("" = behave). A step whose `match` is not
    contained in `text` is left for another exchange. `times` -1 means until the script is replaced.
    """

    def __init__(self, known):
        self.known = set(known)
        self._steps = []
        self._lock = threading.Lock()
        self.used = []

    def set(self, steps):
        checked = []
        for step in steps:
            verb = str(step.get("do", "")).split(":")[0]
            if verb not in self.known:
                raise ValueError(f"unknown fault {step.get('do')!r}; known: {', '.join(sorted(self.known))}")
            unknown = set(step) - {"times", "do", "match"}
            if unknown:
                raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
            checked.append({"times": int(step.get("times", 1)), "do": str(step["do"]), "match": step.get("match", "")})
        with self._lock:
            self._steps = checked

    def next(self, text="", only=None):
        with self._lock:
            for step in self._steps:
                if step["match"] not in text or (only is not None and step["do"].split(":")[0] not in only):
                    continue
                if step["times"] > 0:
                    step["times"] -= 1
                    if step["times"] == 0:
                        self._steps.remove(step)
                self.used.append(step["do"])
                return step["do"]
        return ""

    def state(self):
        with self._lock:
            return {"waiting": [dict(s) for s in self._steps], "used": list(self.used)}


class Control:
    """GET /state, POST /script, and one POST per extra command; on its own loopback port."""

    def __init__(self, faults, state, commands=None, port=0):
        commands = commands or {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def _answer(self, code, value):
                body = (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8")
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path == "/state":
                    self._answer(200, {**state(), "faults": faults.state()})
                else:
                    self._answer(404, {"error": "GET /state only"})

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    value = json.loads(body or b"null")
                    if self.path == "/script":
                        faults.set(value or [])
                        self._answer(200, faults.state())
                    elif self.path.lstrip("/") in commands:
                        self._answer(200, commands[self.path.lstrip("/")](value))
                    else:
                        self._answer(404, {"error": "unknown command"})
                except (ValueError, KeyError, TypeError) as problem:
                    self._answer(400, {"error": str(problem)})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def server_arguments(description, default_out):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="loopback port (default: chosen by the system)")
    parser.add_argument("--control-port", type=int, default=0, help="loopback port of the control endpoint")
    parser.add_argument("--ready", metavar="FILE", help="JSON file written once the ports listen")
    parser.add_argument("--out", metavar="DIR", default=default_out, help="where records are kept (default: %(default)s)")
    parser.add_argument("--script", metavar="FILE", help="JSON script of faults to begin with")
    return parser


def load_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def announce(ready, value):
    """Tell the ports: one JSON line on standard output, and the --ready file."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
    if ready:
        write_json(ready, value)


def wait_for_end():
    """Block until SIGTERM or SIGINT."""
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    ended.wait()


def say(text):
    print(text, file=sys.stderr, flush=True)
