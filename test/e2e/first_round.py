"""The first round of the scenario: played, checked and written down as files. Shared by the demonstration and the e2e test."""

import json
import re
import shutil
import time

import harness
from harness import analyser, scenario

# One vendor's way of writing per order, so that the round shows several.
FLAVOURS = ["plain", "v25", "plain", "comma", "v24", "plain", "plain", "astm"]


class Round:
    """told(number, step, text) is called as each order moves on: steps "order", "results", "signed", "report" and the channels."""

    def __init__(self, line, told=lambda number, step, text: None):
        self.line, self.told = line, told
        self.orders = scenario.first_round()
        self.reports, self.folder, self.letters = {}, None, {}

    def play(self, limit=60.0):
        """Orders, results, signatures; then waits until no letter moves any more."""
        line = self.line
        for order in self.orders:
            line.register(order)
            self.told(order["number"], "order", "registered")
        for order, flavour in zip(self.orders, FLAVOURS):
            line.measure(order, flavour)
            self.told(order["number"], "results", f"{len(order['values'])} received")
        signers = {}
        for order in self.orders:
            login = harness.BIOLOGIST[order["site"]]
            if login not in signers:
                signers[login] = line.api(login)
            status, value = signers[login].validate(order["filler"])
            if status != 201:
                raise harness.Failed(f"order {order['number']}: validation answered {status} {value}")
            self.told(order["number"], "signed", login)
        operator = line.api(harness.OPERATOR)
        end = time.monotonic() + limit
        while True:
            self.letters = {}
            for letter in operator.letters():
                self.letters.setdefault(letter["order_number"], []).append(letter)
            waiting = []
            for order in self.orders:
                mine = self.letters.get(order["filler"], [])
                if mine:
                    self.told(order["number"], "report", "composed, checked")
                    self.tell_letters(order["number"], mine)
                wanted = len(harness.expected_letters(order))
                if len(mine) < wanted or any(x["state"] in harness.MOVING for x in mine):
                    if harness.letters_problems(order, mine):
                        waiting.append(order["number"])
            if not waiting or time.monotonic() > end:
                return
            time.sleep(0.2)

    def tell_letters(self, number, letters):
        states = {}
        for letter in letters:
            states.setdefault(letter["channel"], []).append(letter["state"] + (f" ({letter['reason']})" if letter["state"] in
                              ("blocked", "retry", "dead") and letter["reason"] not in ("", "NONE") else ""))
        for channel, found in states.items():
            text = ", ".join(f"{found.count(s)} {s}" if len(found) > 1 else s for s in sorted(set(found)))
            self.told(number, channel, text)

    def check(self):
        """Every expectation of the scenario; the list of what does not hold."""
        line = self.line
        problems = []
        for order in self.orders:
            problems += harness.letters_problems(order, self.letters.get(order["filler"], []))
        self.reports, self.folder = line.export()
        absent = [o["filler"] for o in self.orders if o["filler"] not in self.reports]
        if absent:
            return problems + [f"order {number}: no report" for number in absent]
        fed = [o["filler"] for o in self.orders if o["expected"]["dmp"] == "accepted"]
        problems += harness.dmp_problems(line, self.reports, fed)
        held = line.dmp.state()["entries"]
        documents = [e for e in held if e["kind"] == "document"]
        if len(documents) != len(fed):
            problems.append(f"the DMP holds {len(documents)} documents, {len(fed)} expected")
        problems += harness.dpi_problems(line, self.reports, [o["filler"] for o in self.orders if "dpi" in o["expected"]])
        self.boxes = line.mailboxes()
        problems += harness.mail_problems(self.boxes, self.reports, self.orders)
        problems += self.unqualified_problems()
        return problems

    def unqualified_problems(self):
        """The report of an unqualified identity: no INS in its document nor in any mail that carries it."""
        problems = []
        for order in self.orders:
            if order["patient"]["reliability"] == "VALI":
                continue
            number, ins = order["filler"], order["patient"]["ins"].encode()
            for form in ("cda", "pdf"):
                if ins in self.reports[number][form].read_bytes():
                    problems.append(f"order {number}: INS of an unqualified identity in its {form}")
            for mails in self.boxes.values():
                for data in mails:
                    cda, _, mail = harness.mail_document(data)
                    if harness.oid_of(cda) != self.reports[number]["oid"]:
                        continue
                    if ins in data or ins in cda or ins in (mail.metadata or b"") or ins in (mail.pdf or b""):
                        problems.append(f"order {number}: INS of an unqualified identity in a mail")
        return problems

    def collect(self, out):
        """Writes cda/, pdf/, mail/, dmp/, dpi/, account.json and sgld.log under `out`; gives {our order number: {kind: [paths]}}."""
        line = self.line
        for name in ("cda", "pdf", "mail", "dmp", "dpi"):
            shutil.rmtree(out / name, ignore_errors=True)
            (out / name).mkdir(parents=True)
        by_oid = {report["oid"]: number for number, report in self.reports.items()}
        files = {number: {kind: [] for kind in ("cda", "pdf", "mail", "dmp", "dpi")} for number in self.reports}

        def put(number, kind, name, data):
            path = out / kind / name
            path.write_bytes(data)
            files[number][kind].append(path)

        for number, report in self.reports.items():
            for kind in ("cda", "pdf"):
                put(number, kind, report[kind].name, report[kind].read_bytes())
        people = {c["mssante"]: c["family"].lower() for c in scenario.CORRESPONDENTS if c["mssante"]}
        for address, mails in self.boxes.items():
            for data in mails:
                number = by_oid.get(harness.oid_of(harness.mail_document(data)[0]))
                if number:
                    put(number, "mail", f"{number}-{people.get(address, 'patient')}.eml", data)
        for entry in line.dmp.state()["entries"]:
            number = by_oid.get(entry["uniqueId"])
            if number:
                request = next((line.partners / "dmp").glob(f"{entry['n']:05d}-{entry['submission']}.xml"))
                put(number, "dmp", f"{number}.xml", request.read_bytes())
        for message in line.dpi.state()["messages"]:
            number = by_oid.get(message.get("document_id"))
            if number and message["code"] == "AA":
                put(number, "dpi", f"{number}.hl7", (line.partners / "dpi" / message["file"]).read_bytes())
        shutil.copyfile(self.folder / "account.json", out / "account.json")
        shutil.copyfile(line.log, out / "sgld.log")
        return files


def account_lines(account):
    """The account as lines of text."""
    lines = [f"instance {account['instance']} ({account['environment']})"]
    for site in account["sites"]:
        lines.append(f"  site {site['site']}  {site['month']}  {site['reports']} reports, {site['with_qualified_ins']} with qualified INS")
        for channel, figures in site["channels"].items():
            lines.append(f"    {channel:<13}" + "  ".join(f"{figures[k]} {k}" for k in ("letters", "sent", "accepted", "pending", "failed")))
        for reason in site["reasons"]:
            lines.append(f"    {reason['channel']:<13}{reason['letters']} {reason['state']}: {reason['reason']}")
    return lines


def read_account(path):
    return json.loads(path.read_text())


