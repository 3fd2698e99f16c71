#!/usr/bin/python3
"""An order typed at the desk: its results come in over MLLP and find it, it is signed and delivered; a correction before, and
what may not be. Wants SGLD = the program.
"""

import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import analyser, scenario  # noqa: E402
import requester  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SITE = "690000011"
DESK = "lea.technicienne"
HOSPITAL = '''
[[link]]
name = "registration-centre"
site = "690000011"
listener = "centre"
allowed_senders = [{ application = "ENREG", facility = "690000001" }]
order_source = true
identity_source = true
processing_id = "T"
our_application = "SGLD"
our_facility = "690000011"
order_news = true
outgoing = { host = "127.0.0.1", port = %d, answer_timeout = "3s" }
'''


class Desk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD)
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        cls.desk = cls.line.api(DESK)
        roles = cls.desk.get("/api/v1/session")["user"]["roles"]
        cls.site = next(role["site"] for role in roles if role["finess"] == SITE)

    def post(self, path, body, wanted=None, api=None):
        status, value = (api or self.desk).call("POST", path, body)
        if wanted:
            self.assertEqual(status, wanted, value)
        return value

    def order(self, **more):
        """A new order as the screen would type it; the patient is of the scenario, without his INS."""
        who = scenario.PATIENTS[0]
        collected = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - 1800))
        return {"site": self.site, "token": "jeton-1",
                "traits": {"birth_name": who["family"], "first_given_name": who["given"],
                           "birth_date": who["birth"], "sex": who["sex"]},
                "prescriber": "99900000025", "exams": ["GLU"], "collected": collected,
                "specimens": [{"number": "BUREAU1", "type": "SER"}], **more}

    def test_1_a_typed_order_goes_all_the_way(self):
        taken = self.post("/api/v1/orders", self.order(), 201)
        again = self.post("/api/v1/orders", self.order(), 201)
        self.assertEqual((again["order"], again["repeated"]), (taken["order"], True), "a second click")
        seen = self.desk.get(f"/api/v1/orders/{taken['order']}")
        self.assertEqual(seen["patient"]["identity_status"], "PROV")
        corrected = self.post(f"/api/v1/orders/{taken['order']}/correction",
                              {"row_version": seen["row_version"], "exams": ["CREA"], "urgent": True}, 200)
        self.assertEqual(corrected["order"], taken["order"])
        self.post(f"/api/v1/orders/{taken['order']}/correction", {"row_version": seen["row_version"], "urgent": False}, 409)

        now = scenario.datetime.datetime.now().astimezone()
        measured = scenario.order(taken["number"], SITE, scenario.PATIENTS[0]["ipp"], "899900000025", [], ["GLU", "CREA"],
                                  {"GLU": "5.1", "CREA": "71"}, now)
        measured["specimens"] = {kind: "BUREAU1" for kind in measured["specimens"]}
        with self.line.connect(SITE, "analyser") as client:
            control_id, message = analyser.build(measured, with_patient=False)
            code, problems = analyser.send(client, control_id, message)
        self.assertEqual(code, "AA", problems)
        order = self.desk.get(f"/api/v1/orders/{taken['order']}")
        self.assertEqual(sorted(r["code"] for r in order["results"]), ["CREA", "GLU"], "matched by the tube that was typed")
        self.post(f"/api/v1/orders/{taken['order']}/correction",
                  {"row_version": order["row_version"], "cancel": [order["exams"][0]["placer_number"]], "cancel_reason": "x"}, 422)

        biologist = self.line.biologist(SITE)
        status, value = biologist.validate(taken["number"])
        self.assertEqual(status, 201, value)

        def delivered():
            letters = biologist.letters(taken["number"])
            mail = [x for x in letters if x["channel"] == "MSS_PRO"]
            return mail if mail and all(harness.settled(x["state"]) == "accepted" for x in mail) else None
        harness.wait_until("the prescriber has the report", delivered, 60, 0.5)
        states = {x["channel"]: x["state"] for x in biologist.letters(taken["number"])}
        self.assertEqual(states["DMP"], "blocked", "nothing goes to the DMP under a provisional identity")
        refused = self.post(f"/api/v1/orders/{taken['order']}/correction",
                            {"row_version": biologist.order(taken["number"])["row_version"], "urgent": False}, 422)
        self.assertIn("validé", refused["fields"][0]["text"])

    def test_2_what_is_wrong_is_said_at_its_field_and_nothing_is_written(self):
        before = self.line.sql("select count(*) from lab_order")
        refused = self.post("/api/v1/orders", self.order(token="jeton-2", exams=["MAGIE"]), 422)
        self.assertEqual({f["field"] for f in refused["fields"]}, {"exams", "more_exams"})
        twin = self.post("/api/v1/orders", self.order(token="jeton-3", specimens=[]), 422)
        self.assertEqual(len(twin["namesakes"]), 1, "the patient of the first order")
        self.post("/api/v1/orders", self.order(site=999), 403)
        self.post("/api/v1/orders", self.order(), 403, self.line.api(harness.OPERATOR))
        self.assertEqual(self.line.sql("select count(*) from lab_order"), before)

    def test_3_a_patient_is_found_with_his_orders(self):
        found = self.post("/api/v1/patients/search", {"name": scenario.PATIENTS[0]["family"]}, 200)["patients"]
        self.assertEqual(len(found), 1)
        patient = self.desk.get(f"/api/v1/patients/{found[0]['id']}")
        self.assertEqual(len(patient["orders"]), 1)
        self.assertEqual(patient["misdirected"], [])

    def test_4_who_requested_hears_what_the_desk_changes_and_is_told_again_after_a_kill(self):
        now = scenario.datetime.datetime.now().astimezone()
        order = scenario.order("7700001", SITE, "IPP0002", "899900000025", [], ["GLU", "CREA"], {}, now)
        hospital = requester.Requester([f"{order['number']}-{n:02d}" for n in (1, 2)])
        self.addCleanup(hospital.close)
        def times_read():
            return self.line.log.read_text(errors="replace").count("laboratory read again")
        before = times_read()
        self.line.load_links(HOSPITAL % hospital.listen())
        harness.wait_until("the daemon knows the link", lambda: times_read() > before, 20, 0.1)
        self.line.register(order)
        number = order["filler"]
        seen = self.line.biologist(SITE).order(number)
        hospital.silent = 1
        self.post(f"/api/v1/orders/{seen['id']}/correction",
                  {"row_version": seen["row_version"], "exams": ["NA"], "cancel": [f"{order['number']}-01"],
                   "cancel_reason": "Erreur de saisie"}, 200)
        harness.wait_until("told, and not answered", lambda: len(hospital.heard) == 1, 30, 0.1)
        self.line.daemon.kill()
        self.line.start()
        type(self).desk = self.line.api(DESK)
        harness.wait_until("told again", lambda: hospital.given and hospital.ended, 90, 0.2)
        self.assertEqual(hospital.problems, [])
        self.assertEqual(len(set(hospital.heard)), 1, "the same bytes, the same MSH-10")
        self.assertEqual(hospital.ended, {f"{order['number']}-01": "Erreur de saisie"})
        harness.wait_until("its number is kept", lambda: self.line.sql(
            "select 1 from order_number where number = 'GAP-1' and kind = 'P'"), 20, 0.2)
        seen = self.line.biologist(SITE).order(number)
        self.assertEqual([e["placer_number"] for e in seen["exams"]], [f"{order['number']}-01", f"{order['number']}-02", "GAP-1"])


if __name__ == "__main__":
    unittest.main()
