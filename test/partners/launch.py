"""Starts and stops partners' processes; for the self-test, the demonstration and the e2e tests."""

import json
import pathlib
import signal
import subprocess
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


class Partner:
    """One partner: started with its ready file, driven through its control port, ended by SIGTERM.

    script: "dmp.py", "dpi.py" or "mail_operator.py"; out: where it keeps its records; arguments: as on the command line.
    `ready` is the content of the ready file. Raises RuntimeError with the partner's log when it does not start.
    """

    def __init__(self, script, out, *arguments, wait=30.0):
        self.out = pathlib.Path(out)
        self.out.mkdir(parents=True, exist_ok=True)
        name = script.split(".")[0]
        self.ready_file = self.out / f"{name}.ready.json"
        self.ready_file.unlink(missing_ok=True)
        self.log_file = self.out / f"{name}.log"
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([str(HERE / script), "--ready", str(self.ready_file), "--out", str(self.out),
                                             *map(str, arguments)], stdout=log, stderr=log)
        limit = time.monotonic() + wait
        while not self.ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise RuntimeError(f"{script} did not start:\n{self.log_file.read_text()}")
            time.sleep(0.02)
        self.ready = json.loads(self.ready_file.read_text())

    def post(self, command, value):
        """A command of the control port: "script", "config" (DMP), "mailboxes", "rules" (mail)."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ready['control_port']}/{command}",
                                         json.dumps(value).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def script(self, *steps):
        return self.post("script", list(steps))

    def state(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ready['control_port']}/state", timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
