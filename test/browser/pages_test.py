#!/usr/bin/python3
"""Every page of the console, as it is and on a tablet: axe-core finds nothing against WCAG 2.1 A and AA, every stop of the Tab
key is seen, nothing is wider than the screen, and on paper only what belongs there. SGL_SCREENSHOTS = folder for pictures;
SGL_GUIDE=1 renews those of the user guides (deploy/doc). Wants SGLD = the program; installed by test/browser/install.
"""

import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import browser  # noqa: E402
import harness  # noqa: E402
import world  # noqa: E402

SHOTS = os.environ.get("SGL_SCREENSHOTS")
GUIDE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "doc"
IN_GUIDE = {name for text in GUIDE.glob("*.md") for name in re.findall(r"\]\(images/([^)]+)\.png\)", text.read_text())}
LARGEST = 150_000   # bytes of a page (issue 7)


@unittest.skipUnless(browser.ready(), "Chromium, node or the npm packages are missing")
class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)
        cls.made = cls.world.fill()
        cls.api = cls.world.line.api(world.CLAIRE)
        cls.claire = cls.world.browser.tab().sign_in(world.CLAIRE)
        cls.lea = cls.world.browser.tab().sign_in(world.LEA)
        cls.noe = cls.world.browser.tab().sign_in(world.NOE)
        cls.tablet = cls.world.browser.tab(width=820, height=1180, touch=True).sign_in(world.CLAIRE)
        cls.nobody = cls.world.browser.tab()
        cls.claire.goto("/dossiers?etat=a-valider&critique=1")
        cls.claire.click("text=Garder ces filtres")
        cls.claire.fill("#nom-filtre", "Critiques")
        cls.claire.press("Enter")
        cls.claire.wait("text=Filtre gardé.")
        cls.pages = cls.all_pages()

    @classmethod
    def all_pages(cls):
        """[(name, tab, path, status)]."""
        order = lambda name: "/dossiers/" + cls.api.order_id(cls.made[name]["filler"])  # noqa: E731
        report = lambda name: "/comptes-rendus/" + cls.api.order(cls.made[name]["filler"])["reports"][0]["id"]  # noqa: E731
        patient = "/patients/" + cls.world.line.sql("select id from patient where local_id = 'IPP0003'")[0][0]
        cls.claire.goto("/a-traiter")
        points = {name: path for path, name in cls.claire.evaluate(
            "Array.from(document.querySelectorAll('main a.row-link')).map((a) => [a.getAttribute('href'), a.innerText])")}
        word = next(path for name, path in points.items() if path.startswith("/a-traiter/mot"))
        point = next(path for name, path in points.items() if path.startswith("/a-traiter/") and not path.startswith("/a-traiter/mot"))
        mine = [("dossiers", "/dossiers"), ("dossiers-en-attente", "/dossiers?etat=en-attente"), ("dossiers-rendus", "/dossiers?etat=rendus"),
                ("dossiers-tous", "/dossiers?etat=tous"), ("dossiers-filtres", "/dossiers?etat=tous&ins=1"), ("dossiers-mon-filtre", "/dossiers?etat=a-valider&critique=1"),
                ("dossiers-aucun", "/dossiers?etat=en-attente&critique=1"), ("dossier-urgent", order("urgent")), ("dossier-25", order("twenty_five")),
                ("dossier-incomplet", order("incomplete")), ("dossier-attente", order("waiting")), ("dossier-texte", order("urines")),
                ("dossier-code-inconnu", order("unknown")), ("dossier-signe", order("blocked")), ("compte-rendu", report("before")),
                ("compte-rendu-bloque", report("blocked")), ("envois", "/envois"), ("envois-bloques", "/envois?etat=blocked"), ("a-traiter", "/a-traiter"),
                ("mot", word), ("point", point), ("patients", "/patients"), ("patient", patient),
                ("nouvelle-demande", "/demandes/nouvelle"), ("demande", "/demandes/nouvelle?patient=" + patient.rsplit("/", 1)[1]), ("corriger-demande", order("waiting") + "/demande"), ("activite", "/activite"),
                ("a-propos", "/a-propos")]
        pages = [(name, cls.claire, path, 200) for name, path in mine]
        pages += [("connexion", cls.nobody, "/connexion", 200), ("technicien-dossier", cls.lea, order("urgent"), 200),
                  ("technicien-dossiers", cls.lea, "/dossiers", 200), ("informaticien-envois", cls.noe, "/envois", 200),
                  ("erreur-404", cls.claire, "/dossiers/00000000-0000-0000-0000-000000000000", 404), ("erreur-403", cls.noe, "/dossiers", 403),
                  ("erreur-hors-session", cls.nobody, "/dossiers", 200)]
        return pages

    def shot(self, tab, name, full=True):
        folders = [pathlib.Path(SHOTS)] if SHOTS else []
        if os.environ.get("SGL_GUIDE") and name in IN_GUIDE:
            folders.append(GUIDE / "images")
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            tab.shot(str(folder / f"{name}.png"), full)

    def problems(self, tab, name):
        found = [f"{name}: {v['id']}: {v['help']}: {v['nodes'][:3]}" for v in tab.axe()]
        over = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            found.append(f"{name}: {over} pixels wider than the screen")
        return found + [f"{name}: {c}" for c in tab.complaints() if "Failed to load resource" not in c]

    def test_every_page_passes_axe_and_fits_a_desk_screen(self):
        problems = []
        for name, tab, path, status in self.pages:
            self.assertEqual(tab.goto(path), status, name)
            self.shot(tab, name)
            problems += self.problems(tab, name)
            if tab.count("details:not([open])") > 0:
                tab.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
                problems += self.problems(tab, name + ", all unfolded")
                if SHOTS:
                    self.shot(tab, name + "-deplie")
            size = tab.bytes()
            if size > LARGEST:
                problems.append(f"{name}: {size} bytes")
        self.assertEqual(problems, [], "\n".join(problems))

    def test_every_page_passes_axe_and_fits_a_tablet(self):
        problems = []
        for name, tab, path, _ in self.pages:
            if tab is not self.claire:
                continue
            self.tablet.goto(path)
            self.shot(self.tablet, f"tablette-{name}")
            problems += self.problems(self.tablet, name)
        self.assertEqual(problems, [], "\n".join(problems))

    def test_every_stop_of_the_tab_key_is_seen_and_the_content_is_two_keys_away(self):
        problems = []
        for name, tab, path, _ in self.pages:
            tab.goto(path)
            tab.unfocus()
            stops = []
            for _ in range(45):
                tab.press("Tab")
                at = tab.focus()
                if at["tag"] == "BODY" or at in stops:
                    break
                stops.append(at)
                if not at["outline"]:
                    problems.append(f"{name}: the focus is not seen on {at}")
                if not at["inside"]:
                    problems.append(f"{name}: the focus is out of sight on {at}")
            if len(stops) < 2:
                problems.append(f"{name}: {len(stops)} stops")
        self.assertEqual(problems, [], "\n".join(problems))
        self.claire.goto("/activite")
        self.claire.unfocus()
        self.claire.press("Tab")
        self.assertEqual(self.claire.focus()["text"], "Aller au contenu")
        self.claire.press("Enter")
        self.assertEqual(self.claire.focus()["id"], "contenu")

    def test_the_guides_show_pages_of_this_run(self):
        self.assertGreaterEqual(len(IN_GUIDE), 8)
        self.assertEqual(IN_GUIDE - {name for name, *_ in self.pages}, set())
        self.assertEqual({path.stem for path in (GUIDE / "images").glob("*")}, IN_GUIDE)

    def test_keys_of_one_letter_are_told_and_can_be_switched_off(self):
        """WCAG 2.1.4."""
        tab = self.world.browser.tab().sign_in(world.CLAIRE)
        tab.click("footer >> text=Raccourcis clavier")
        tab.waitPath("/a-propos")
        self.assertIn("aller au bouton de validation", tab.text("#clavier"))
        tab.click("[data-touches]")
        tab.goto("/dossiers")
        before = tab.focus()
        tab.press("j")
        self.assertEqual(tab.focus(), before)
        tab.goto("/a-propos")
        tab.click("[data-touches]")
        tab.goto("/dossiers")
        tab.press("j")
        self.assertNotEqual(tab.focus(), before)
        tab.close()

    def test_paper_shows_the_order_without_buttons_and_says_that_it_is_no_report(self):
        tab = self.claire
        tab.goto("/dossiers/" + self.api.order_id(self.made["urgent"]["filler"]))
        tab.media("print")
        self.shot(tab, "papier-dossier")
        visible = tab.evaluate("Array.from(document.querySelectorAll('button, form, nav, .demonstration ~ header')).filter((e) => e.offsetHeight > 0).length")
        self.assertEqual(visible, 0)
        self.assertIn("n'est pas un compte rendu", tab.text("main"))
        self.assertIn("Potassium", tab.text("main"))
        tab.media("screen")


if __name__ == "__main__":
    unittest.main()
