"""The whole line on one machine: sgld on its embedded PostgreSQL, and the partners around it.

For the demonstration and the e2e tests. `Line` prepares a short folder, certificates, partners, settings and the
laboratory's data (all made from config/, nothing copied); `Daemon` is one running sgld; `Api` a signed-in user.
Nothing here knows how sgld works inside: it speaks HL7, HTTP and the command line, and for the proofs reads the database.
"""

import atexit
import concurrent.futures
import contextlib
import email
import email.policy
import hashlib
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTNERS = ROOT / "test" / "partners"
CONFIG = ROOT / "config"
sys.path.insert(0, str(PARTNERS))

import analyser  # noqa: E402
import launch  # noqa: E402
import mail_check  # noqa: E402
import mail_operator  # noqa: E402
import mllp  # noqa: E402
import pki  # noqa: E402
import registration  # noqa: E402
import scenario  # noqa: E402

USER = "sgld"
PASSWORD = "demonstration"
BIOLOGIST = {"690000011": "claire.biologiste", "690000012": "claire.biologiste", "690000021": "hugo.pharmacien"}
OPERATOR = "noe.informatique"
LISTENER = {"690000011": "centre", "690000012": "nord", "690000021": "hopital"}
TLS_SITE = "690000021"      # its listener wants client certificates
CHANNELS = {"dmp": "DMP", "patient": "MSS_CITIZEN", "correspondents": "MSS_PRO", "dpi": "ORU_HOSPITAL"}
MOVING = {"due", "sending", "retry", "in_doubt"}
SHARED = pathlib.Path(os.environ.get("SGL_SHARED") or ROOT.parent / "shared")


class Failed(Exception):
    """Something that should have happened did not; the text says what."""


def wait_until(what, condition, limit=30.0, pause=0.05):
    """The first true value of condition(); Failed after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {limit:.0f} s")
        time.sleep(pause)


# -- who and where --------------------------------------------------------------------------------------------

def service_user():
    """The account of sgld: `sgld` (made when missing) as root, else ourselves; a pwd entry."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--home-dir", "/var/lib/sgld",
                        "--shell", "/usr/sbin/nologin", USER], check=True)
        return pwd.getpwnam(USER)


def as_user(user):
    """What subprocess needs to run something as `user`."""
    if os.geteuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


# -- settings -------------------------------------------------------------------------------------------------

def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    return str(value) if isinstance(value, int) else json.dumps(str(value))


def with_settings(text, changes):
    """The settings file `text` with other values: {"web": {"port": 0}, "listener centre": {...}}.

    A key that stands in the file changes in place. One that does not is added, in a listener only (the file shows each
    key once, so nothing else may be missing). Raises KeyError for a section or key that is not there.
    """
    wanted = {section: dict(keys) for section, keys in changes.items()}
    blocks = re.split(r"(?m)^(?=\[)", text)
    for n, block in enumerate(blocks):
        header = re.match(r"\[+([a-z_]+)\]+", block)
        if not header:
            continue
        section = header.group(1)
        if section == "listener":
            section += " " + re.search(r'(?m)^name = "([^"]+)"', block).group(1)
        keys = wanted.pop(section, {})
        for key, value in keys.items():
            line = f"{key} = {toml_value(value)}"
            block, found = re.subn(rf"(?m)^{re.escape(key)} = .*$", lambda _, line=line: line, block)
            if not found and section.startswith("listener "):
                block = re.sub(r"(?m)^(name = .*)$", lambda m, line=line: m.group(1) + "\n" + line, block, count=1)
            elif found != 1:
                raise KeyError(f"[{section}] {key} is not in the settings file")
        blocks[n] = block
    if wanted:
        raise KeyError(f"no section {', '.join(wanted)} in the settings file")
    return "".join(blocks)


def replaced(text, old, new):
    """`text` with every `old` changed; KeyError when there is none (the samples have moved on)."""
    if old not in text:
        raise KeyError(f"{old!r} is not in the sample")
    return text.replace(old, new)


