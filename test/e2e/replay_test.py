#!/usr/bin/python3
"""As a laboratory's IT would (issue 4): connect a new analyser whose codes are unknown, see its results wait, map them by command
and on the screen, and find nothing lost, nothing doubled, nothing sent before a biologist has signed.

Wants SGLD = the program.
"""

import concurrent.futures
import datetime
import html
import http.client
import json
import os
import pathlib
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import mllp, scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
SITE = "690000011"
LINK = '''
[[link]]
name = "nouvel-automate"
site = "690000011"
listener = "centre"
allowed_senders = [{ application = "NOUVEAU", facility = "690000001" }]
processing_id = "T"
'''
SECRETARY = f'''
[[user]]
login = "lea.secretaire"
family = "SECRETAIRE"
given = "LEA"
demonstration_password = "{harness.PASSWORD}"
roles = {{ secretary = ["690000011"] }}
'''
VALUES = {"GLU": "5.10", "CREA": "71", "NA": "140"}
THEIRS = {"GLU": "Gluc_2", "CREA": "Crea-J", "NA": "Na+"}
UNITS = {"GLU": "mmol/L", "CREA": "umol/L", "NA": "mEq"}


def order_of(number):
    now = datetime.datetime.now().astimezone() - datetime.timedelta(minutes=40)
    return scenario.order(number, SITE, "IPP0001", "899900000025", [], list(VALUES), VALUES, now, "N", "")


def results_of(order, control_id, values=None, at=None):
    """What the new analyser says: its own codes, no PID."""
    now = at or mllp.now()
    tube = next(iter(order["specimens"].values()))
    lines = [f"MSH|^~\\&|NOUVEAU|690000001|SGLD|{SITE}|{now}||ORU^R01^ORU_R01|{control_id}|T|2.5.1||||||UNICODE UTF-8",
             f"OBR|1||{tube}|PANEL"]
    for n, (code, value) in enumerate((values or VALUES).items(), 1):
        lines.append(f"OBX|{n}|NM|{THEIRS[code]}^{code} de l'automate||{value}|{UNITS[code]}|||||F|||{now}")
    return "".join(line + "\r" for line in lines).encode()


