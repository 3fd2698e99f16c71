#!/usr/bin/python3
"""A partner fails in every way that reliability.md names (F8), on each channel: the others get their letters as quickly as ever, and
once it is well again each partner holds each report effectively once (I4 to I6). Now and then sgld dies meanwhile at a step of the
delivery, or one of two daemons stands still for longer than its lease (F1, F2, F13).

Wants SGLD = the program. SGL_FAULT_RUNS: how many runs drawn by chance instead of the fixed sample; SGLD_SEED: of the draw (told in
the output); SGL_FAULT_TABLE: where the table of runs goes besides the output.
"""

import copy
import http.client
import os
import pathlib
import random
import re
import signal
import statistics
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
from harness import scenario  # noqa: E402

import fault_proxy  # noqa: E402  (the partners' folder is in the path now)

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
RUNS = int(os.environ.get("SGL_FAULT_RUNS", "0"))
SEED = int(os.environ.get("SGLD_SEED", str(time.time_ns() % 1_000_000)))
TABLE = os.environ.get("SGL_FAULT_TABLE", "")
SITE = "690000021"      # the hospital's: its reports take all four channels
LEASE = 6
ATTEMPT = 3             # seconds that the shortest attempt at a partner that says nothing may take
POLL = 0.5
REPORTS = 2             # in each run
GONE = (OSError, EOFError, http.client.HTTPException, TimeoutError, harness.Failed)

DMP, PRO, CITIZEN, DPI = "DMP", "MSS_PRO", "MSS_CITIZEN", "ORU_HOSPITAL"
CHANNELS = [DMP, PRO, CITIZEN, DPI]
PARTNER = {DMP: "dmp", PRO: "mail", CITIZEN: "mail", DPI: "dpi"}
# One operator carries both mails: what breaks its line breaks both; what it answers to a recipient concerns that one.
WHOM = {PRO: "@hopital-test.mssante.fr", CITIZEN: "@patient.mssante.fr"}
STEPS = ["before_claim_commit", "after_claim_before_connect", "after_connect", "after_request_bytes_half", "after_request_sent",
         "after_response_before_commit", "after_result_commit", "lease_reclaim"]


def proxy(mode, **how):
    return ("proxy", mode, how)


def script(verb):
    return ("script", verb, {})


def anywhere(*ways):
    return {channel: list(ways) for channel in CHANNELS}


def cuts(rng):
    """In the handshake, in the request, or in the answer."""
    return rng.choice([proxy("cut", after=rng.randrange(50, 3000)), proxy("cut", after=rng.randrange(3000, 9000)),
                       proxy("cut_answer", after=rng.randrange(9000, 20000))])


# Each way is (where, what, how), or a function of the run's generator that gives one.
FAULTS = {
    "down": anywhere(proxy("down")),
    "refusing": anywhere(proxy("refuse")),
    "says no": {DMP: [script("http500"), script("busy"), script("refuse:XDSRepositoryError")],
                PRO: [script("rcpt:450 4.2.0 later"), script("4xx"), script("rcpt:550 5.1.1 unknown"), script("5xx")],
                CITIZEN: [script("4xx"), script("5xx"), script("rcpt:450 4.2.0 later")],
                DPI: [script("AE"), script("AR")]},
    "wrong certificate": anywhere(("certificate", "wrong_name", {}), ("certificate", "untrusted", {})),
    "expired certificate": anywhere(("certificate", "expired", {})),
    "cut": {DMP: [cuts, script("close_request"), script("close_half"), script("lost")],
            PRO: [cuts, script("rcpt_close"), script("close_before_250"), script("close_after_data")],
            CITIZEN: [script("rcpt_close"), script("close_before_250"), script("close_after_data")],
            DPI: [cuts, script("close"), script("close_after")]},
    "half-open": anywhere(proxy("half_open")),
    "one byte per second": {DMP: [proxy("drip")], PRO: [script("rcpt_drip"), script("drip"), proxy("drip")],
                            CITIZEN: [script("drip"), script("rcpt_drip")], DPI: [proxy("drip")]},
    "never answers": {DMP: [script("hang"), script("hang_after"), lambda rng: proxy("silent", after=rng.randrange(0, 15000))],
                      PRO: [script("rcpt_hang"), script("hang"), script("hang_after")],
                      CITIZEN: [script("hang_after"), script("rcpt_hang"), script("hang")],
                      DPI: [script("silent"), script("silent_after"), lambda rng: proxy("silent", after=rng.randrange(0, 15000))]},
    "garbage": {DMP: [script("garbage_after"), script("garbage"), proxy("garbage")],
                PRO: [script("garbage_after"), script("rcpt_garbage"), script("garbage"), proxy("garbage")],
                CITIZEN: [script("garbage"), script("rcpt_garbage"), script("garbage_after")],
                DPI: [script("garbage_after"), script("garbage"), proxy("garbage")]},
    "another's answer": {DMP: [script("wrong_id"), script("wrong_id_after")], PRO: [script("rcpt_other")],
                         CITIZEN: [script("rcpt_other")], DPI: [script("wrong_id"), script("wrong_id_only")]},
}
# The fixed sample: every fault once, every channel, sgld killed and stopped.
SAMPLE = [("down", DPI, 0, ""), ("refusing", DMP, 0, ""), ("says no", CITIZEN, 1, ""), ("wrong certificate", PRO, 0, ""),
          ("expired certificate", DMP, 0, ""), ("cut", DPI, 2, ""), ("half-open", PRO, 0, ""), ("one byte per second", DMP, 0, ""),
          ("never answers", CITIZEN, 2, "kill after_response_before_commit:3"), ("garbage", DMP, 0, ""), ("another's answer", DPI, 0, "stop")]
