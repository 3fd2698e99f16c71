#!/usr/bin/python3
"""A report that has left is corrected, then withdrawn: whoever got it gets the new version that says what it replaces, then hears
that it is taken back (lab-domain 3.4, R-40). Another one is signed in part, then completed. Wants SGLD = the program.
"""

import json
import os
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import analyser, scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
NUMBER = "2600911"


class Versions(unittest.TestCase):
    """Tests in the order of their numbers, on one running line."""

    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        now = scenario.datetime.datetime.now().astimezone()
        cls.order = scenario.order(NUMBER, "690000011", "IPP0001", "899900000025", [], ["GLU", "CREA"], {"GLU": "5.1", "CREA": "71"}, now)
        cls.order["collected_at"] = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime(time.time() - 3600))
        cls.line.register(cls.order)
        cls.line.measure(cls.order)

    def sgld(self, *arguments, code=0):
        done = self.line.command(*arguments)
        self.assertEqual(done.returncode, code, f"sgld {arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def letters(self):
        listed = json.loads(self.sgld("letters", "list", "--json"))
        return [x for x in listed if x["order"] == self.order["filler"]]

    def settled(self, count, limit=90.0):
        """The letters, when there are that many and all have ended well."""
        seen = []

        def ended():
            seen[:] = self.letters()
            good = [x for x in seen if x["state"] in ("accepted", "delivered")]
            return seen if len(seen) == count and len(good) == count else None
        try:
            return harness.wait_until(f"{count} letters of {NUMBER}", ended, limit, 0.3)
        except harness.Failed as problem:
            told = "\n".join(f"{x['channel']} v{x['version']} {x['state']} {x['reason']} {x['error_where']} {x['error']}" for x in seen)
            raise AssertionError(f"{problem}:\n{told}") from None

    def test_1_the_first_version_leaves(self):
        self.sgld("validate", self.order["filler"], "--login", "claire.biologiste")
        type(self).first = len(self.settled_first())

    def settled_first(self):
        """Those of the plan: how many there are is the scenario's business."""
        harness.wait_until("letters", lambda: self.letters() or None, 60, 0.3)
        return self.settled(len(self.letters()))

    def test_2_a_correction_waits_for_the_biologist(self):
        before = self.letters()
        with self.line.connect(self.order["site"], "analyser") as client:
            for control_id, message in analyser.messages_of(self.order, "plain"):
                corrected = re.sub(rb"\|F\|", b"|C|", message).replace(b"|5.1|", b"|15.3|").replace(control_id.encode(), b"C" + control_id.encode()[1:])
                self.assertNotEqual(corrected, message)
                code, problems = analyser.send(client, "C" + control_id[1:], corrected)
                self.assertEqual(code, "AA", problems)
        self.assertEqual(self.letters(), before, "nothing leaves by itself")
        refusal = self.sgld("validate", self.order["filler"], "--login", "claire.biologiste", code=1)
        self.assertIn("reason", refusal)

    def test_3_the_next_version_goes_to_whoever_has_the_first(self):
        said = self.sgld("validate", self.order["filler"], "--login", "claire.biologiste", "--reason", "Dosage refait")
        self.assertIn("version 2", said)
        letters = self.settled(2 * self.first)
        self.assertEqual({x["version"] for x in letters}, {1, 2})
        reports, _ = self.line.export()
        text = reports[self.order["filler"]]["cda"].read_text()
        self.assertIn("Annule et remplace la version 1", text)
        self.assertIn("Dosage refait", text)
        self.assertIn("15,3", text)

    def test_4_a_withdrawal_is_told_to_whoever_has_it(self):
        refusal = self.sgld("withdraw", self.order["filler"], "--login", "claire.biologiste", code=2)
        self.assertIn("reason", refusal)
        said = self.sgld("withdraw", self.order["filler"], "--login", "claire.biologiste", "--reason", "Tube d'un autre patient")
        self.assertIn(f"{self.first} recipients", said)
        self.settled(3 * self.first)
        self.sgld("withdraw", self.order["filler"], "--login", "claire.biologiste", "--reason", "encore", code=1)
        self.sgld("validate", self.order["filler"], "--login", "claire.biologiste", "--reason", "encore", code=1)

    def test_5_each_partner_holds_what_is_in_force_and_nothing_else(self):
        entries = [e for e in self.line.dmp.state()["entries"] if e["kind"] == "document"]
        self.assertEqual(len(entries), 2, entries)
        self.assertEqual(len({e["logicalId"] for e in entries}), 1, "one document in two versions")
        self.assertFalse([e for e in entries if e["status"].endswith(":Approved")], entries)

    def test_6_the_account_counts_reports_and_not_their_withdrawal(self):
        self.sgld("account", "--recount")
        self.sgld("audit")


class Partial(unittest.TestCase):
    """The order of a hospital, signed while urea is awaited; tests in the order of their numbers, on one running line."""

    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(hours=1)
        cls.order = scenario.order("2600912", "690000021", "CH00008", "899900000058", ["899900000025"], ["GLU", "UREE"],
                                   {"GLU": "5.10", "UREE": "6.3"}, now, "I", "V260012")
        cls.line.register(cls.order)

    def sgld(self, *arguments, code=0):
        done = self.line.command(*arguments)
        self.assertEqual(done.returncode, code, f"sgld {arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def sign(self, *more, code=0):
        return self.sgld("validate", self.order["filler"], "--login", harness.BIOLOGIST[self.order["site"]], *more, code=code)

    def settled(self, version, wanted):
        """The letters of a version are in these states, by channel."""
        seen = []

        def ended():
            listed = json.loads(self.sgld("letters", "list", "--json"))
            seen[:] = [x for x in listed if x["order"] == self.order["filler"] and x["version"] == version]
            states = {channel: {x["state"] for x in seen if x["channel"] == channel} for channel in wanted}
            return states == {channel: {state} for channel, state in wanted.items()} or None
        try:
            harness.wait_until(f"letters of version {version}: {wanted}", ended, 90, 0.3)
        except harness.Failed as problem:
            told = "\n".join(f"{x['channel']} {x['state']} {x['reason']} {x['error_where']} {x['error']}" for x in seen)
            raise AssertionError(f"{problem}:\n{told}") from None

    def documents_in_the_dmp(self):
        return [e for e in self.line.dmp.state()["entries"] if e["kind"] == "document"]

    def test_1_what_is_there_is_signed_only_by_who_says_that_he_knows(self):
        self.line.measure(dict(self.order, values={"GLU": "5.10"}))
        refusal = self.sign(code=1)
        self.assertIn("it can only be signed as partial: Urée", refusal)
        self.assertIn("version 1", self.sign("--partial"))

    def test_2_a_partial_report_leaves_but_for_the_dmp(self):
        self.settled(1, {"DMP": "blocked", "MSS_PRO": "accepted", "MSS_CITIZEN": "accepted", "ORU_HOSPITAL": "accepted"})
        self.assertEqual(self.documents_in_the_dmp(), [])
        reports, _ = self.line.export()
        text = reports[self.order["filler"]]["cda"].read_text()
        self.assertIn("Restent à venir : Urée.", text)
        self.assertIn('<lab:statusCode code="active"/>', text)
        account = json.loads(self.sgld("account", "--json"))
        self.assertNotIn('"reports": 1', json.dumps(account), "a report counts when it is complete")

    def test_3_what_completes_it_needs_no_reason_and_replaces_it(self):
        self.line.measure(dict(self.order, values={"UREE": "6.3"}))
        self.assertIn("version 2", self.sign())
        self.settled(2, {"DMP": "accepted", "MSS_PRO": "accepted", "MSS_CITIZEN": "accepted", "ORU_HOSPITAL": "accepted"})
        self.settled(1, {"DMP": "cancelled"})
        entries = self.documents_in_the_dmp()
        self.assertEqual(len(entries), 1, entries)
        self.assertTrue(entries[0]["status"].endswith(":Approved"), entries)
        reports, _ = self.line.export()
        text = reports[self.order["filler"]]["cda"].read_text()
        self.assertIn("Complète et remplace le compte rendu partiel (version 1)", text)
        self.assertIn('<relatedDocument typeCode="RPLC">', text)
        self.assertNotIn("Restent à venir", text)

    def test_4_one_report_was_made(self):
        self.sgld("account", "--recount")
        self.assertIn('"reports": 1', json.dumps(json.loads(self.sgld("account", "--json"))))
        self.sgld("audit")


if __name__ == "__main__":
    unittest.main()
