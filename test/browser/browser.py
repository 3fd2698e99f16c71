"""Debian's Chromium for tests: a node process (driver.mjs) that playwright-core lets drive it, spoken to by lines of JSON.

    with Browser(port) as browser:
        claire = browser.tab()
        claire.goto("/connexion")
        claire.press("Tab", "Enter")

`ready()` says whether everything is installed; the tests skip loudly without it, and fail with CI=true.
"""

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "build" / "browser"
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness  # noqa: E402


def missing():
    """What the browser tests want and is not there, in words; empty when all is."""
    wanted = [f"{program}" for program in ("chromium", "node") if not shutil.which(program)]
    if not (MODULES / "installed.json").exists():
        wanted.append("npm packages (test/browser/install)")
    return ", ".join(wanted)


def ready():
    """True when the tests can run. Else says loudly that they do not, and fails where CI=true."""
    absent = missing()
    if not absent:
        return True
    text = f"\n*** BROWSER TESTS SKIPPED: missing {absent} ***\n"
    if os.environ.get("CI") == "true":
        raise harness.Failed(text)
    print(text, file=sys.stderr)
    return False


class Tab:
    """One browser window with cookies of its own. Every verb of driver.mjs is a method."""

    def __init__(self, browser, name, **how):
        self.browser, self.name = browser, name
        self.open(how)

    def __getattr__(self, verb):
        return lambda *args: self.browser.call(self.name, verb, *args)

    def sign_in(self, login, password=harness.PASSWORD):
        """As a person with a keyboard does it."""
        self.goto("/connexion")
        self.wait("#identifiant:focus")
        self.type(login)
        self.press("Tab")
        self.type(password)
        self.press("Enter")
        self.waitPath("/dossiers" if login != harness.OPERATOR else "/envois")
        return self


class Browser:
    def __init__(self, port):
        self.process = subprocess.Popen(["node", str(HERE / "driver.mjs"), str(MODULES), shutil.which("chromium"), f"http://127.0.0.1:{port}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.names = itertools.count(1)
        self.version = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise harness.Failed("the browser has gone")
        answer = json.loads(line)
        if "error" in answer:
            raise harness.Failed(answer["error"])
        return answer["value"]

    def call(self, tab, verb, *args):
        self.process.stdin.write(json.dumps({"tab": tab, "verb": verb, "args": args}) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def tab(self, **how):
        return Tab(self, f"tab{next(self.names)}", **how)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