REFUSED = re.compile(r"^(refuse:|5xx|rcpt:5|AE)")     # the partner's last word: a person sends such a letter again


class Line(harness.Line):
    """With a way to each partner that can be broken, and little patience on it."""

    def start_partners(self):
        super().start_partners()
        self.ways = {name: fault_proxy.FaultProxy(getattr(self, name).ready["port"]) for name in ("dmp", "mail", "dpi")}

    def write_laboratory(self):
        super().write_laboratory()
        path = self.folder / "lab" / "partners.toml"
        text = path.read_text()
        for name, way in self.ways.items():
            text = harness.replaced(text, str(getattr(self, name).ready["port"]), str(way.port))
        text = harness.replaced(text, 'profession_label = "Pharmacien"\n', f'profession_label = "Pharmacien"\nconnect_timeout = {ATTEMPT}\nexchange_timeout = 4\n')
        text = harness.replaced(text, 'reply_to = "secretariat@ch-test.mssante.fr"\n',
                                f'reply_to = "secretariat@ch-test.mssante.fr"\ntimeout = {ATTEMPT}\ndata_timeout = 4\n')
        head, tail = text.split('name = "dpi-690000002"')
        tail = re.sub(r"(?m)^connect_timeout = \d+", f"connect_timeout = {ATTEMPT}", tail)
        tail = re.sub(r"(?m)^answer_timeout = \d+", "answer_timeout = 4", tail)
        path.write_text(head + 'name = "dpi-690000002"' + tail)

    def close(self):
        for way in getattr(self, "ways", {}).values():
            way.close()
        super().close()


class Run:
    """One fault on one channel, and what came of it."""

    def __init__(self, n, fault, channel, way, sgld):
        self.n, self.fault, self.channel, self.way, self.sgld = n, fault, channel, way, sgld
        self.orders, self.problems = [], []
        self.failures = self.doubts = self.doubles = self.delivered = 0
        self.delay = self.healed_after = self.killed_at = None

    @property
    def operator_wide(self):
        return PARTNER[self.channel] == "mail" and self.way[0] != "script"

    @property
    def broken(self):
        return {PRO, CITIZEN} if self.operator_wide else {self.channel}

    def told(self):
        where, what, how = self.way
        return f"{where} {what}" + (f" {how['after']}" if "after" in how else "")