# -- the daemon -----------------------------------------------------------------------------------------------

class Daemon:
    """One `sgld run`. `ready` is the content of its ready file."""

    def __init__(self, line, failpoint="", wait=None, expect_ready=True):
        self.line = line
        self.log = open(line.log, "ab")
        line.ready_file.unlink(missing_ok=True)
        environment = dict(os.environ)
        environment.pop("SGLD_FAILPOINT", None)
        if failpoint:
            environment["SGLD_FAILPOINT"] = failpoint
        self.process = subprocess.Popen([str(line.sgld), "-c", str(line.settings_file), "run"], cwd="/", env=environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        self.started = time.monotonic()
        self.ready = None
        if expect_ready:
            self.wait_ready(wait or 60.0)

    def _ready(self):
        if self.process.poll() is not None:
            return True
        try:
            value = json.loads(self.line.ready_file.read_text())
        except (OSError, ValueError):
            return False
        if value.get("pid") != self.process.pid:
            return False
        self.ready = value
        return True

    def wait_ready(self, limit=60.0):
        """True when it serves, False when it ended before."""
        wait_until("sgld ready", self._ready, limit, 0.02)
        if self.ready is None:
            return False
        self.ready_after = time.monotonic() - self.started
        return True

    def alive(self):
        return self.process.poll() is None

    def memory(self):
        """Resident memory, in MB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    def kill(self):
        """As a power cut of the process."""
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.log.close()

    def stop(self, limit=60.0):
        """SIGTERM; the exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
            raise Failed(f"sgld did not end within {limit:.0f} s of SIGTERM") from None
        finally:
            self.log.close()
        return code


class Api:
    """A user signed in to the JSON API."""

    def __init__(self, port, login, password=PASSWORD):
        self.port, self.cookie, self.token = port, "", ""
        status, value = self.call("POST", "/api/v1/session", {"login": login, "password": password})
        if status != 201:
            raise Failed(f"sign-in of {login}: {status} {value}")
        self.token = value["csrf_token"]

    def call(self, method, path, body=None):
        """(status, JSON or bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Accept": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if method != "GET":
            headers["Content-Type"] = "application/json"
            headers["X-CSRF-Token"] = self.token
        try:
            connection.request(method, path, json.dumps(body if body is not None else {}).encode() if method != "GET" else None,
                               headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        if "json" in (answer.getheader("Content-Type") or ""):
            return answer.status, json.loads(data)
        return answer.status, data

    def get(self, path):
        status, value = self.call("GET", path)
        if status != 200:
            raise Failed(f"GET {path}: {status} {value}")
        return value

    def order_id(self, number):
        """The identifier of the order with that number of ours; None when it is not there."""
        for order in self.get("/api/v1/orders?state=all")["orders"]:
            if order["number"] == number:
                return order["id"]
        return None

    def order(self, number):
        identifier = self.order_id(number)
        return self.get(f"/api/v1/orders/{identifier}") if identifier else None

    def validate(self, number, comment=""):
        """Sign the order as it is shown now; (status, answer). Read again when something came in between."""
        for _ in range(5):
            order = self.order(number)
            if order is None or not order.get("draft"):
                raise Failed(f"order {number}: nothing to validate: {order and order.get('draft_error')}")
            wish = {"row_version": order["row_version"], "results": [r["id"] for r in order["draft"]["results"]]}
            if comment:
                wish["comment"] = comment
            status, value = self.call("POST", f"/api/v1/orders/{order['id']}/validation", wish)
            if status != 409:
                break
        return status, value

    def letters(self, number=None):
        found = self.get("/api/v1/letters")["letters"]
        return [letter for letter in found if number is None or letter["order_number"] == number]


# -- the whole line -------------------------------------------------------------------------------------------

class Line:
    """Folder, certificates, partners, settings; sgld is started by start()."""

    def __init__(self, sgld, settings=None, partners=True, keep=False, told=lambda text: None, pki_folder=None):
        """settings: more changes to config/sgld.toml; pki_folder: certificates made before, used again."""
        self.sgld = pathlib.Path(sgld).resolve()
        if not os.access(self.sgld, os.X_OK):
            raise Failed(f"{self.sgld} is not there: build target sgld first")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sgld-", dir="/tmp"))
        self.database = self.folder / "run"     # where its socket is
        self.keep = keep
        self.closed = False
        self.user = service_user()
        self.settings_file = self.folder / "sgld.toml"
        self.ready_file = self.folder / "run" / "ready.json"
        self.log = self.folder / "sgld.log"
        self.log.touch()
        self.pki = pathlib.Path(pki_folder) if pki_folder else self.folder / "pki"
        self.partners = self.folder / "partners"
        self.daemon = None
        self.dmp = self.mail = self.dpi = None
        atexit.register(self.close)     # also when a test is interrupted
        try:
            for name in ("run", "data", "lab"):
                (self.folder / name).mkdir()
            told("certificates")
            self.certificates = pki.make(self.pki)["certificates"]
            if partners:
                told("partners")
                self.start_partners()
            self.write_settings(settings or {})
            self.write_laboratory()
            self.own()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def own(self):
        """What sgld reads or writes belongs to its user."""
        if os.geteuid() != 0:
            return
        for name in ("run", "data", "lab"):
            for path in [self.folder / name, *(self.folder / name).rglob("*")]:
                with contextlib.suppress(FileNotFoundError):  # a running server makes and removes files of its own
                    os.chown(path, self.user.pw_uid, self.user.pw_gid)
        os.chmod(self.folder, 0o711)      # its user passes through; the names inside stay unknown to others

    # -- partners ---------------------------------------------------------------------------------------------

    def start_partners(self):
        self.partners.mkdir(exist_ok=True)
        mailboxes, dmp = self.folder / "mailboxes.json", self.folder / "dmp.json"
        mailboxes.write_text(json.dumps(scenario.mailboxes()))
        dmp.write_text(json.dumps({"closed": scenario.everything()["closed_dmp"]}))
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            starting = {
                "dmp": pool.submit(launch.Partner, "dmp.py", self.partners, "--pki", self.pki, "--config", dmp),
                "mail": pool.submit(launch.Partner, "mail_operator.py", self.partners, "--pki", self.pki, "--mailboxes",
                                    mailboxes),
                "dpi": pool.submit(launch.Partner, "dpi.py", self.partners, "--tls-cert", self.pki / "dpi_server-chain.pem",
                                   "--tls-key", self.pki / "dpi_server.key", "--tls-ca", self.pki / "ca.pem",
                                   "--processing-id", "T"),
            }
            for name, future in starting.items():
                try:
                    setattr(self, name, future.result())
                except RuntimeError as problem:
                    error = problem
                else:
                    continue
                raise Failed(str(error))

    # -- files ------------------------------------------------------------------------------------------------

    def write_settings(self, more):
        changes = {
            "instance": {"label": "demonstration"},
            "daemon": {"user": self.user.pw_name, "state_dir": self.folder / "data", "credentials_dir": self.pki,
                       "stop_within": "10s"},
            "database": {"socket_dir": self.folder / "run", "shared_buffers": "64MB"},
            "web": {"port": 0, "demonstration_accounts": True},
            "ready": {"file": self.ready_file},
            "delivery": {"retry_delays": ["1s", "2s", "5s"], "poll": "1s", "circuit_breaker_pause": "2s"},
            "listener centre": {"port": 0}, "listener nord": {"port": 0},
            "listener hopital": {"port": 0, "tls": True, "certificate": "sgld_mllp-chain.pem", "key": "sgld_mllp.key",
                                 "client_ca": "ca.pem"},
        }
        for section, keys in more.items():
            changes.setdefault(section, {}).update(keys)
        self.settings_file.write_text(with_settings((CONFIG / "sgld.toml").read_text(), changes))
        os.chmod(self.settings_file, 0o644)

    def write_laboratory(self):
        """The samples of config/ with the ports and certificates of this run, in the folder `lab`."""
        links = (CONFIG / "links.sample.toml").read_text()
        for name in ("registration", "analyser"):
            subject = self.certificates[name]["subject"]
            place = f'name = "{name}-hopital"\n'
            links = replaced(links, place, f'{place}tls_subject = {toml_value(subject)}\n'
                             f'tls_fingerprint = "{self.certificates[name]["sha256"]}"\n')
        texts = {"links.toml": links}
        if self.dmp:
            partners = (CONFIG / "partners.sample.toml").read_text()
            partners = replaced(partners, "localhost:18443", f"localhost:{self.dmp.ready['port']}")
            partners = replaced(partners, "port = 10587", f"port = {self.mail.ready['port']}")
            partners = replaced(partners, "port = 12575", f"port = {self.dpi.ready['port']}")
            texts["partners.toml"] = partners
        for name in ("laboratory.toml", "users.toml", "catalogue.csv", "correspondents.csv"):
            stem, suffix = name.split(".")
            texts[name] = (CONFIG / f"{stem}.sample.{suffix}").read_text()
        self.laboratory = []
        for name in ("laboratory.toml", "links.toml", "partners.toml", "users.toml", "correspondents.csv", "catalogue.csv"):
            if name in texts:
                path = self.folder / "lab" / name
                path.write_text(texts[name])
                self.laboratory.append(path)

    # -- sgld -------------------------------------------------------------------------------------------------

    def start(self, failpoint="", **how):
        if self.daemon:
            self.daemon.kill()      # what a failed test left behind
        self.daemon = Daemon(self, failpoint, **how)
        if self.daemon.ready is None and not failpoint and how.get("expect_ready", True):
            raise Failed(f"sgld did not start (exit {self.daemon.process.returncode}):\n{self.tail()}")
        return self.daemon

    def command(self, *arguments, limit=120):
        """One command of sgld, finished: subprocess.CompletedProcess with texts."""
        return subprocess.run([str(self.sgld), "-c", str(self.settings_file), *map(str, arguments)], cwd="/",
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit)

    def run(self, *arguments):
        """Its standard output; Failed unless it exits 0."""
        done = self.command(*arguments)
        if done.returncode != 0:
            raise Failed(f"sgld {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def load(self):
        """The laboratory's data."""
        return self.run("import", *self.laboratory)

    def load_links(self, text):
        """More links, or the same ones changed: a file of them."""
        path = self.folder / "lab" / "more-links.toml"
        path.write_text(text)
        self.own()
        return self.run("import", path)

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def sql(self, statement):
        """Rows of texts, read as the superuser of the private cluster (proofs only: sgld itself never is)."""
        done = subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-h", str(self.database), "-U", self.user.pw_name,
                               "-d", "sgl", "-X", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-c", statement],
                              cwd="/", capture_output=True, text=True, timeout=60, **as_user(self.user))
        if done.returncode != 0:
            raise Failed(f"psql: {done.stderr}")
        return [tuple(row.split("\x1f")) for row in done.stdout.splitlines() if row]

    # -- partners' side of the links --------------------------------------------------------------------------

    def connect(self, site, kind, timeout=30.0):
        """An MLLP client for the links of a site; kind: "registration" or "analyser"."""
        tls = None
        if site == TLS_SITE:
            tls = mllp.client_context(self.pki / "ca.pem", self.pki / f"{kind}-chain.pem", self.pki / f"{kind}.key")
        return mllp.Client("127.0.0.1", self.daemon.ready["listeners"][LISTENER[site]], tls, timeout)

    def register(self, order, **how):
        """One order by OML^O21; Failed unless accepted. order["filler"] becomes our number of it, which the ORL tells."""
        with self.connect(order["site"], "registration") as client:
            control_id, problems, answer = registration.send(client, order, **how)
        if problems:
            raise Failed(f"order {order['number']}: {'; '.join(problems)}")
        order["filler"] = filler_of(answer)
        return control_id

    def measure(self, order, flavour="plain"):
        """All its results by ORU^R01; Failed unless each message is answered AA."""
        with self.connect(order["site"], "analyser") as client:
            for control_id, message in analyser.messages_of(order, flavour):
                code, problems = analyser.send(client, control_id, message)
                if code != "AA":
                    raise Failed(f"results of {order['number']}: {'; '.join(problems)}")

    def api(self, login):
        return Api(self.daemon.ready["web"], login)

    def biologist(self, site):
        return self.api(BIOLOGIST[site])

    # -- what came out ----------------------------------------------------------------------------------------

    def export(self):
        """{our order number: {"cda": path, "pdf": path, "oid": text}} and the folder (it belongs to sgld's user)."""
        folder = self.folder / "run" / f"export-{time.monotonic_ns()}"
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        self.run("export", "--out", folder)
        reports = {}
        for path in sorted((folder / "cda").glob("*.xml")):
            number = path.stem.rsplit("-v", 1)[0]
            text = path.read_text()
            reports[number] = {"cda": path, "pdf": folder / "pdf" / (path.stem + ".pdf"),
                               "oid": re.search(r'<id root="([0-9.]+)"', text).group(1)}
        return reports, folder

    def mailboxes(self):
        """{address: [bytes]} of every mailbox that got something, fetched by IMAP."""
        boxes = {}
        for box in scenario.mailboxes():
            found = mail_operator.fetch(self.mail.ready, box["address"], self.pki, box["password"])
            if found:
                boxes[box["address"]] = found
        return boxes

    def close(self):
        if self.closed:
            return
        self.closed = True
        if self.daemon:
            try:
                self.daemon.stop(30)
            except (Failed, OSError, ValueError):
                pass
        for partner in (self.dmp, self.mail, self.dpi):
            if partner:
                partner.stop()
        if self.keep:
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def filler_of(answer):
    """ORC-3 of an ORL^O22: the number under which the laboratory keeps the order."""
    return mllp.component(mllp.field(mllp.Message(answer).first("ORC"), 3), 1)


