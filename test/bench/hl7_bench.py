#!/usr/bin/python3
"""Reading HL7 v2, beside other readers, in one run on one processor: Debian's python3-hl7 and npm's @medplum/core. Says what
issue 3 asks for and whether it is so.
   test/bench/hl7_bench.py [--bench build/bench/test/bench/hl7-bench] [--seconds N] [--install]
--install gets the other readers where they are missing: apt-get install python3-hl7, npm install into build/bench/peers.
A reader that is not there is said to be missing; then nothing is said of the ratio.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "build/bench/peers"
MEDPLUM = "@medplum/core@5.2.13"


def messages_of(path):
    data, at, messages = path.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        messages.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return messages


def python_hl7(messages, seconds):
    import hl7

    def text(message):
        try:
            return message.decode("utf-8")
        except UnicodeDecodeError:
            return message.decode("windows-1252", "replace")

    def rate(some):
        rounds, refused, begin, used = 0, 0, time.process_time(), 0.0
        while used < seconds:
            for message in some:
                try:
                    hl7.parse(text(message).replace("\r\n", "\r").replace("\n", "\r"))
                except Exception:  # what it can't read costs it nothing
                    refused += 1
            rounds += 1
            used = time.process_time() - begin
        total = sum(map(len, some))
        return {"bytes_per_second": rounds * total / used, "messages_per_second": rounds * len(some) / used}

    return {"corpus": rate(messages), "small": rate([m for m in messages if len(m) <= 8192])}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bench", default=str(ROOT / "build/bench/test/bench/hl7-bench"))
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--install", action="store_true")
    given = options.parse_args()
    if given.install:
        missing = [p for p, program in (("python3-hl7", None), ("nodejs", "node"), ("npm", "npm"))
                   if (program is None or not shutil.which(program)) and
                   subprocess.run(["dpkg", "-s", p], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0]
        if missing:
            subprocess.run([*([] if os.getuid() == 0 else ["sudo"]), "apt-get", "install", "-y", "--no-install-recommends", *missing], check=True)
        if not (PEERS / "node_modules/@medplum/core").exists():
            PEERS.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "install", "--prefix", str(PEERS), "--no-audit", "--no-fund", MEDPLUM], check=True)

    print(f"load average {os.getloadavg()[0]:.1f}; processor time is measured, of one thread")
    own = subprocess.run([given.bench, "--seconds", str(given.seconds)], stdout=subprocess.PIPE, text=True, check=True).stdout
    print(own, end="")
    ours = {name: (float(m[1]) * 1e6, float(m[2])) for name, m in
            ((name, re.search(rf"^{line} +([\d.]+) MB/s +(\d+) messages/s", own, re.M)) for name, line in
             (("corpus", "complete parse, corpus"), ("small", "complete parse, at most 8 KiB")))}

    peers = {}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "messages")
        subprocess.run([given.bench, "--export", str(file)], check=True)
        try:
            peers["python3-hl7"] = python_hl7(messages_of(file), given.seconds)
        except ImportError:
            print("MISSING python3-hl7: give --install")
        if shutil.which("node") and (PEERS / "node_modules/@medplum/core").exists():
            run = subprocess.run(["node", str(ROOT / "test/bench/hl7_peer.mjs"), str(PEERS), str(file), str(given.seconds)],
                                 stdout=subprocess.PIPE, check=True)
            peers["@medplum/core"] = json.loads(run.stdout)
        else:
            print("MISSING @medplum/core: give --install")
    for name, figures in peers.items():
        for part in ("corpus", "small"):
            f = figures[part]
            label = f"{name}, " + ("corpus" if part == "corpus" else "at most 8 KiB")
            print(f"{label:<44} {f['bytes_per_second'] / 1e6:>8.1f} MB/s {f['messages_per_second']:>9.0f} messages/s")

    large = [(m[1].strip(), float(m[2]), float(m[3])) for m in re.finditer(r"^(10 MB:.{38}) +([\d.]+) ms +([\d.]+) x", own, re.M)]
    counts = [int(n) for n in re.findall(r"^\d+ OBX .* (\d+) allocations", own, re.M)]
    verdicts = [
        ("complete parse of the corpus, MB/s", ours["corpus"][0] / 1e6, ">=", 100),
        ("messages/s, at most 8 KiB", ours["small"][1], ">=", 80_000),
        ("slowest message of 10 MB, ms", max(ms for _, ms, _ in large), "<=", 100),
        ("most memory, times the message", max(times for _, _, times in large), "<=", 4),
        ("allocations more for 2,000 OBX than for 20", counts[-1] - counts[0], "<=", 0),
    ]
    if len(peers) == 2:
        best = {part: max(p[part]["bytes_per_second"] for p in peers.values()) for part in ("corpus", "small")}
        verdicts += [(f"times the best other reader, {part}", ours[part][0] / best[part], ">=", 5) for part in ("corpus", "small")]
    ok = True
    for what, value, sign, bar in verdicts:
        holds = value >= bar if sign == ">=" else value <= bar
        ok = ok and holds
        print(f"{'ok ' if holds else 'NOT'} {what:<44} {value:>12,.1f}  ({sign} {bar:,})")
    return 0 if ok and len(peers) == 2 else 1


if __name__ == "__main__":
    sys.exit(main())
