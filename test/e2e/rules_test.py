#!/usr/bin/python3
"""Rules that help to validate, as a laboratory uses them: the sample file is imported and approved, an implausible value is signed
only when it is confirmed, and another file is tried on what was signed. Wants SGLD = the program.
"""

import datetime
import json
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
RULES = harness.CONFIG / "rules.sample.toml"


class Rules(unittest.TestCase):
    """Tests in the order of their numbers, on one running line."""

    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()

    def sgld(self, *arguments, code=0):
        done = self.line.command("rules", *arguments)
        self.assertEqual(done.returncode, code, f"sgld rules {arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def measured(self, number, values):
        now = datetime.datetime.now().astimezone()
        order = scenario.order(number, "690000011", "IPP0001", "899900000025", [], list(values), values, now)
        order["collected_at"] = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime(time.time() - 3600))
        self.line.register(order)
        self.line.measure(order)
        return order["filler"]

    def test_1_a_set_says_nothing_before_it_is_approved(self):
        self.assertIn("rule set 1", self.sgld("import", RULES))
        type(self).first = self.measured("2600911", {"GLU": "5.1", "CREA": "71"})
        type(self).biologist = self.line.biologist("690000011")
        self.assertIsNone(self.biologist.order(self.first)["draft"]["rules"])
        self.assertEqual(self.biologist.call("POST", "/api/v1/rule-sets/7/approvals")[0], 404)
        self.assertEqual(self.biologist.call("POST", "/api/v1/rule-sets/1/approvals")[0], 204)
        said = self.biologist.order(self.first)["draft"]["rules"]
        self.assertEqual([result["verdict"] for result in said["results"]], ["green", "green"])
        self.assertEqual(self.biologist.validate(self.first)[0], 201)

    def test_2_an_implausible_value_is_signed_only_when_it_is_confirmed(self):
        number = self.measured("2600912", {"GLU": "95", "CREA": "140"})
        order = self.biologist.order(number)
        said = order["draft"]["rules"]["results"]
        self.assertEqual([result["verdict"] for result in said], ["red", "amber"])
        self.assertEqual([finding["kind"] for finding in said[1]["findings"]], ["reference", "delta"])
        self.assertEqual(self.biologist.validate(number)[0], 403)
        wish = {"row_version": order["row_version"], "results": [r["id"] for r in order["draft"]["results"]],
                "confirmed": [r["id"] for r in said if r["implausible"]], "confirmed_reason": "Dosage refait après dilution"}
        status, answer = self.biologist.call("POST", f"/api/v1/orders/{order['id']}/validation", wish)
        self.assertEqual(status, 201, answer)

    def test_3_another_file_is_tried_on_what_was_signed(self):
        wider = self.line.folder / "wider.toml"
        wider.write_text(RULES.read_text().replace('limits = "0.3..80.0"', 'limits = "0.3..99.0"'))
        today = datetime.date.today()
        days = [str(today + datetime.timedelta(days=n)) for n in (-1, 1)]

        def simulated():
            told = json.loads(self.sgld("simulate", wider, "--from", days[0], "--to", days[1], "--json"))
            return told if told["orders"] == 2 else None
        told = harness.wait_until("both reports published", simulated, 90, 1)
        self.assertEqual(told["before"], {"green": 2, "amber": 1, "red": 1})
        self.assertEqual(told["after"], told["before"], "the sugar is still critical")
        self.assertNotIn("plausibility", told["results_by_kind"], "and no longer implausible")
        self.assertEqual(told["results_by_kind"]["delta"], 1)
        self.assertNotIn("wider", self.sgld("list"), "nothing was imported")

    def test_4_a_file_whose_own_test_fails_is_refused(self):
        wrong = self.line.folder / "wrong.toml"
        wrong.write_text(RULES.read_text().replace('limits = "90..200"', 'limits = "10..200"', 1))
        self.assertIn("test[", self.sgld("import", wrong, code=1))


if __name__ == "__main__":
    unittest.main()
