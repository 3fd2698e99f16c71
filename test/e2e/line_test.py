#!/usr/bin/python3
"""The whole first round as the demonstration plays it, then the command line on it, the official checks of every document,
and that nothing personal is in any log. Wants SGLD = the program; SGL_SHARED for the official rules.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import first_round  # noqa: E402
import harness  # noqa: E402
from harness import scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
JARS = ["preflight", "pdfbox2", "fontbox2", "xmpbox", "commons-logging", "javax.activation", "jaxb-api"]
# Values that stand nowhere else: seen in a log, they came from a patient's result.
VALUES = {"GLU": "47.83", "CREA": "23421"}
SPOKEN = "Urines claires, jaune pâle, sans dépôt"


class Line(unittest.TestCase):
    """Tests in the order of their numbers, on one running line."""

    @classmethod
    def setUpClass(cls):
        # Where the official kit is, every report also passes its rules inside the daemon before it is published (design D6).
        kit = harness.SHARED / "ans"
        cls.line = harness.Line(SGLD, settings={"cda": {"official_kit": kit}} if (kit / "schematrons").exists() else None)
        cls.addClassCleanup(cls.line.close)
        cls.imported = cls.line.load()
        cls.line.start()
        cls.round = first_round.Round(cls.line)
        cls.round.play(limit=120)
        cls.printed = []    # what commands printed: no canary in it

    def sgld(self, *arguments, code=0):
        done = self.line.command(*arguments)
        self.assertEqual(done.returncode, code, f"sgld {arguments}: {done.stdout}{done.stderr}")
        self.printed.append(("sgld " + " ".join(map(str, arguments))[:40], done.stdout + done.stderr))
        return done

    def letters(self, number):
        return [x for x in json.loads(self.sgld("letters", "list", "--json").stdout) if x["order"] == number]

    def one_letter(self, number, channel, *states, limit=60.0):
        seen = []

        def found():
            seen[:] = [x for x in self.letters(number) if x["channel"] == channel]
            return seen[0] if len(seen) == 1 and seen[0]["state"] in states else None
        try:
            return harness.wait_until(f"{channel} of {number} {states}", found, limit, 0.3)
        except harness.Failed as problem:
            raise AssertionError(f"{problem}: {seen}") from None

    def act(self, verb, letter, *why):
        """A person's act; again when the letter was on its way just then."""
        def done():
            tried = self.line.command("letters", verb, letter["id"], *why)
            return tried.returncode == 0
        harness.wait_until(f"letters {verb}", done, 30, 0.5)

    # -- (a) the round ------------------------------------------------------------------------------------------

    def test_1_every_letter_ends_where_the_scenario_wants_and_each_partner_has_each_report_once(self):
        problems = self.round.check()
        self.assertEqual(problems, [], "\n".join(problems))

    def test_2_the_files_of_the_demonstration_are_complete(self):
        out = pathlib.Path(tempfile.mkdtemp(prefix="sgld-out-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(out)])
        files = self.round.collect(out)
        self.assertEqual(len(files), len(self.round.orders))
        for order in self.round.orders:
            mine = files[order["filler"]]
            self.assertEqual((len(mine["cda"]), len(mine["pdf"])), (1, 1))
            self.assertEqual(len(mine["dmp"]), int(order["expected"]["dmp"] == "accepted"), order["number"])
            self.assertEqual(len(mine["dpi"]), int("dpi" in order["expected"]), order["number"])
        account = json.loads((out / "account.json").read_text())
        self.assertEqual(sum(site["reports"] for site in account["sites"]), len(self.round.orders))
        self.assertEqual(sum(site["with_qualified_ins"] for site in account["sites"]), len(self.round.orders) - 1)
        fed = sum(site["channels"].get("DMP", {}).get("accepted", 0) for site in account["sites"])
        self.assertEqual(fed, sum(o["expected"]["dmp"] == "accepted" for o in self.round.orders))

    # -- (f) official rules -------------------------------------------------------------------------------------

    def test_3_every_cda_passes_the_official_rules_and_ours(self):
        tool = harness.SHARED / "tools" / "validate-crbio"
        if not tool.exists():
            if os.environ.get("CI") == "true":
                self.fail(f"{tool} is not there: set SGL_SHARED")
            print(f"\n*** {tool} absent: NO CDA IS CHECKED against the official rules ***", file=sys.stderr)
            self.skipTest("SGL_SHARED absent")
        files = [str(report["cda"]) for report in self.round.reports.values()]
        self.assertTrue(files)
        done = subprocess.run([str(tool), "-e", *files], capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])

    def test_4_every_pdf_is_pdf_a_1b(self):
        jars = [pathlib.Path(f"/usr/share/java/{name}.jar") for name in JARS]
        missing = [str(jar) for jar in jars if not jar.exists()]
        if missing:
            if os.environ.get("CI") == "true":
                self.fail(f"{missing} not installed")
            print(f"\n*** {missing} absent: NO PDF IS CHECKED ***", file=sys.stderr)
            self.skipTest("PDFBox absent")
        for number, report in self.round.reports.items():
            done = subprocess.run(["java", "-cp", ":".join(map(str, jars)), "org.apache.pdfbox.preflight.Validator_A1b", str(report["pdf"])],
                                  capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, f"{number}: {done.stdout}{done.stderr}")

    # -- (e) the command line -----------------------------------------------------------------------------------

    def test_5_a_second_import_changes_nothing(self):
        self.assertRegex(self.imported, r"[1-9]\d* added")
        again = self.sgld("import", *self.line.laboratory).stdout
        lines = again.splitlines()
        self.assertEqual(len(lines), len(self.line.laboratory))
        for text in lines:
            self.assertRegex(text, r": 0 added, 0 changed, 0 retired$")

    def test_5_an_unknown_key_is_an_error_with_its_line(self):
        lines = self.line.settings_file.read_text().splitlines()
        place = lines.index("[web]")
        lines.insert(place + 1, 'colour = "blue"')
        wrong = self.line.folder / "lab" / "wrong.toml"
        wrong.write_text("\n".join(lines) + "\n")
        done = subprocess.run([SGLD, "-c", str(wrong), "check-config"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"line {place + 2}", done.stderr)
        self.assertIn("colour", done.stderr)
        self.sgld("check-config")

    def test_5_wrong_use_is_told_apart_from_a_refusal(self):
        self.sgld("dance", code=2)
        self.sgld("letters", "show", "nothing", code=1)
        self.sgld("validate", "404404", "--login", "claire.biologiste", code=1)

    def test_6_letters_are_held_retried_and_abandoned_by_a_person(self):
        line = self.line
        line.dmp.script({"times": -1, "do": "http500"})
        self.addCleanup(line.dmp.script)
        when = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime(time.time() - 3600))
        numbers = []
        for number in ("2600901", "2600902"):
            now = harness.scenario.datetime.datetime.now().astimezone()
            order = scenario.order(number, "690000011", "IPP0001", "899900000025", [], ["GLU", "CREA"], VALUES, now)
            order["collected_at"] = when
            line.register(order)
            line.measure(order)
            numbers.append(order["filler"])
        self.sgld("validate", numbers[0], "--login", "claire.biologiste")
        self.sgld("validate", numbers[1], "--login", "claire.biologiste", "--comment", "Contrôlé sur un second prélèvement.")
        self.sgld("validate", numbers[1], "--login", "claire.biologiste", code=1)
        first = self.one_letter(numbers[0], "DMP", "retry")
        second = self.one_letter(numbers[1], "DMP", "due", "retry")     # due: the others' failures made the partner rest
        # Held: it does not leave though the DMP is back.
        self.act("hold", first, "--why", "e2e")
        self.act("abandon", second, "--why", "e2e")
        line.dmp.script()
        time.sleep(3)
        self.assertEqual(self.one_letter(numbers[0], "DMP", "held")["state"], "held")
        self.sgld("letters", "retry", first["id"])
        self.one_letter(numbers[0], "DMP", "accepted")
        end = [x for x in self.letters(numbers[1]) if x["channel"] == "DMP"][0]
        self.assertIn(end["state"], ("cancelled", "dead"))
        self.assertEqual(end["reason"], "ABANDONED")
        history = self.sgld("letters", "show", first["id"]).stdout
        self.assertRegex(history, r"(?s)retry\b.*held\b.*accepted\b")
        self.assertIn("cli:", history)
        self.sgld("letters", "hold", first["id"], "--why", "too late", code=1)
        self.sgld("letters", "list")

    def test_7_the_account_recounted_from_events_is_equal_and_the_audit_chain_is_whole(self):
        self.sgld("account", "--recount")
        self.sgld("account", "--json", "--recount")
        self.sgld("status")
        status = json.loads(self.sgld("status", "--json").stdout)
        self.assertEqual(status["sites"], 3)
        self.sgld("audit")

    def test_7_a_wrong_figure_would_be_seen(self):
        letter = self.line.sql("select id from letter where state = 'accepted' limit 1")[0][0]
        self.line.sql(f"alter table letter disable trigger user; update letter set state = 'dead' where id = '{letter}'")
        try:
            self.sgld("account", "--recount", code=1)
        finally:
            self.line.sql(f"update letter set state = 'accepted' where id = '{letter}'; alter table letter enable trigger user")
        self.sgld("account", "--recount")

    # -- (d) canaries -------------------------------------------------------------------------------------------

    def test_8_no_canary_in_any_log_or_listing(self):
        line = self.line
        words = harness.canaries() | set(VALUES.values()) | {SPOKEN}
        texts = list(self.printed)
        for letter in json.loads(line.run("letters", "list", "--json")):
            texts.append(("letters show", line.run("letters", "show", letter["id"])))
        texts += [("letters list", line.run("letters", "list")), ("letters list --json", line.run("letters", "list", "--json")),
                  ("ready file", line.ready_file.read_text()), ("account", line.run("account")), ("status", line.run("status")),
                  ("sgld.log", line.log.read_text(errors="replace"))]
        server_logs = [p for p in (line.folder / "data").rglob("*") if p.is_file() and (p.suffix == ".log" or p.parent.name == "log")]
        self.assertTrue(server_logs, "the private cluster keeps a log")
        texts += [(f"PostgreSQL's {p.name}", p.read_text(errors="replace")) for p in server_logs]
        status, metrics = harness.Api(line.daemon.ready["web"], harness.OPERATOR).call("GET", "/metrics")
        if status == 200:
            texts.append(("metrics", metrics.decode() if isinstance(metrics, bytes) else str(metrics)))
        # The search can fail: what was exported does hold them.
        report = self.round.reports[self.round.orders[0]["filler"]]["cda"].read_text()
        self.assertTrue(harness.canary_problems([("a report", report)], words))
        problems = harness.canary_problems(texts, words)
        self.assertEqual(problems, [], "\n".join(problems))
        self.assertTrue(re.search(r"letter|report", dict(texts)["sgld.log"]), "the log tells the path")

    def test_9_a_stop_is_clean(self):
        daemon, line = self.line.daemon, self.line
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(line.ready_file.exists())
        self.assertNotIn("runtime error", line.log.read_text(errors="replace"))
        self.assertNotIn("Sanitizer", line.log.read_text(errors="replace"))


if __name__ == "__main__":
    unittest.main()
