#!/usr/bin/python3
"""What a link may say of its conversation, spoken with a running sgld by partners of another language: the whole decision table
of acknowledgements, sequence numbers, batches, framings, changes while others talk; and SEC-01 to SEC-07 on the listeners.

Wants SGLD = the program.
"""

import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402
import oracle  # noqa: E402
from harness import analyser, mllp, scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
CENTRE, HOSPITAL = "690000011", "690000021"
CODES = ("AL", "NE", "ER", "SU", "", "0")

LINKS = '''
[[link]]
name = "table"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.2"]
outgoing = { host = "127.0.0.1", port = %(port)d, answer_timeout = "5s" }

[[link]]
name = "one-socket"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.3"]
sockets = "one"

[[link]]
name = "numbered"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.4"]
sequence_numbers = true
batch_answer = "batch"

[[link]]
name = "release-2"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.5"]
mllp_release = 2

[[link]]
name = "bare"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.6"]
framing = "none-eof"

[[link]]
name = "forced"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.7"]
acknowledgement = "original"
idle_timeout = "1s"

[[link]]
name = "changing"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.8"]

[[link]]
name = "slow"
site = "690000011"
listener = "nord"
addresses = ["127.0.0.16/29"]
first_byte_timeout = "2s"
frame_timeout = "2s"
'''


def oru(control_id, accept="", application="", processing="P", obx=True, number="", sender="ANY"):
    lines = [f"MSH|^~\\&|{sender}|LAB|SGL|LBM|20260314081500||ORU^R01|{control_id}|{processing}|2.5.1|{number}||{accept}|{application}",
             "PID|1||X1", "OBR|1|P1|T1|GLU"]
    if obx:
        lines.append("OBX|1|NM|GLU||4.9|mmol/L|||||F")
    return "".join(line + "\r" for line in lines).encode()


def fields(block):
    """MSA-1, MSA-2, MSA-4 of an answer."""
    msa = mllp.Message(block).first("MSA")
    return mllp.field(msa, 1), mllp.field(msa, 2), mllp.field(msa, 4)