# -- what must be true ----------------------------------------------------------------------------------------

def expected_letters(order):
    """[(channel, state)] that the scenario wants for an order, sorted."""
    wanted = []
    people = {p["rpps"] for p in [order["prescriber"], *order["copies"]]}
    for key, state in order["expected"].items():
        wanted += [(CHANNELS[key], state)] * (len(people) if key == "correspondents" else 1)
    return sorted(wanted)


def settled(state):
    """A state as the scenario names it: delivered is more than accepted."""
    return "accepted" if state == "delivered" else state


def letters_problems(order, letters):
    """What differs from the scenario, as sentences; [] when all is as it must be."""
    found = sorted((letter["channel"], settled(letter["state"])) for letter in letters)
    wanted = expected_letters(order)
    if found == wanted:
        return []
    return [f"order {order['number']}: letters {found}, expected {wanted}"] + [
        f"order {order['number']}: {x['channel']} {x['state']} {x['reason']} {x['error_where']} {x['error_what']}"
        for x in letters if x["state"] in MOVING | {"dead", "held"}]


def mail_document(data):
    """(CDA bytes, problems, Mail) of one mail as received."""
    mail = mail_check.Mail(data, nil=False)
    return mail.cda or b"", mail.problems, mail


def oid_of(cda):
    found = re.search(rb'<id root="([0-9.]+)"', cda)
    return found.group(1).decode() if found else ""


