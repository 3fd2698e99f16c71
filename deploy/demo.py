#!/usr/bin/python3
"""The demonstration of sgld; deploy/demo builds what it needs and calls it.

Starts a DMP, an MSSanté operator and a hospital record (test/partners), and sgld with its own private PostgreSQL; imports
two legal entities and three sites; registers orders, sends analysers' results, signs the reports as the demonstration
biologists, and shows how each reaches its recipients. With --once it ends after this first round, exit 0 when every letter
is where the scenario wants it; otherwise it goes on until Ctrl-C with a new order and result every few seconds.
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "e2e"))

import first_round  # noqa: E402
import harness  # noqa: E402
from harness import scenario  # noqa: E402

COLUMNS = [("order", "order"), ("results", "results"), ("signed", "signed by"), ("report", "report"), ("DMP", "DMP"),
           ("MSS_PRO", "correspondents"), ("MSS_CITIZEN", "patient"), ("ORU_HOSPITAL", "hospital record")]
SHORT = {"composed, checked": "checked", "not_applicable": "none: closed", "blocked (INS_NOT_QUALIFIED)": "blocked: INS"}
EVERY = 4.0    # seconds between two orders of the living demonstration


class Progress:
    """The way of each order: a table that is drawn again on a terminal, one line per step elsewhere."""

    def __init__(self, numbers):
        self.live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.rows = {number: {} for number in numbers}
        self.drawn = 0
        self.began = time.monotonic()

    def step(self, number, step, text):
        row = self.rows.setdefault(number, {})
        if row.get(step) == text:
            return
        row[step] = text
        if self.live:
            self.draw()
        else:
            name = dict(COLUMNS).get(step, step)
            print(f"{time.monotonic() - self.began:6.1f} s  {number}  {name}: {text}", flush=True)

    def draw(self):
        cells = [["number"] + [title for _, title in COLUMNS]]
        for number, row in self.rows.items():
            cells.append([number] + [SHORT.get(row.get(step, ""), row.get(step, "")) for step, _ in COLUMNS])
        widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
        width = shutil.get_terminal_size().columns
        if self.drawn:
            sys.stdout.write(f"\x1b[{self.drawn}A")
        for line in cells:
            text = "  ".join(cell.ljust(w) for cell, w in zip(line, widths))
            sys.stdout.write("\x1b[2K" + text[:width - 1] + "\n")
        self.drawn = len(cells)
        sys.stdout.flush()


def tell(text):
    print(text, flush=True)


def summary(line, the_round, files, out, running):
    tell("")
    for order in the_round.orders:
        number = order["filler"]
        tell(f"Order {order['number']}, site {order['site']}, here {number}")
        for kind, title in (("cda", "CDA"), ("pdf", "PDF"), ("mail", "mail"), ("dmp", "DMP"), ("dpi", "hospital record")):
            for path in files[number][kind]:
                tell(f"  {title:<16}{os.path.relpath(path)}")
        for letter in the_round.letters.get(number, []):
            if letter["state"] in ("blocked", "not_applicable"):
                tell(f"  {letter['channel']:<16}{letter['state']}: {letter['reason']}")
    tell("")
    for text in first_round.account_lines(first_round.read_account(out / "account.json")):
        tell(text)
    tell("")
    tell(f"Console   http://127.0.0.1:{line.daemon.ready['web']}/" + ("" if running else "   (ends with this command)"))
    tell(f"Logins    {', '.join(sorted(set(harness.BIOLOGIST.values())))} (biologists), lea.technicienne, {harness.OPERATOR}; "
         f"password of all: {harness.PASSWORD}")
    tell(f"Files     {os.path.relpath(out)}: cda, pdf, mail, dmp, dpi, account.json, sgld.log")


def live_on(line, out):
    """A new order and its results every few seconds; every third is left for the person at the console."""
    tell(f"\nA new order every {EVERY:.0f} s; every third waits for your signature in the console. Ctrl-C ends.")
    n = 0
    while True:
        n += 1
        order = scenario.order_after(n)
        line.register(order)
        line.measure(order)
        text = "waits in the console"
        if n % 3:
            status, _ = line.biologist(order["site"]).validate(order["filler"])
            text = "signed" if status == 201 else f"not signed ({status})"
        tell(f"{time.strftime('%H:%M:%S')}  order {order['filler']}, site {order['site']}: {len(order['values'])} results, {text}")
        shutil.copyfile(line.log, out / "sgld.log")
        time.sleep(EVERY)


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="deploy/demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true", help="end after the first round; exit 0 when all is as expected")
    parser.add_argument("--out", metavar="DIR", default=str(ROOT / "build" / "demo" / "out"), help="where the files go (default build/demo/out)")
    parser.add_argument("--sgld", metavar="FILE", default=str(ROOT / "build" / "release" / "daemon" / "sgld"), help="the program")
    parser.add_argument("--keep", action="store_true", help="keep the state folder, to look at it")
    options = parser.parse_args()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupted)
    out = pathlib.Path(options.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    line = None
    try:
        line = harness.Line(options.sgld, keep=options.keep, told=lambda what: tell(f"starting: {what}"))
        tell("importing: 2 legal entities, 3 sites, links, partners, users, correspondents, catalogue")
        line.load()
        tell("rules that help to validate: config/rules.sample.toml, approved by both biologists")
        line.run("rules", "import", harness.CONFIG / "rules.sample.toml")
        for biologist in ("claire.biologiste", "hugo.pharmacien"):
            line.run("rules", "approve", "1", "--login", biologist)
        line.start()
        tell(f"sgld {line.run('version').split()[1]} ready after {line.daemon.ready_after:.1f} s\n")
        progress = Progress([])
        the_round = first_round.Round(line, progress.step)
        progress.rows = {order["number"]: {} for order in the_round.orders}
        the_round.play()
        problems = the_round.check()
        files = the_round.collect(out)
        summary(line, the_round, files, out, running=not options.once)
        took = time.monotonic() - began
        if problems:
            tell(f"\nNOT as expected after {took:.0f} s:")
            for problem in problems:
                tell(f"  {problem}")
        else:
            tell(f"\nEvery letter is where it must be, after {took:.0f} s.")
        if options.once:
            return 1 if problems else 0
        live_on(line, out)
    except KeyboardInterrupt:
        tell("\nending")
        return 130 if options.once else 0
    except harness.Failed as problem:
        print(f"\ndemo: {problem}", file=sys.stderr)
        if line and line.log.exists():
            print("last lines of sgld.log:\n" + line.tail(20), file=sys.stderr)
        return 1
    finally:
        if line:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if line.log.exists():
                shutil.copyfile(line.log, out / "sgld.log")
            line.close()


if __name__ == "__main__":
    sys.exit(main())
