#!/usr/bin/python3
"""The console as people use it, in Chromium: a biologist with a keyboard, two of them on one order, those who may not, and a
session that ends too early. Wants SGLD = the program; installed by test/browser/install.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import browser  # noqa: E402
import harness  # noqa: E402
import world  # noqa: E402

SENTENCE = "Hyperkaliémie confirmée sur un second tube, « appel du prescripteur à 10 h 42 »; à recontrôler <demain>."


@unittest.skipUnless(browser.ready(), "Chromium, node or the npm packages are missing")
class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)

    def tab(self, login=world.CLAIRE, **how):
        tab = self.world.browser.tab(**how).sign_in(login)
        self.addCleanup(lambda: self.quiet(tab))
        return tab

    def quiet(self, tab):
        """No script failed, nothing was forbidden by the page's own policy; answers 4xx are the test's business."""
        complaints = [c for c in tab.complaints() if "Failed to load resource" not in c]
        tab.close()
        self.assertEqual(complaints, [])

    def order_path(self, order, login=world.CLAIRE):
        return "/dossiers/" + self.world.line.api(login).order_id(order["filler"])

    def walk_to(self, tab, filler):
        """From row to row with j, as a person does, until the row of that order has the focus."""
        for _ in range(40):
            if tab.focus()["text"] == filler:
                return
            tab.press("j")
        self.fail(f"order {filler} is not reached with j")

    def sign_with_keys(self, tab):
        """On an order: v, Enter; back on the list."""
        tab.press("v", "Enter")
        tab.waitPath("/dossiers?fait=")

    # -- the main act -----------------------------------------------------------------------------------------

    def test_an_urgent_order_is_found_understood_commented_signed_delivered_and_amended_by_keyboard(self):
        """Issue 7: the whole act without a mouse."""
        before = self.world.order(ipp="IPP0002", values={"NA": "141", "K": "4.1"}, minutes=2000)
        self.world.sign(before)
        self.world.delivered(before)
        calm = self.world.order(ipp="IPP0006", values={"NA": "139", "K": "4.4"}, minutes=200)
        urgent = self.world.order(ipp="IPP0002", values={"NA": "138", "K": "6.9"}, urgent=True, minutes=20)
        tab = self.tab()
        self.assertEqual(tab.focus()["text"], urgent["filler"], "the urgent one is first, though it came last, and has the focus")
        self.assertTrue(tab.focus()["outline"], "and one sees it")
        self.assertIn("urgent", tab.text("tbody tr:first-child").lower())

        tab.press("Enter")
        tab.waitPath("/dossiers/")
        row = next(line for line in tab.texts("table.results tbody tr") if "Potassium" in line)
        self.assertIn("6,9", row)
        self.assertIn("4,1", row, "the previous value stands beside")
        self.assertIn("critique", row.lower(), "said in words, not by a colour alone")
        self.assertIn("DMP", tab.text("[aria-labelledby=envois]"), "what will leave is said before the signature")

        tab.press("c")
        self.assertEqual(tab.focus()["name"], "commentaire")
        tab.type(SENTENCE)
        tab.press("Escape")
        self.sign_with_keys(tab)
        self.assertIn("validé", tab.text(".notice.good"))

        self.world.delivered(urgent)
        tab.goto(self.order_path(urgent))
        tab.click("text=Version 1")
        tab.wait("text=Trace")
        self.assertIn(SENTENCE, tab.text("main"))
        delivered = [line for line in tab.texts("table.rows tbody tr") if "accept" in line or "délivr" in line or "remis" in line]
        self.assertGreaterEqual(len(delivered), 3, "DMP, prescriber, patient")

        # Amended: the analyser corrects, the reason is asked for, the new version replaces the former everywhere.
        self.world.again(urgent, {"K": "4.9"})
        tab.goto(self.order_path(urgent))
        self.assertIn("annule et le remplace", tab.text("[aria-labelledby=signature]"))
        tab.press("v")
        tab.press("Shift+Tab", "Shift+Tab")
        self.assertEqual(tab.focus()["name"], "motif")
        tab.type("Tube hémolysé, dosage repris sur un second prélèvement")
        self.sign_with_keys(tab)
        harness.wait_until("version 2 is published", lambda: len(self.world.line.api(world.CLAIRE).order(urgent["filler"])["reports"]) == 2, 60, 0.5)
        self.world.delivered(urgent)
        tab.goto(self.order_path(urgent))
        tab.click("text=Version 2")
        tab.wait("text=Trace")
        text = tab.text("main")
        self.assertIn("version 2", text)
        versions = self.world.line.sql("select count(*) from letter l join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id "
                                       f"join lab_order o on o.id = s.order_id where o.number = '{urgent['filler']}' and v.version = 2 "
                                       "and l.state in ('accepted', 'delivered')")
        self.assertGreaterEqual(int(versions[0][0]), 3, "the replacement reached all who had the first")
        self.world.sign(calm)

    def test_twenty_five_results_take_three_keys_from_the_list_and_back(self):
        order = self.world.order(ipp="IPP0004", exams_=world.PANEL_25, values=world.VALUES_25, urgent=True)
        tab = self.tab(width=1920, height=1080)
        self.walk_to(tab, order["filler"])
        keys = ["Enter", "v", "Enter"]
        tab.press(keys[0])
        tab.waitPath("/dossiers/")
        self.assertEqual(tab.count("table.results tbody tr:not(.group)"), 25)
        bottom = tab.evaluate("document.querySelector('table.results').getBoundingClientRect().bottom")
        self.assertLess(bottom, 1080, "twenty-five results without scrolling on a screen of 1080 lines (lab-domain 5)")
        self.assertLess(tab.bytes(), 150_000)
        tab.press(keys[1], keys[2])
        tab.waitPath("/dossiers?fait=")
        self.assertIn("Dossier validé", tab.text(".notice.good"))

    # -- two at once ------------------------------------------------------------------------------------------

    def test_two_biologists_on_one_order_the_second_is_told_what_changed(self):
        order = self.world.order(ipp="IPP0006", values={"NA": "140", "K": "4.0"})
        path = self.order_path(order)
        claire, paule = self.tab(), self.tab(world.PAULE)
        claire.goto(path)
        paule.goto(path)
        self.sign_with_keys(claire)
        paule.press("c")
        paule.type(SENTENCE)
        paule.press("Escape", "v", "Enter")
        paule.wait(".notice.bad")
        self.assertEqual(paule.status(), 409)
        told = paule.text(".notice.bad")
        self.assertIn("Rien n'a été signé", told)
        self.assertRegex(told, "Le dossier est maintenant : (validé|compte rendu émis)")
        self.assertEqual(paule.value("#commentaire"), SENTENCE, "what she typed is not lost")

    def test_a_result_that_changed_under_the_eyes_is_named(self):
        order = self.world.order(ipp="IPP0006", values={"NA": "140", "K": "4.0"})
        tab = self.tab()
        tab.goto(self.order_path(order))
        self.world.again(order, {"K": "5.9"})
        tab.press("v", "Enter")
        tab.wait(".notice.bad")
        told = tab.text(".notice.bad")
        self.assertIn("Potassium : 5,9", told)
        self.assertEqual(tab.status(), 409)
        self.sign_with_keys(tab)    # read again: it can be signed

    # -- a session that ends ----------------------------------------------------------------------------------

    def expire(self, login):
        """An hour goes by without any act: the sessions of that user are over their limit."""
        self.world.line.sql("update web_session set last_seen_at = last_seen_at - interval '1 hour' "
                            f"where user_id = (select id from app_user where login = '{login}')")

    def come_back(self, tab, login):
        tab.wait("#identifiant")
        tab.fill("#identifiant", login)
        tab.fill("#mot-de-passe", harness.PASSWORD)
        tab.press("Enter")

    def test_a_session_that_ends_in_the_middle_of_a_sentence_loses_no_text(self):
        order = self.world.order(ipp="IPP0006", values={"NA": "140", "K": "4.0"})
        tab = self.tab()
        tab.goto(self.order_path(order))
        tab.press("c")
        tab.type(SENTENCE)
        self.expire(world.CLAIRE)
        tab.press("Escape", "v", "Enter")
        self.come_back(tab, world.CLAIRE)
        tab.wait(".notice.good")
        self.assertIn("Rien n'a été signé", tab.text(".notice.good"))
        self.assertEqual(tab.value("#commentaire"), SENTENCE)
        self.assertEqual(self.world.line.api(world.CLAIRE).order(order["filler"])["reports"], [], "nothing is signed by signing in")
        self.sign_with_keys(tab)
        comment = self.world.line.sql("select v.comment from report_version v join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id "
                                      f"where o.number = '{order['filler']}'")
        self.assertEqual(comment[0][0], SENTENCE)

    def test_a_wrong_password_in_between_loses_nothing_either(self):
        order = self.world.order(ipp="IPP0006", values={"NA": "140", "K": "4.0"})
        tab = self.tab()
        tab.goto(self.order_path(order))
        tab.fill("#commentaire", SENTENCE)
        self.expire(world.CLAIRE)
        tab.press("Escape", "v", "Enter")
        tab.wait("#identifiant")
        tab.fill("#identifiant", world.CLAIRE)
        tab.fill("#mot-de-passe", "pas celui-là")
        tab.press("Enter")
        tab.wait("text=incorrect")
        self.come_back(tab, world.CLAIRE)
        tab.wait("#commentaire")
        self.assertEqual(tab.value("#commentaire"), SENTENCE)

    def test_what_one_person_typed_is_not_handed_to_another(self):
        order = self.world.order(ipp="IPP0006", values={"NA": "140", "K": "4.0"})
        tab = self.tab()
        tab.goto(self.order_path(order))
        tab.fill("#commentaire", SENTENCE)
        self.expire(world.CLAIRE)
        tab.press("Escape", "v", "Enter")
        self.come_back(tab, world.PAULE)
        tab.wait("nav.tabs")
        tab.goto(self.order_path(order))
        self.assertEqual(tab.value("#commentaire"), "")

    def test_any_other_form_is_kept_to_be_read_and_sent_again(self):
        order = self.world.order(ipp="IPP0006", values={"NA": "140", "K": "4.0"})
        self.world.sign(order)
        self.world.delivered(order)
        tab = self.tab()
        tab.goto(self.order_path(order))
        tab.click("text=Retirer le compte rendu")
        tab.fill("#motif-retrait", "Erreur d'étiquetage du tube")
        self.expire(world.CLAIRE)
        tab.press("Enter")
        self.come_back(tab, world.CLAIRE)
        tab.wait("text=Votre saisie")
        self.assertIn("Erreur d'étiquetage du tube", tab.text("main"))
        self.assertEqual(self.world.line.api(world.CLAIRE).order(order["filler"])["reports"][0]["state"], "published")
        self.assertEqual(tab.axe(), [])
        tab.press("Enter")
        tab.waitPath("/dossiers/")
        self.assertIn("Compte rendu retiré", tab.text(".notice.good"))

    def test_after_a_session_that_ended_one_comes_back_to_the_same_page(self):
        tab = self.tab()
        self.expire(world.CLAIRE)
        tab.goto("/activite")
        self.come_back(tab, world.CLAIRE)
        tab.waitPath("/activite")
        tab.goto("/connexion?suite=//ailleurs.example/")
        self.assertEqual(tab.count("[name=suite]"), 0)

    # -- the list ---------------------------------------------------------------------------------------------

    def numbers(self, tab):
        return tab.texts("a.row-link")

    def test_filters_leave_what_they_say_and_count_it(self):
        critical = self.world.order(ipp="IPP0005", values={"NA": "110", "K": "4.0"}, minutes=200)
        calm = self.world.order(ipp="IPP0005", exams_=["INR", "TP"], values={"INR": "1.02", "TP": "95"}, prescriber="899900000041")
        unqualified = self.world.order(ipp="IPP0003", values={"NA": "141", "K": "4.0"})
        tab = self.tab()

        def chip(words):
            return next((x for x in tab.texts(".filters .chip") if words in x), "")
        for words, wanted in (("Critiques", critical), ("INS non qualifiée", unqualified)):
            tab.goto("/dossiers")
            count = int(chip(words).split()[-1])
            tab.click(f".filters .chip:has-text('{words}')")
            tab.wait(f".filters .chip.here:has-text('{words}')")
            self.assertEqual(len(self.numbers(tab)), count, words)
            self.assertIn(wanted["filler"], self.numbers(tab))
            self.assertNotIn(calm["filler"], self.numbers(tab))
        # By choice: a chapter and a prescriber; without a mouse, with the button.
        tab.goto("/dossiers")
        tab.select("#chapitre", "Hémostase, coagulation")
        tab.select("#prescripteur", "99900000041")
        tab.click("text=Filtrer")
        tab.waitPath("/dossiers?etat=a-valider&chapitre=")
        self.assertEqual(self.numbers(tab), [calm["filler"]])
        tab.click("text=Effacer les filtres")
        tab.waitPath("/dossiers?etat=a-valider")
        self.assertIn(critical["filler"], self.numbers(tab))
        for order in (critical, calm, unqualified):
            self.world.sign(order)
        self.world.delivered(unqualified)
        tab.goto("/dossiers?etat=rendus&bloque=1")
        self.assertIn(unqualified["filler"], self.numbers(tab))
        self.assertNotIn(calm["filler"], self.numbers(tab))

    def test_a_filter_is_kept_under_a_name_for_its_user_alone(self):
        order = self.world.order(world.NORD, "IPP0005", values={"NA": "141", "K": "4.0"})
        tab = self.tab()
        tab.goto("/dossiers?etat=a-valider&critique=1&depuis=4")
        tab.click("text=Garder ces filtres")
        tab.fill("#nom-filtre", "Critiques qui attendent")
        tab.press("Enter")
        tab.wait("text=Filtre gardé.")
        tab.goto("/dossiers")
        self.assertIn(order["filler"], self.numbers(tab))
        tab.click(".saved >> text=Critiques qui attendent")
        tab.wait(".saved .chip.here")
        self.assertEqual(tab.path(), "/dossiers?etat=a-valider&critique=1&depuis=4")
        paule = self.tab(world.PAULE)
        self.assertNotIn("Critiques qui attendent", paule.text("main"))
        tab.click("text=Gérer mes filtres")
        tab.click("text=Oublier")
        tab.wait("text=Filtre oublié.")
        self.assertEqual(tab.count(".saved"), 0)
        self.world.sign(order)

    def test_the_list_refreshes_by_itself_and_the_focus_stays(self):
        first = self.world.order(ipp="IPP0005", values={"NA": "141", "K": "4.0"}, urgent=True)
        tab = self.tab()
        self.walk_to(tab, first["filler"])
        later = self.world.order(ipp="IPP0005", values={"NA": "142", "K": "4.1"}, urgent=True)
        self.assertNotIn(later["filler"], self.numbers(tab))
        tab.wait(f"text={later['filler']}", 25000)
        self.assertEqual(tab.focus()["text"], first["filler"])
        self.world.sign(first)
        self.world.sign(later)

    # -- forbidden --------------------------------------------------------------------------------------------

    def forged(self, tab, path, fields):
        """A form that no page offered, sent from a page of the session with its token; the answer's status."""
        return tab.evaluate(f"""(async () => {{
            const csrf = document.querySelector('[name=csrf]').value;
            const answer = await fetch('{path}', {{method: 'POST', headers: {{'Content-Type': 'application/x-www-form-urlencoded'}},
                body: new URLSearchParams({{csrf, ...{fields}}})}});
            return answer.status; }})()""")

    def test_another_site_is_neither_seen_nor_signed(self):
        order = self.world.order(ipp="IPP0001", values={"NA": "140", "K": "4.0"})
        path = self.order_path(order)
        hugo = self.tab(world.HUGO)
        self.assertNotIn(order["filler"], hugo.html())
        self.assertEqual(hugo.goto(path), 404)
        self.assertNotIn("PAT-TROIS", hugo.html())
        self.assertIn(self.forged(hugo, path + "/validation", "{version: '1', vu: '1'}"), (403, 404))
        self.assertEqual(self.world.line.api(world.CLAIRE).order(order["filler"])["reports"], [])

    def test_a_technician_reads_but_never_signs(self):
        order = self.world.order(ipp="IPP0001", values={"NA": "140", "K": "4.0"})
        path = self.order_path(order)
        lea = self.tab(world.LEA)
        self.assertEqual(lea.goto(path), 200)
        self.assertEqual(lea.count("form#validation"), 0)
        self.assertIn("réservée aux biologistes", lea.text("[aria-labelledby=signature]"))
        self.assertEqual(self.forged(lea, path + "/validation", "{version: '1', vu: '1'}"), 403)
        self.assertEqual(self.world.line.api(world.CLAIRE).order(order["filler"])["reports"], [])

    def test_a_secretary_withdraws_nothing(self):
        order = self.world.order(ipp="IPP0001", values={"NA": "140", "K": "4.0"})
        self.world.sign(order)
        self.world.delivered(order)
        path = self.order_path(order)
        sophie = self.tab(world.SOPHIE)
        self.assertEqual(sophie.goto(path), 200)
        self.assertNotIn("Retirer", sophie.text("main"))
        version = self.world.line.api(world.CLAIRE).order(order["filler"])["row_version"]
        self.assertEqual(self.forged(sophie, path + "/retrait", f"{{version: '{version}', motif: 'essai'}}"), 403)
        report = self.world.line.api(world.CLAIRE).order(order["filler"])["reports"][0]
        self.assertEqual(report["state"], "published")

    def test_the_right_to_data_of_no_patient_opens_no_list(self):
        diane = self.world.browser.tab()
        diane.goto("/connexion")
        diane.fill("#identifiant", world.DIANE)
        diane.fill("#mot-de-passe", harness.PASSWORD)
        diane.click("button[type=submit]")
        diane.waitPath("/activite")
        self.assertEqual(diane.goto("/dossiers"), 403)
        self.quiet(diane)

    def test_a_form_of_another_place_is_refused(self):
        tab = self.tab()
        answer = tab.evaluate("fetch('/deconnexion', {method: 'POST', body: new URLSearchParams({csrf: 'x'})}).then((r) => r.status)")
        self.assertEqual(answer, 403)
        self.assertEqual(tab.goto("/dossiers"), 200)

    # -- without a script -------------------------------------------------------------------------------------

    def test_an_order_is_signed_without_any_script(self):
        """Design D9: every act of care works without JavaScript."""
        order = self.world.order(ipp="IPP0004", values={"NA": "140", "K": "4.0"})
        tab = self.tab(script=False)
        tab.goto(self.order_path(order))
        tab.click("form#validation button[type=submit]")
        tab.waitPath("/dossiers?fait=")
        self.assertEqual(len(self.world.line.api(world.CLAIRE).order(order["filler"])["reports"]), 1)


if __name__ == "__main__":
    unittest.main()