class From(mllp.Client):
    """A client that speaks from one of this machine's loopback addresses."""

    def __init__(self, source, port, timeout=20.0):
        self.timeout, self._buffer = timeout, b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Peer:
    """The peer's own listener for application acknowledgements: keeps them, answers CA."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.heard, self.connections = [], 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        data = b""
        while True:
            try:
                chunk = sock.recv(65536)
            except OSError:
                return
            if not chunk:
                return
            data += chunk
            while (end := data.find(mllp.END)) >= 0:
                block, data = data[data.find(mllp.START) + 1:end], data[end + 2:]
                self.heard.append(mllp.Message(block))
                control_id = mllp.field(self.heard[-1].first("MSH"), 10)
                sock.sendall(mllp.frame(f"MSH|^~\\&|ANY|LAB|SGL|LBM|2026||ACK|D{len(self.heard)}|P|2.5.1\rMSA|CA|{control_id}\r".encode()))

    def close(self):
        self.server.close()


class Links(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.peer = Peer()
        cls.addClassCleanup(cls.peer.close)
        cls.line = harness.Line(SGLD, partners=False, settings={"listener nord": {"allow": ["127.0.0.0/27"]}})
        cls.addClassCleanup(cls.line.close)
        cls.line.load()
        cls.line.load_links(LINKS % {"port": cls.peer.port})
        cls.line.start()
        cls.port = cls.line.daemon.ready["listeners"]["nord"]

    def speak(self, source, timeout=20.0):
        client = From(source, self.port, timeout)
        self.addCleanup(client.close)
        return client

    # -- acknowledgements ---------------------------------------------------------------------------------------

    def test_the_whole_decision_table(self):
        """3.2: MSH-15 x MSH-16 x outcome, said at once and as a message of its own."""
        client = self.speak("127.0.0.2")
        later, n = {}, 0
        for accept in CODES:
            for application in CODES:
                for how in ({}, {"obx": False}, {"processing": "T"}):
                    n += 1
                    control_id = f"TAB{n}"
                    message = oru(control_id, accept, application, **how)
                    header = oracle.Header({2: "^~\\&", 9: "ORU^R01", 10: control_id, 11: how.get("processing", "P"), 12: "2.5.1",
                                            15: accept, 16: application},
                                           ["MSH", "PID", "OBR"] + (["OBX"] if how.get("obx", True) else []))
                    said, owed = oracle.decide(header, oracle.outcome(header))
                    if owed:
                        later[control_id] = owed
                    with self.subTest(msh_15=accept, msh_16=application, **how):
                        client.send(message)
                        if said:
                            self.assertEqual(fields(client.receive())[:2], (said, control_id))
        client.send(oru("TABEND"))
        self.assertEqual(fields(client.receive())[:2], ("AA", "TABEND"), "an answer that nobody asked for")
        harness.wait_until("application acknowledgements", lambda: len(self.peer.heard) >= len(later), 20)
        time.sleep(0.3)
        heard = {mllp.field(m.first("MSA"), 2): m for m in self.peer.heard}
        self.assertEqual({k: mllp.field(m.first("MSA"), 1) for k, m in heard.items()}, later)
        self.assertEqual(len(self.peer.heard), len(later), "each once")
        self.assertEqual(self.peer.connections, 1, "one lasting connection")
        for message in self.peer.heard:
            self.assertEqual(mllp.field(message.first("MSH"), 16), "NE")
        self.assertEqual(len({mllp.field(m.first("MSH"), 10) for m in self.peer.heard}), len(later))
        harness.wait_until("all done", lambda: self.line.sql("select count(*) from application_answer a join link l on l.id = a.link_id "
                                                             "where l.name = 'table' and a.state <> 'done'") == [("0",)], 10)

    def test_one_socket_for_both_directions(self):
        client = self.speak("127.0.0.3")
        client.send(oru("ONE1", "AL", "AL"))
        first, second = client.receive(), client.receive()
        self.assertEqual((fields(first)[0], fields(second)[0]), ("CA", "AA"))
        control_id = mllp.field(mllp.Message(second).first("MSH"), 10)
        client.send(f"MSH|^~\\&|ANY|LAB|SGL|LBM|20260314||ACK^R01|P1|P|2.5.1\rMSA|CA|{control_id}\r".encode())
        harness.wait_until("heard", lambda: self.line.sql(f"select state from application_answer where control_id = '{control_id}'") == [("done",)], 10)
        self.assertEqual(fields(client.exchange(oru("ONE2")))[0], "AA")

    def test_an_acknowledgement_is_forced_where_the_link_says_so_and_idleness_ends(self):
        client = self.speak("127.0.0.7")
        self.assertEqual(fields(client.exchange(oru("FORCE1", "NE", "NE")))[0], "AA")
        self.assertIsNone(client.receive(5), "closed after a second without anything")

    def test_numbered_messages_survive_a_restart(self):
        client = self.speak("127.0.0.4")
        answers = [fields(client.exchange(oru(c, number=n)))[::2] for c, n in (("N1", "7"), ("N2", "8"), ("N9", "10"), ("N3", "9"))]
        self.assertEqual(answers, [("AA", "7"), ("AA", "8"), ("AE", "9"), ("AA", "9")])
        self.line.daemon.kill()
        self.line.start()
        type(self).port = self.line.daemon.ready["listeners"]["nord"]
        client = self.speak("127.0.0.4")
        self.assertEqual(fields(client.exchange(oru("N0", number="0")))[::2], ("AA", "10"))
        self.assertEqual(fields(client.exchange(oru("N3", number="9")))[::2], ("AA", "10"), "a repeat")

    def test_a_batch_is_answered_by_a_batch_or_by_each(self):
        batch = b"FHS|^~\\&|ANY|LAB\rBHS|^~\\&|ANY|LAB|SGL|LBM|20260314||||BATCH7\r" + oru("BA1") + oru("BA2", obx=False) + b"BTS|2\rFTS|1\r"
        answer = self.speak("127.0.0.4").exchange(batch).decode()
        self.assertTrue(answer.startswith("BHS|^~\\&|"), answer)
        self.assertEqual(re.findall(r"MSA\|(\w\w)\|(\w+)", answer), [("AA", "BA1"), ("AE", "BA2")])
        self.assertIn("|BATCH7\r", answer)
        self.assertTrue(answer.endswith("BTS|2\r"), answer)
        client = self.speak("127.0.0.8")
        client.send(batch)
        self.assertEqual([fields(client.receive())[:2] for _ in range(2)], [("AA", "BA1"), ("AE", "BA2")])

    # -- framing ------------------------------------------------------------------------------------------------

    def test_release_two_commits_then_answers(self):
        client = self.speak("127.0.0.5")
        client.send(oru("R2A"))
        self.assertEqual(client.receive(), b"\x06")
        self.assertEqual(fields(client.receive())[:2], ("AA", "R2A"))
        client.send(b"\x15")
        self.assertEqual(fields(client.receive())[:2], ("AA", "R2A"), "the answer that was refused")
        client.send(b"\x06")

    def test_bare_er7_ended_by_the_connection(self):
        client = self.speak("127.0.0.6")
        client.send_raw(oru("BARE1"))
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(fields(client.receive())[:2], ("AA", "BARE1"))
        self.assertEqual(self.line.sql("select encode(sha256(raw), 'hex') from message where control_id = 'BARE1'"),
                         [(harness.sha256(oru("BARE1")),)])

    # -- changes ------------------------------------------------------------------------------------------------

    def test_a_change_of_one_link_disturbs_no_other_connection(self):
        other, changed = self.speak("127.0.0.2"), self.speak("127.0.0.8")
        self.assertEqual(fields(changed.exchange(oru("CH1")))[0], "AA")
        self.assertEqual(fields(other.exchange(oru("CO1", sender="X")))[0], "AA")
        text = '[[link]]\nname = "changing"\nsite = "690000011"\nlistener = "nord"\naddresses = ["127.0.0.8"]\n'
        self.line.load_links(text + "active = false\n")
        n = iter(range(1000))
        harness.wait_until("closed", lambda: fields(changed.exchange(oru(f"CHX{next(n)}")))[0] == "AR", 10, 0.2)
        self.assertEqual(fields(changed.exchange(oru("CH2")))[0], "AR")
        self.assertEqual(fields(other.exchange(oru("CO2", sender="X")))[0], "AA", "the same connection as before")
        self.line.load_links(text)
        harness.wait_until("open again", lambda: fields(changed.exchange(oru("CH2")))[0] == "AA", 10, 0.2)
        self.assertEqual(fields(other.exchange(oru("CO3", sender="X")))[0], "AA")
        self.line.load_links(text + 'message_types = ["OUL^R22"]\n')
        harness.wait_until("types", lambda: fields(changed.exchange(oru(f"CHT{next(n)}")))[0] == "AR", 10, 0.2)
        self.line.load_links(text)

    # -- the operator's page --------------------------------------------------------------------------------------

    def test_the_page_connect_an_analyser_holds_for_two_real_ones(self):
        corpus = harness.SHARED / "hl7" / "corpus"
        if not corpus.is_dir():
            if os.environ.get("CI") == "true":
                self.fail("SGL_SHARED: the corpus is not there")
            self.skipTest(f"SKIPPED: no corpus in {corpus}")
        page = (harness.CONFIG / "README.md").read_text()
        section = page[page.index("### Two that were connected"):].split("\n## ")[0]
        blocks = re.findall(r"```toml\n(\[\[link\]\].*?)```", section, re.S)
        self.assertEqual(len(blocks), 2)
        catalogue = self.line.folder / "lab" / "more.csv"
        header = next(line for line in (harness.CONFIG / "catalogue.sample.csv").read_text().splitlines() if line.startswith("site;"))
        catalogue.write_text(header + "\n*;900;SGB;;Streptocoque B;;18725-2;Microbiologie;;coded;;;UR;PCR;;;POSITIVE=Positif:A|NEGATIVE=Négatif:N;yes\n")
        self.line.own()
        self.line.run("import", catalogue)
        messages = ("tamalabs__edan-h30-test-L14__ORU-R01.hl7", "cepheid-genexpert__oru_r32_single_result_unicode_hyphen.hl7")
        for n, (block, name) in enumerate(zip(blocks, messages)):
            with self.subTest(name=name):
                source = f"127.0.0.{10 + n}"
                self.line.load_links(re.sub(r"192\.0\.2\.\d+", source, block.replace('"automates"', '"nord"')))
                message = (corpus / name).read_bytes()
                message = oracle.blocks_of(message)[0] if b"\x0b" in message else message
                link = re.search(r'name = "([^"]+)"', block).group(1)

                def kept():
                    answer = self.speak(source).exchange(message)
                    self.assertEqual(fields(answer)[0], "AA", answer)
                    return self.line.sql(f"select m.id from message m join link l on l.id = m.link_id where l.name = '{link}'")

                # The daemon reads the new link within a second or two; until then the samples' links refuse the sender.
                time.sleep(2.5)
                row = kept()[0][0]
                results = self.line.sql(f"select code, value, unit, analyte_id is not null from result where message_id = {row} order by position")
                known = {code: (value, unit) for code, value, unit, known in results if known == "t"}
                kinds = {kind for kind, in self.line.sql(f"select kind from work_item where message_id = {row}")}
                if n == 0:
                    self.assertEqual({c: known.get(c) for c in ("WBC", "RBC", "HGB", "PLT")},
                                     {"WBC": ("9.51", "10*9/L"), "RBC": ("3.42", "10*12/L"), "HGB": ("8.8", "g/dL"), "PLT": ("258", "10*9/L")})
                    self.assertLessEqual(kinds, {"unmatched", "unknown_code"}, "what the page does not translate is asked for, nothing else")
                else:
                    self.assertEqual(list(known), ["GBS TC"])
                    self.assertEqual(kinds, {"unmatched"})

    # -- SEC-01 to SEC-06 ---------------------------------------------------------------------------------------

    def test_sec_01_an_insecure_listener_is_refused_at_the_start(self):
        here = self.line.settings_file.read_text()
        tls = {"tls": True, "certificate": "sgld_mllp-chain.pem", "key": "sgld_mllp.key"}
        cases = [({"address": "0.0.0.0"}, "TLS with client certificates"), ({"address": "0.0.0.0", "trusted_network": True}, "allow"),
                 ({"address": "::"}, "TLS with client certificates"), ({"address": "0.0.0.0", **tls}, "client_ca"),
                 (tls, "client_ca"), ({"address": "localhost"}, "numeric")]
        for change, why in cases:
            with self.subTest(**change):
                path = self.line.folder / "insecure.toml"
                path.write_text(harness.with_settings(here, {"listener centre": {**change, "port": 0}}))
                for command in ("check-config", "run"):
                    done = subprocess.run([str(self.line.sgld), "-c", str(path), command], cwd="/", capture_output=True, text=True, timeout=30)
                    self.assertNotEqual(done.returncode, 0, command)
                    self.assertIn(why, done.stderr, command)

    def hospital_port(self):
        return self.line.daemon.ready["listeners"]["hopital"]

    def s_client(self, *options):
        """Whether OpenSSL's own client gets through with these options, and what was agreed."""
        pki = self.line.pki
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.hospital_port()}", "-CAfile", str(pki / "ca.pem"),
                               "-cert", str(pki / "analyser-chain.pem"), "-key", str(pki / "analyser.key"), *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        found = re.search(r"(?:New, |Protocol *: )?(TLSv1\.\d), Cipher is (\S+)", done.stdout)
        return (found.group(1), found.group(2)) if found and found.group(2) != "(NONE)" else None

    def test_sec_02_only_the_listed_protocols_and_ciphers_answer(self):
        good = {("-tls1_3", "-ciphersuites", c): c for c in ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")}
        good |= {("-tls1_2", "-cipher", c): c for c in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305")}
        for options, cipher in good.items():
            with self.subTest(options=options):
                agreed = self.s_client(*options)
                self.assertIsNotNone(agreed)
                self.assertEqual(agreed[1], cipher)
        level = ":@SECLEVEL=0"
        for options in (("-tls1_1", "-cipher", "ALL" + level), ("-tls1", "-cipher", "ALL" + level), ("-tls1_2", "-cipher", "AES256-GCM-SHA384" + level),
                        ("-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384" + level), ("-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384" + level),
                        ("-tls1_2", "-cipher", "AES128-SHA" + level), ("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"),
                        ("-tls1_2", "-groups", "P-521"), ("-tls1_3", "-groups", "X448")):
            with self.subTest(options=options):
                self.assertIsNone(self.s_client(*options))

    def hospital(self, name):
        pki = self.line.pki
        tls = mllp.client_context(pki / "ca.pem", pki / f"{name}-chain.pem", pki / f"{name}.key") if name else mllp.client_context(pki / "ca.pem")
        client = mllp.Client("127.0.0.1", self.hospital_port(), tls, 10)
        self.addCleanup(client.close)
        return client

    def order(self, site=HOSPITAL):
        now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=30)
        return scenario.order(str(time.time_ns() % 10_000_000), site, "CH00007", "899900000025", [], ["GLU"], {"GLU": "4.90"}, now)

    def test_sec_03_who_speaks_may_not_claim_to_be_somebody_else(self):
        order = self.order()
        control_id, message = analyser.build(order)
        self.assertEqual(fields(self.hospital("analyser").exchange(message))[0], "AA")
        control_id, message = analyser.build(order, sender="ENREG")     # the registration's name, with the analyser's certificate
        answer = self.hospital("analyser").exchange(message)
        self.assertEqual(fields(answer)[:2], ("AR", control_id))
        self.assertEqual(self.line.sql(f"select state from message where control_id = '{control_id}'"), [("rejected",)])
        self.assertEqual(self.line.sql(f"select count(*) from result r join message m on m.id = r.message_id where m.control_id = '{control_id}'"), [("0",)])
        audit = self.line.sql("select a.payload from audit_event a join message m on a.object = 'message:' || m.id "
                              f"where a.action = 'receive' and m.control_id = '{control_id}'")
        self.assertEqual(len(audit), 1)
        self.assertIn('"AR"', audit[0][0])
        control_id, message = analyser.build(order)     # the analyser's name, with the registration's certificate
        self.assertEqual(fields(self.hospital("registration").exchange(message))[:2], ("AR", control_id))
        # a certificate of the right authority that no link names
        client = self.hospital("rogue")
        try:
            client.send(message)
            self.assertIsNone(client.receive(5))
        except OSError:
            pass
        for name in ("untrusted", None):
            with self.subTest(certificate=name), self.assertRaises((OSError, ssl.SSLError, AssertionError)):
                client = self.hospital(name)
                self.assertIsNotNone(client.exchange(message))

    def test_sec_04_an_address_that_is_not_listed_is_closed_before_a_byte_is_read(self):
        before = self.line.sql("select count(*) from message")
        for source in ("127.0.0.77", "127.0.0.9"):      # the listener's list; no link of the listener names it… see below
            client = From(source, self.port, 5)
            try:
                client.send(oru("SEC04", sender="NOBODY"))
                answer = client.receive(5)
            except OSError:
                answer = None
            client.close()
            if source == "127.0.0.77":
                self.assertIsNone(answer)
            else:   # links of the sample take any address of the listener, but not this sender
                self.assertEqual(fields(answer)[0], "AR")
        self.assertEqual(int(self.line.sql("select count(*) from message")[0][0]), int(before[0][0]) + 1)

    def test_sec_05_the_peer_of_an_outgoing_connection_is_verified(self):
        """Five refusals, and not a byte of the message leaves."""
        pki = self.line.pki
        text = '''[[link]]
name = "%s"
site = "690000011"
listener = "nord"
addresses = ["%s"]
outgoing = { host = "%s", port = %d, tls = true, ca = "%s", connect_timeout = "3s", answer_timeout = "3s" }
'''
        cases = [("wrong_name", "localhost", "ca.pem"), ("untrusted", "localhost", "ca.pem"), ("dpi_server", "localhost", "untrusted.pem"),
                 ("analyser", "localhost", "ca.pem"), (None, "localhost", "ca.pem")]
        for n, (certificate, host, ca) in enumerate(cases):
            with self.subTest(certificate=certificate, ca=ca):
                server, heard = socket.create_server(("127.0.0.1", 0)), []

                def serve(server=server, heard=heard, certificate=certificate):
                    while True:
                        try:
                            sock, _ = server.accept()
                            sock.settimeout(5)
                            if certificate:
                                context = mllp.server_context(pki / f"{certificate}-chain.pem", pki / f"{certificate}.key")
                                sock = context.wrap_socket(sock, server_side=True)
                                heard.append(sock.recv(4096))
                            else:       # plain text: what came must be no HL7
                                heard.append(sock.recv(4096) if b"MSH" in sock.recv(4096) else b"")
                        except (OSError, ssl.SSLError):
                            if server.fileno() < 0:
                                return

                threading.Thread(target=serve, daemon=True).start()
                source, control_id = f"127.0.0.{(9, 12, 13, 14, 15)[n]}", f"SEC05{n}"
                self.line.load_links(text % (f"sec-05-{n}", source, host, server.getsockname()[1], ca))
                client = self.speak(source)
                x = iter(range(100))
                harness.wait_until("the link", lambda: fields(client.exchange(oru(f"X{next(x)}N{n}")))[0] == "AA", 10, 0.3)
                self.assertEqual(fields(client.exchange(oru(control_id, "AL", "AL")))[0], "CA")
                harness.wait_until("refused", lambda: self.line.sql(
                    "select 1 from application_answer a join message m on m.id = a.message_id "
                    f"where m.control_id = '{control_id}' and a.state = 'due' and a.error_what <> ''") != [], 15, 0.2)
                server.close()
                self.assertEqual([h for h in heard if h], [])
                self.line.load_links(text % (f"sec-05-{n}", source, "127.0.0.1", 1, "ca.pem") + "active = false\n")

    def test_sec_06_a_renewed_certificate_counts_without_a_lost_message(self):
        pki = self.line.pki
        def served():
            context = ssl.create_default_context(cafile=str(pki / "ca.pem"))
            context.load_cert_chain(str(pki / "analyser-chain.pem"), str(pki / "analyser.key"))
            with socket.create_connection(("127.0.0.1", self.hospital_port()), 10) as raw, context.wrap_socket(raw, server_hostname="localhost") as sock:
                return sock.getpeercert()["serialNumber"]
        before = served()
        order, answers, stop = self.order(), [], threading.Event()
        client = self.hospital("analyser")

        def load():
            while not stop.is_set():
                control_id, message = analyser.build(order)
                answers.append((control_id, fields(client.exchange(message))[:2]))

        thread = threading.Thread(target=load)
        thread.start()
        try:
            for suffix in ("-chain.pem", ".key"):
                shutil.copy(pki / f"dpi_server{suffix}", pki / f"sgld_mllp{suffix}.new")
                os.replace(pki / f"sgld_mllp{suffix}.new", pki / f"sgld_mllp{suffix}")
            harness.wait_until("the new certificate", lambda: served() != before, 15, 0.3)
        finally:
            stop.set()
            thread.join()
        self.assertGreater(len(answers), 3)
        self.assertEqual([a for a in answers if a[1] != ("AA", a[0])], [])
        log = self.line.log.read_text()
        self.assertIn("certificates read again", log)

    def test_sec_07_slow_peers_are_cut_and_disturb_nobody(self):
        """Silent from the start, noise only, a block byte by byte, a block begun anew all the time: all are cut."""
        kinds = [lambda n: b"", lambda n: b"x", lambda n: b"\x0b" if n == 0 else b"M", lambda n: b"\x0bM"]
        slow = []
        for n in range(160):
            client = From(f"127.0.0.{16 + n % 8}", self.port, 5)
            client.socket.setblocking(False)
            slow.append((n, client))
            self.addCleanup(client.close)
        healthy, waits, step = self.speak("127.0.0.2"), [], 0
        end = time.monotonic() + 15
        while slow and time.monotonic() < end:
            still = []
            for n, client in slow:
                try:
                    if kinds[n % 4](step):
                        client.socket.send(kinds[n % 4](step))
                    if client.socket.recv(10) == b"":
                        continue
                except BlockingIOError:
                    pass
                except OSError:
                    continue
                still.append((n, client))
            slow, step = still, step + 1
            for _ in range(5):
                before = time.monotonic()
                self.assertEqual(fields(healthy.exchange(oru(f"SLOW{len(waits)}")))[0], "AA")
                waits.append(time.monotonic() - before)
            time.sleep(0.2)
        self.assertEqual(sorted({n % 4 for n, _ in slow}), [], "not cut")
        print(f"{len(waits)} messages beside 160 slow peers, the slowest {max(waits) * 1000:.0f} ms", file=sys.stderr)
        # Who has spoken may then be silent as long as it likes.
        quiet = self.speak("127.0.0.16")
        self.assertEqual(fields(quiet.exchange(oru("QUIET1")))[0], "AA")
        time.sleep(3)
        self.assertEqual(fields(quiet.exchange(oru("QUIET2")))[0], "AA")

    def test_z_nothing_was_said_that_must_not_be(self):
        log = self.line.log.read_text(errors="replace")
        self.assertNotIn("Sanitizer", log)
        self.assertNotIn("runtime error", log)


if __name__ == "__main__":
    unittest.main()