class PartnerFaults(unittest.TestCase):
    numbers = iter(range(2810001, 2899999))

    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}", file=sys.stderr)
        cls.rng = random.Random(SEED)
        cls.all_orders, cls.done = [], []
        cls.line = Line(SGLD, settings={
            "daemon": {"name": "first"},
            "delivery": {"lease": f"{LEASE}s", "poll": f"{int(POLL * 1000)}ms", "retry_delays": ["500ms", "1s"], "circuit_breaker_pause": "1s"}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.start()
        cls.biologist = None

    # -- orders -----------------------------------------------------------------------------------------------

    def ready_order(self):
        """Registered and measured, to be signed."""
        number = str(next(self.numbers))
        now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=40)
        accepted = {"dmp": "accepted", "patient": "accepted", "correspondents": "accepted", "dpi": "accepted"}
        order = scenario.order(number, SITE, "CH00007" if int(number) % 2 else "CH00008", "899900000058", [], ["GLU"], {"GLU": "5.10"}, now,
                               "I", "V" + number, accepted)
        self.line.register(order)
        self.line.measure(order)
        order["id"] = self.line.sql(f"select id from lab_order where number = '{order['filler']}'")[0][0]
        return order

    def sign(self, order):
        cls = type(self)
        if cls.biologist is None:
            cls.biologist = self.line.biologist(SITE)
        for _ in range(5):
            seen = cls.biologist.get(f"/api/v1/orders/{order['id']}")
            if seen["reports"]:
                return
            wish = {"row_version": seen["row_version"], "results": [r["id"] for r in seen["draft"]["results"]]}
            status, value = cls.biologist.call("POST", f"/api/v1/orders/{order['id']}/validation", wish)
            if status == 201:
                return
            self.assertEqual(status, 409, value)
        self.fail(f"order {order['number']} can't be signed")

    def letters(self, orders):
        """[{...}] of these orders."""
        ids = ", ".join(f"'{order['id']}'" for order in orders)
        rows = self.line.sql(f"""
            select l.id, o.number, l.channel, l.state, l.reason, coalesce(extract(epoch from l.accepted_at - l.created_at), -1),
                count(*) filter (where e.to_state in ('retry', 'in_doubt', 'dead')), count(*) filter (where e.to_state = 'in_doubt'),
                l.error_where || ' ' || l.error_what
            from letter l join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id
                join lab_order o on o.id = s.order_id left join letter_event e on e.letter_id = l.id
            where o.id in ({ids}) group by l.id, o.number""")
        names = ("id", "order", "channel", "state", "reason", "delay", "failures", "doubts", "error")
        letters = [dict(zip(names, row)) for row in rows]
        for letter in letters:
            letter.update(delay=float(letter["delay"]), failures=int(letter["failures"]), doubts=int(letter["doubts"]))
        return letters

    # -- one run ----------------------------------------------------------------------------------------------

    def break_it(self, run):
        where, what, how = run.way
        way = self.line.ways[PARTNER[run.channel]]
        if where == "proxy":
            way.set(what, **how)
        elif where == "certificate":
            way.set("certificate", certificate=self.line.pki / f"{what}-chain.pem", key=self.line.pki / f"{what}.key",
                    starttls=PARTNER[run.channel] == "mail")
        else:
            getattr(self.line, PARTNER[run.channel]).script({"times": -1, "do": what, "match": WHOM.get(run.channel, "")})

    def mend(self, run, resume):
        self.line.ways[PARTNER[run.channel]].heal(resume=resume)
        getattr(self.line, PARTNER[run.channel]).script()

    def others(self, run):
        """True once everybody else has theirs; their worst delay."""
        found = [x for x in self.letters(run.orders) if x["channel"] not in run.broken]
        wanted = len(run.orders) * (len(CHANNELS) - len(run.broken))
        if len(found) != wanted or any(x["state"] not in ("accepted", "delivered") for x in found):
            return False
        run.delay = max(x["delay"] for x in found)
        return True

    def ended(self, run):
        """True once all is where it must be; what the partner refused for good is sent again by a person."""
        letters = self.letters(run.orders)
        for letter in letters:
            if letter["state"] == "dead" and letter["channel"] in run.broken and REFUSED.match(run.way[1]):
                self.line.run("letters", "retry", letter["id"])
        if any(x["state"] == "dead" and not REFUSED.match(run.way[1]) for x in letters):
            return letters
        good = [x for x in letters if x["state"] in ("accepted", "delivered")]
        return letters if len(good) == len(run.orders) * len(CHANNELS) else None

    def drive(self, run, orders):
        rng = self.rng
        run.orders = orders
        began = time.monotonic()
        self.break_it(run)
        try:
            second = self.disturb(run)
            for order in run.orders:
                try:
                    self.sign(order)
                except GONE:
                    if run.sgld != "kill":
                        raise
                    self.come_back()
                    self.sign(order)
            if run.sgld == "kill":
                self.await_death(run)
            elif run.sgld == "stop":
                self.stand_still(rng)
            harness.wait_until("the others' letters", lambda: self.others(run), 40, 0.2)
            felt = lambda: all(x["failures"] for x in self.letters(run.orders) if x["channel"] == run.channel)
            try:
                harness.wait_until("the fault is felt", felt, 15, 0.2)
            except harness.Failed:
                pass        # counted below
            time.sleep(rng.uniform(0, 1.0))
        except (AssertionError, *GONE) as problem:
            run.problems.append(f"{type(problem).__name__}: {problem}")
        finally:
            self.mend(run, rng.random() < 0.5)
        healed = time.monotonic()
        if not self.line.daemon.alive():
            self.come_back()
        letters = []
        try:
            letters = harness.wait_until("letters after the fault", lambda: self.ended(run), 60, 0.3)
        except harness.Failed as problem:
            letters = self.letters(run.orders)
            run.problems.append(str(problem))
        if second:
            second.kill()
        run.healed_after = time.monotonic() - healed
        run.seconds = time.monotonic() - began
        run.failures = sum(x["failures"] for x in letters if x["channel"] == run.channel)
        run.doubts = sum(x["doubts"] for x in letters)
        run.delivered = sum(x["state"] in ("accepted", "delivered") for x in letters)
        if len(letters) != len(CHANNELS) * len(run.orders):
            run.problems.append(f"I4: {len(letters)} letters")
        run.problems += [f"I5: {x['channel']} {x['state']} {x['reason']} {x['error']}" for x in letters
                         if x["state"] not in ("accepted", "delivered")]
        self.done.append(run)

    def disturb(self, run):
        """The second daemon, if one is wanted."""
        if run.sgld.startswith("kill "):
            run.sgld, run.killed_at = run.sgld.split()
            self.line.daemon.kill()
            type(self).biologist = None
            if self.line.start(failpoint=run.killed_at).ready is None:
                self.come_back()        # died while it started
        if run.sgld != "stop":
            return None
        second = copy.copy(self.line)
        second.daemon = None
        second.settings_file = self.line.folder / "second.toml"
        second.ready_file = self.line.folder / "run" / "second.json"
        second.log = self.line.folder / "second.log"
        second.log.touch()
        text = self.line.settings_file.read_text()
        second.settings_file.write_text(harness.with_settings(text, {"daemon": {"name": "second"}, "ready": {"file": second.ready_file}}))
        os.chmod(second.settings_file, 0o644)
        second.start()
        self.addCleanup(second.daemon.kill)
        return second.daemon

    def stand_still(self, rng):
        time.sleep(rng.uniform(0, 0.5))
        self.line.daemon.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(LEASE + 2)
        finally:
            self.line.daemon.process.send_signal(signal.SIGCONT)

    def await_death(self, run):
        for _ in range(100):
            if not self.line.daemon.alive():
                break
            time.sleep(0.1)
        else:
            run.killed_at = None        # never passed
        self.come_back()

    def come_back(self):
        self.line.start()       # ends what is still there
        type(self).biologist = None

    # -- the runs ---------------------------------------------------------------------------------------------

    def plan(self):
        if not RUNS:
            return [(fault, channel, FAULTS[fault][channel][which], sgld) for fault, channel, which, sgld in SAMPLE]
        cells = [(fault, channel) for fault in FAULTS for channel in CHANNELS]
        chosen = []
        while len(chosen) < RUNS:
            self.rng.shuffle(cells)
            chosen += cells
        sgld = lambda: self.rng.choices(["", f"kill {self.rng.choice(STEPS)}:{self.rng.randrange(1, 6)}", "stop"], [84, 10, 6])[0]
        return [(fault, channel, self.rng.choice(FAULTS[fault][channel]), sgld()) for fault, channel in chosen[:RUNS]]

    def test_1_nobody_waits_when_all_is_well(self):
        delays = []
        for _ in range(3):
            orders = [self.ready_order() for _ in range(REPORTS)]
            for order in orders:
                self.sign(order)
            harness.wait_until("letters", lambda orders=orders: len(good_of(self.letters(orders))) == REPORTS * len(CHANNELS), 40, 0.2)
            delays += [x["delay"] for x in self.letters(orders)]
            self.all_orders.extend(orders)
        type(self).usual = max(delays)

    def test_2_a_partner_that_fails_keeps_nobody_waiting_and_gets_all_of_it(self):
        waiting = []
        for n, (fault, channel, way, sgld) in enumerate(self.plan(), 1):
            way = way(self.rng) if callable(way) else way
            run = Run(n, fault, channel, way, sgld)
            while len(waiting) < REPORTS:
                waiting.append(self.ready_order())
            orders = [waiting.pop() for _ in range(REPORTS)]
            self.all_orders.extend(orders)
            with self.subTest(n=n, seed=SEED, fault=fault, channel=channel, way=run.told(), sgld=sgld):
                self.drive(run, orders)
                # One run says whether they waited for an attempt at the partner that fails; how quick they are, all runs together:
                # the machine has other work too.
                if run.sgld == "" and run.delay is not None and run.delay > 1.2 * self.usual + ATTEMPT:
                    run.problems.append(f"the others waited {run.delay:.1f} s, usually {self.usual:.1f} s")
                print(f"{n:3d} {fault}, {channel}, {run.told()} {run.sgld}: {'; '.join(run.problems) or 'well'}"
                      f" ({run.failures} failures, {run.seconds:.1f} s)", file=sys.stderr, flush=True)
                self.assertEqual(run.problems, [], "\n" + "\n".join(run.problems) + "\n" + self.line.tail(15))

    def test_3_each_partner_holds_each_report_effectively_once(self):
        reports, _ = self.line.export()
        numbers = [order["filler"] for order in self.all_orders]
        problems = [f"order {number}: no report" for number in numbers if number not in reports]
        numbers = [number for number in numbers if number in reports]
        problems += harness.dmp_problems(self.line, reports, numbers)
        problems += harness.dpi_problems(self.line, reports, numbers)
        boxes = self.line.mailboxes()
        problems += harness.mail_problems(boxes, reports, self.all_orders, crashes=99)     # how often: below
        copies = self.copies(boxes, reports)
        doubts = {(x["order"], x["channel"]): x["doubts"] for x in self.letters(self.all_orders)}
        for (number, channel), times in copies.items():
            if times > 1 + doubts.get((number, channel), 0):
                problems.append(f"order {number}: {times} mails of {channel} after {doubts.get((number, channel), 0)} doubts")
        for run in self.done:
            mine = {order["filler"] for order in run.orders}
            run.doubles = sum(times - 1 for (number, _), times in copies.items() if number in mine)
        self.table()
        self.assertEqual(problems, [], "\n".join(problems))
        felt = sum(1 for run in self.done if run.failures)
        self.assertGreaterEqual(felt, len(self.done) * (0.9 if RUNS else 1), "faults that nobody felt prove nothing")
        delay = statistics.median(run.delay for run in self.done if run.sgld == "" and run.delay is not None)
        self.assertLessEqual(delay, 1.2 * self.usual + POLL, "a partner that fails delays the others")
        self.line.run("audit")
        log = self.line.log.read_text(errors="replace")
        self.assertNotIn("Sanitizer", log)
        self.assertNotIn("runtime error", log)
        self.assertEqual(self.line.daemon.stop(), 0)

    def copies(self, boxes, reports):
        """{(order, channel): mails}"""
        by_oid = {report["oid"]: number for number, report in reports.items()}
        found = {}
        for address, mails in boxes.items():
            channel = CITIZEN if WHOM[CITIZEN] in address else PRO
            for data in mails:
                if b"report-type=delivery-status" in data[:2000]:
                    continue
                number = by_oid.get(harness.oid_of(harness.mail_document(data)[0]))
                found[number, channel] = found.get((number, channel), 0) + 1
        return found

    def table(self):
        lines = [f"seed {SEED}; letters usually arrive within {self.usual:.2f} s; runs of {REPORTS} reports, 4 letters each", "",
                 "| fault | channel | runs | delivered | felt | doubts | doubles (mail) | others' delay / usual | outcome |",
                 "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
        cells = sorted({(run.fault, run.channel) for run in self.done}, key=lambda c: (list(FAULTS).index(c[0]), c[1]))
        for fault, channel in cells:
            runs = [run for run in self.done if (run.fault, run.channel) == (fault, channel)]
            delays = [run.delay / self.usual for run in runs if run.delay is not None and run.sgld == ""]
            wrong = sum(1 for run in runs if run.problems)
            wanted = len(runs) * REPORTS * len(CHANNELS)
            lines.append(f"| {fault} | {channel} | {len(runs)} | {sum(r.delivered for r in runs)}/{wanted} | "
                         f"{sum(1 for r in runs if r.failures)} | {sum(r.doubts for r in runs)} | {sum(r.doubles for r in runs)} | "
                         f"{f'{max(delays):.2f}' if delays else '-'} | {'well' if not wrong else f'{wrong} WRONG'} |")
        lines += ["", "| run | fault | channel | how | sgld | failures | doubts | doubles | others, s | healed within, s | outcome |",
                  "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
        for run in self.done:
            delay = "-" if run.delay is None else f"{run.delay:.2f}"
            sgld = f"killed at {run.killed_at}" if run.killed_at else "stopped" if run.sgld == "stop" else ""
            lines.append(f"| {run.n} | {run.fault} | {run.channel} | {run.told()} | {sgld} | {run.failures} | {run.doubts} | {run.doubles} | "
                         f"{delay} | {run.healed_after:.1f} | {'; '.join(run.problems) or 'well'} |")
        text = "\n".join(lines) + "\n"
        print("\n" + text, file=sys.stderr)
        if TABLE:
            pathlib.Path(TABLE).write_text(text)


def good_of(letters):
    return [x for x in letters if x["state"] in ("accepted", "delivered")]


if __name__ == "__main__":
    unittest.main()