class Page:
    """A browser without JavaScript: cookie, pages, forms."""

    def __init__(self, port, login, password=harness.PASSWORD):
        self.port, self.cookie = port, ""
        status, _, headers = self.ask("POST", "/connexion", {"identifiant": login, "mot_de_passe": password})
        assert status == 303, status

    def ask(self, method, path, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        found = dict(answer.getheaders())
        connection.close()
        return answer.status, text, found

    def form(self, text, action):
        """The hidden fields of the form with that action."""
        for form in re.findall(r"<form[^>]*>.*?</form>", text, re.S):
            if f'action="{action}"' in form:
                return {html.unescape(n): html.unescape(v) for n, v in
                        re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)}
        raise AssertionError(f"no form for {action}")


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = harness.Line(SGLD, partners=False, settings={"delivery": {"poll": "500ms"}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        people = cls.line.folder / "lab" / "more-users.toml"
        people.write_text(SECRETARY)
        cls.line.own()
        cls.line.run("import", people)
        cls.line.start()
        cls.orders = [order_of(f"E2E-RPL-{n}") for n in range(4)]
        for order in cls.orders:
            cls.line.register(order)

    def work(self, *arguments):
        return json.loads(self.line.run("work", *arguments, "--json"))

    def say(self, message, expect="AA"):
        with self.line.connect(SITE, "analyser") as client:
            answer = mllp.Message(client.exchange(message))
        self.assertEqual(mllp.field(answer.first("MSA"), 1), expect)

    def shown(self, order):
        """{local code: value} of what a biologist would sign."""
        draft = self.line.biologist(SITE).order(order["filler"])["draft"]
        return {r["local_code"]: r["value"] for r in draft["results"]} if draft else {}

    def rows(self):
        return self.line.sql("select (select count(*) from result), (select count(*) from work_item), "
                             "(select count(*) from work_item where done_at is null)")[0]

    def test_1_its_results_wait(self):
        self.line.load_links(LINK)
        harness.wait_until("the link", lambda: "nouvel-automate" in "".join(
            name for name, in self.line.sql("select name from link where active")))
        harness.wait_until("read again", lambda: "laboratory read again" in self.line.log.read_text(errors="replace"), 20)
        for n, order in enumerate(self.orders):
            self.say(results_of(order, f"RPL{n}"))
        groups = {g["theirs"]: g for g in self.work("list") if g["link"] == "nouvel-automate"}
        self.assertEqual(set(groups), set(THEIRS.values()))
        self.assertEqual({len(g["items"]) for g in groups.values()}, {len(self.orders)})
        self.assertTrue(all(g["kind"] == "unknown_code" and g["mended_by"] == "code" for g in groups.values()), groups)
        self.assertTrue(all(self.shown(order) == {} for order in self.orders), "nothing is guessed")

    def test_2_one_item_shows_its_message_without_the_patient(self):
        item = self.work("list")[0]["items"][0]
        shown = self.work("show", item["id"])
        self.assertIn("Gluc_2", shown["text"])
        for word in harness.canaries():
            self.assertNotIn(word, json.dumps(shown))

    def test_3_mapped_by_command_and_read_again(self):
        before = self.rows()
        expected = self.work("map", "nouvel-automate", "code", "Gluc_2", "GLU", "--expect")
        self.assertEqual((expected["results"], self.rows()), (len(self.orders), before), "a preview changes nothing")
        refused = self.line.command("work", "map", "nouvel-automate", "code", "Gluc_2", "INCONNU", "--why", "essai")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("not in the catalogue", refused.stderr)
        done = self.work("map", "nouvel-automate", "code", "Gluc_2", "GLU", "--why", "notice de l'automate")
        self.assertEqual((done["results"], done["mended"], done["refused"]), (len(self.orders), len(self.orders), []))
        for order in self.orders:
            self.assertEqual(set(self.shown(order)), {"GLU"})
        # What comes from now on needs nobody.
        harness.wait_until("the mapping in the daemon", lambda: self.line.log.read_text(errors="replace").count(
            "laboratory read again") >= 2, 20)
        self.say(results_of(self.orders[0], "RPL10", {"GLU": "5.30"}, mllp.now()))
        self.assertNotIn("Gluc_2", [g["theirs"] for g in self.work("list")])

    def test_4_mapped_on_the_screen_by_whoever_may(self):
        secretary = Page(self.line.daemon.ready["web"], "lea.secretaire")
        it = Page(self.line.daemon.ready["web"], harness.OPERATOR)
        _, text, _ = it.ask("GET", "/a-traiter")
        self.assertIn("automates à traduire", text)
        path = html.unescape(re.search(r'href="(/a-traiter/mot\?[^"]*Crea-J[^"]*)"', text).group(1))
        _, text, _ = it.ask("GET", path)
        form = it.form(text, "/a-traiter/mot")
        wish = {**form, "notre": "CREA", "motif": "notice"}
        status, text, _ = it.ask("POST", "/a-traiter/mot", {**wish, "apercu": "1"})
        self.assertEqual(status, 200)
        self.assertIn("Aperçu", text)
        self.assertEqual(it.ask("POST", "/a-traiter/mot", {**wish, "csrf": "x"})[0], 403)
        _, page, _ = secretary.ask("GET", path)
        self.assertNotIn("Enregistrer et rejouer", page)
        self.assertEqual(secretary.ask("POST", "/a-traiter/mot", wish)[0], 403)
        self.assertEqual(self.line.sql("select count(*) from link_mapping"), [("1",)])
        status, _, headers = it.ask("POST", "/a-traiter/mot", wish)
        self.assertEqual(status, 303)
        self.assertIn("rejoues=4", headers["Location"])
        for order in self.orders:
            self.assertEqual(set(self.shown(order)), {"GLU", "CREA"})
        # The message: masked for the laboratory's IT, whole for who knows the patient, and that is audited.
        item = self.work("list")[0]["items"][0]["id"]
        self.assertIn("masqué", it.ask("GET", f"/a-traiter/{item}")[1])
        self.assertNotIn("masqué", secretary.ask("GET", f"/a-traiter/{item}")[1])
        self.assertEqual(self.line.sql("select actor from audit_event where action = 'read_message'"), [("user:lea.secretaire",)])

    def test_5_two_at_once_do_it_once(self):
        self.work("map", "nouvel-automate", "code", "Na+", "NA", "--why", "notice")
        self.assertTrue(all(set(self.shown(order)) == {"GLU", "CREA"} for order in self.orders), "the unit is not known")
        groups = [g for g in self.work("list") if g["kind"] == "unit"]
        self.assertEqual([(g["theirs"], g["code"]) for g in groups], [("mEq", "Na+")])
        self.line.load_links(LINK + 'units = [{ theirs = "mEq", ours = "mmol/L" }]\n')
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: self.line.command("work", "replay", "--all"), range(2)))
        for order in self.orders:
            self.assertEqual(set(self.shown(order)), set(VALUES))
        rows = self.rows()
        self.assertEqual(rows[2], "0", self.work("list"))
        for message, in self.line.sql("select id from message where type = 'ORU^R01'"):
            self.line.run("work", "replay", "--message", message)
        self.assertEqual(self.rows(), rows, "a replay has no second effect")

    def test_6_a_mapping_survives_an_import_that_does_not_name_it(self):
        self.line.load_links(LINK)
        self.assertTrue(all(m["counts"] for m in self.work("mappings")))
        self.assertEqual({m["theirs"] for m in self.work("mappings")}, set(THEIRS.values()))
        self.line.load_links(LINK + 'codes = [{ theirs = "Na+", ours = "NA" }]\n')
        self.assertEqual([m["theirs"] for m in self.work("mappings") if not m["counts"]], ["Na+"])
        again = self.line.command("work", "map", "nouvel-automate", "code", "Na+", "K", "--why", "erreur")
        self.assertEqual(again.returncode, 1)
        self.assertIn("change its file", again.stderr)

    def test_7_a_result_without_order_is_given_one(self):
        order = self.orders[1]
        message = results_of(order, "RPL20", {"GLU": "6.40"}, mllp.now()).replace(
            next(iter(order["specimens"].values())).encode(), b"ILLISIBLE")
        self.say(message)
        item = [g for g in self.work("list") if g["kind"] == "unmatched"][0]["items"][0]["id"]
        wrong = self.line.command("work", "assign", item, "NULLEPART", "--why", "étiquette relue")
        self.assertEqual(wrong.returncode, 1)
        self.work("assign", item, order["filler"], "--why", "étiquette relue")
        self.assertEqual(self.work("list"), [])
        self.assertIn(("6.40",), self.line.sql("select r.value from result r join lab_order o on o.id = r.order_id where o.number = "
                                               f"'{order['filler']}' and r.state = 'raw'"))

    def test_8_nothing_left_before_the_signature_and_all_is_audited(self):
        self.assertEqual(self.line.sql("select count(*) from letter"), [("0",)])
        for order in self.orders:
            status, value = self.line.biologist(SITE).validate(order["filler"])
            self.assertEqual(status, 201, value)
        actions = {action for action, in self.line.sql("select distinct action from audit_event")}
        self.assertLessEqual({"map", "replay_message"}, actions)
        self.assertEqual(self.line.sql("select count(*) from audit_event where action = 'replay_message' and actor not like 'cli:%' "
                                       "and actor not like 'user:%'"), [("0",)])
        self.assertEqual(self.line.command("audit").returncode, 0)
        log = self.line.log.read_text(errors="replace")
        self.assertEqual(harness.canary_problems([("log", log)], harness.canaries()), [])


if __name__ == "__main__":
    unittest.main()