def message_id(data):
    return email.message_from_bytes(data, policy=email.policy.default)["Message-ID"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def dmp_problems(line, reports, numbers):
    """Each of `numbers` is in the DMP once: one current document, one signature."""
    entries = json.loads((line.partners / "registry.json").read_text())["entries"]
    problems = []
    for number in numbers:
        mine = [e for e in entries if e["uniqueId"] == reports[number]["oid"]]
        if len(mine) != 1 or not mine[0]["status"].endswith(":Approved"):
            problems.append(f"order {number}: {len(mine)} entries in the DMP")
        elif mine[0]["hash"] != hashlib.sha1(reports[number]["cda"].read_bytes()).hexdigest():
            problems.append(f"order {number}: the DMP holds other bytes")
        else:
            signatures = [e for e in entries if e["kind"] == "signature" and e["submission"] == mine[0]["submission"]]
            if len(signatures) != 1:
                problems.append(f"order {number}: {len(signatures)} signatures in the DMP")
    return problems


def dpi_problems(line, reports, numbers):
    """The hospital record holds each document once, with the bytes of the export."""
    messages = [m for m in line.dpi.state()["messages"] if m["code"] == "AA"]
    problems = []
    for number in numbers:
        mine = [m for m in messages if m.get("document_id") == reports[number]["oid"]]
        if len(mine) != 1:
            problems.append(f"order {number}: {len(mine)} messages in the DPI")
        else:
            document = (line.partners / "dpi" / mine[0]["file"]).with_suffix(".xml").read_bytes()
            if document != reports[number]["cda"].read_bytes():
                problems.append(f"order {number}: the DPI holds other bytes")
    return problems


def mail_problems(boxes, reports, orders, crashes=0):
    """Every mail is right and brings the exported document; each mailbox got each report under one Message-ID."""
    problems, got = [], {}
    by_oid = {report["oid"]: number for number, report in reports.items()}
    for address, mails in boxes.items():
        for data in mails:
            if b"report-type=delivery-status" in data[:2000]:
                continue
            cda, wrong, mail = mail_document(data)
            number = by_oid.get(oid_of(cda))
            if number is None:
                problems.append("a mail holds a document that was never exported")
                continue
            problems += [f"order {number}: mail: {p}" for p in wrong]
            if cda != reports[number]["cda"].read_bytes() or mail.pdf != reports[number]["pdf"].read_bytes():
                problems.append(f"order {number}: a mail holds other bytes than the export")
            got.setdefault((number, address), []).append(message_id(data))
    wanted = set()
    for order in orders:
        states = order["expected"]
        if states.get("correspondents") == "accepted":
            wanted |= {(order["filler"], c["mssante"]) for c in [order["prescriber"], *order["copies"]]}
        if states.get("patient") == "accepted":
            wanted.add((order["filler"], scenario.address_of(order["patient"])))
    numbers = {order["filler"] for order in orders}
    found = {key for key in got if key[0] in numbers}
    if found != wanted:
        problems += [f"order {n}: a mail is missing" for n, _ in wanted - found]
        problems += [f"order {n}: a mail too many" for n, _ in found - wanted]
    for (number, _), ids in got.items():
        if number not in numbers:
            continue
        if len(set(ids)) != 1:
            problems.append(f"order {number}: {len(set(ids))} Message-IDs in one mailbox")
        if len(ids) > 1 + crashes:
            problems.append(f"order {number}: {len(ids)} copies in one mailbox")
    return problems


def canaries():
    """Texts that must never leave the database and the partners' links (I10): people of the scenario."""
    words = set()
    for patient in scenario.PATIENTS:
        words |= {patient["family"], patient["ins"], scenario.address_of(patient), patient["street"]}
        if patient["used_family"]:
            words.add(patient["used_family"])
    return {w for w in words if len(w) > 5}


def canary_problems(named_texts, words):
    """Where a canary was seen; the words themselves are not told."""
    problems = []
    for name, text in named_texts:
        for word in words:
            if word.lower() in text.lower():
                problems.append(f"{name}: holds a word of canary {sha256(word.encode())[:8]} ({len(word)} characters)")
    return problems
