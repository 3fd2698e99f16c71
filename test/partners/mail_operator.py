#!/usr/bin/python3
"""A stand-in MSSanté operator on loopback: SMTP submission (this program) and Dovecot (LMTP, IMAP, IMAPS).

Submission wants STARTTLS (TLS 1.2 or later) and a registered client certificate, whose mailbox is the only MAIL FROM
allowed; it announces SIZE, 8BITMIME, SMTPUTF8 and DSN, and really sends delivery reports. Each message is kept as
OUT/mail/<n>.eml with its envelope in <n>.json; OUT/mail.json tells all of it. MAILBOXES is a JSON list of
{"address", "password"} or [address, password]. Started as root, Dovecot runs as the account --user.

Recipients that answer by rule (--rules FILE adds to them): see RULES in this file.
Faults (POST /script on the control port; match = part of the recipient's address): down, slow:SECONDS, 4xx[:TEXT], 5xx[:TEXT]
(after DATA), mail:REPLY, rcpt:REPLY; rcpt_close, rcpt_hang (never answered), rcpt_drip (one byte per second), rcpt_garbage,
rcpt_other (two answers to one command); close_before_250, hang, garbage (nothing kept); close_after_data (kept and delivered,
closed without 250), hang_after, garbage_after, drip, close_after_250.
"""

import asyncio
import ctypes
import email.utils
import hashlib
import imaplib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from aiosmtpd.smtp import SMTP

import common

AT_RCPT = ["rcpt", "rcpt_close", "rcpt_hang", "rcpt_drip", "rcpt_garbage", "rcpt_other"]
AT_DATA = ["slow", "4xx", "5xx", "close_before_250", "hang", "garbage", "close_after_data", "hang_after", "garbage_after", "drip",
           "close_after_250"]
FAULTS = ["down", "mail", *AT_RCPT, *AT_DATA]
GARBAGE = b"\x00\xff <html>maintenance</html>\r\n"
DOMAIN = ".mssante.fr"
SIZE = 10485760
BOUNCE = "bounce"
RULES = {
    "279035121518001@patient.mssante.fr": "550 5.2.1 messagerie usager fermee",
    "quota@medecin-test.mssante.fr": "452 4.2.2 Mailbox full",
    "occupe@medecin-test.mssante.fr": "450 4.2.0 Mailbox temporarily unavailable",
    "fantome@medecin-test.mssante.fr": BOUNCE,
}
DSN_WORD = re.compile(r"\s+(RET|ENVID|NOTIFY|ORCPT)=(\S+)", re.IGNORECASE)

CONFIGURATION = """\
base_dir  = {dir}/run
state_dir = {dir}/state
instance_name = mss-test
log_path      = {dir}/dovecot.log
info_log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user  = {user}
default_internal_group = {group}
default_login_user     = {user}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:~/Maildir
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cipher_list  = ECDHE+AESGCM:DHE+AESGCM
ssl_cert = <{dir}/server-chain.pem
ssl_key  = <{dir}/server.key
ssl_ca   = <{dir}/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_require_client_cert = yes
disable_plaintext_auth = yes
auth_mechanisms = plain login
# addresses keep their case: a Corsican matricule has a letter
auth_username_format = %u
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%d/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  chroot =
}}
service lmtp {{
  user = {user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
protocol lmtp {{
  ssl = no
}}
"""


def end_with_parent():
    """In the child: SIGTERM when this program dies, however it dies (Linux, PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def account(name):
    """The unprivileged account of Dovecot: the present one, or (as root) `name`, made when it does not exist."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name], check=True)
        return pwd.getpwnam(name)


class Dovecot:
    """A private Dovecot in a folder that its account can traverse."""

    def __init__(self, folder, pki, mailboxes, user):
        self.account = account(user)
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="mss-")).resolve()
        self.temporary = not folder
        self.process = None
        for sub in ("run", "state", "mail"):
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        for source, target in (("mail_server-chain.pem", "server-chain.pem"), ("mail_server.key", "server.key"),
                               ("ca.pem", "ca.pem")):
            shutil.copyfile(pathlib.Path(pki) / source, self.folder / target)
        self.mailboxes = {}
        self.add(mailboxes)

    def add(self, mailboxes):
        for box in mailboxes:
            address, password = (box["address"], box["password"]) if isinstance(box, dict) else box
            self.mailboxes[address] = password
        common.write_atomic(self.folder / "users",
                            "".join(f"{a}:{{PLAIN}}{p}::::::\n" for a, p in sorted(self.mailboxes.items())))
        return {"mailboxes": len(self.mailboxes)}

    def own(self):
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{self.account.pw_uid}:{self.account.pw_gid}", str(self.folder)], check=True)

    def start(self):
        for attempt in range(3):
            self.imap, self.imaps, self.lmtp = free_ports(3)
            group = subprocess.run(["id", "-gn", self.account.pw_name], capture_output=True, text=True, check=True).stdout.strip()
            common.write_atomic(self.folder / "dovecot.conf", CONFIGURATION.format(
                dir=self.folder, user=self.account.pw_name, group=group, uid=self.account.pw_uid, gid=self.account.pw_gid,
                imap=self.imap, imaps=self.imaps, lmtp=self.lmtp))
            self.own()
            who = {}
            if os.geteuid() == 0:
                who = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
            with open(self.folder / "stdout.log", "ab") as log:
                self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],
                                                stdout=log, stderr=log, cwd="/", preexec_fn=end_with_parent, **who)
            if self.wait():
                return
            self.stop()
        raise SystemExit("dovecot does not start:\n" + (self.folder / "stdout.log").read_text()
                         + self.log())

    def log(self):
        path = self.folder / "dovecot.log"
        return path.read_text() if path.exists() else ""

    def wait(self):
        for _ in range(200):
            if self.process.poll() is not None:
                return False
            try:
                for port in (self.lmtp, self.imaps):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.temporary and self.process:
            shutil.rmtree(self.folder, ignore_errors=True)


class Submission(SMTP):
    """aiosmtpd with the delivery-status words of RFC 3461, which it does not know."""

    async def smtp_MAIL(self, arg):
        words = {k.upper(): v for k, v in DSN_WORD.findall(arg or "")}
        if "RET" in words and words["RET"].upper() not in ("FULL", "HDRS"):
            return await self.push("501 5.5.4 RET is FULL or HDRS")
        await super().smtp_MAIL(DSN_WORD.sub("", arg) if arg else arg)
        self.envelope.dsn = words
        self.envelope.notify = {}

    async def smtp_RCPT(self, arg):
        words = {k.upper(): v for k, v in DSN_WORD.findall(arg or "")}
        notify = [w.upper() for w in words.get("NOTIFY", "").split(",") if w]
        if not set(notify) <= {"NEVER", "SUCCESS", "FAILURE", "DELAY"} or ("NEVER" in notify and len(notify) > 1):
            return await self.push("501 5.5.4 NOTIFY not understood")
        before = len(self.envelope.rcpt_tos)
        await super().smtp_RCPT(DSN_WORD.sub("", arg) if arg else arg)
        if len(self.envelope.rcpt_tos) > before:
            self.envelope.notify[self.envelope.rcpt_tos[-1]] = notify


class Hangup(asyncio.Protocol):
    def connection_made(self, transport):
        transport.abort()


class Operator:
    def __init__(self, options, dovecot, clients):
        self.options = options
        self.dovecot = dovecot
        self.clients = clients            # sha-256 of the certificate -> mailbox
        self.records = common.Records(options.out, "mail")
        self.faults = common.Faults(FAULTS)
        self.rules = dict(RULES)
        self.messages = []
        self.counts = {"connections": 0, "accepted": 0, "refused": 0, "reports": 0}
        self.lock = threading.Lock()
        self.write()

    def state(self):
        with self.lock:
            return {"counts": dict(self.counts), "messages": [dict(m) for m in self.messages]}

    def write(self):
        common.write_json(os.path.join(self.options.out, "mail.json"),
                          {"counts": self.counts, "messages": self.messages})

    def connection(self, context):
        self.counts["connections"] += 1
        if self.faults.next(only={"down"}):
            return Hangup()
        return Submission(self, hostname="operateur-test.mssante.fr", tls_context=context, require_starttls=True,
                          data_size_limit=SIZE, enable_SMTPUTF8=True, timeout=120,
                          auth_exclude_mechanism=("LOGIN", "PLAIN"))

    # -- hooks of aiosmtpd ----------------------------------------------------------------------------------

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if session.ssl is not None:
            responses.insert(-1, "250-DSN")
            responses.insert(-1, "250-ENHANCEDSTATUSCODES")
        return responses

    def mailbox_of(self, server):
        tls = server.transport.get_extra_info("ssl_object")
        der = tls.getpeercert(True) if tls else None
        return self.clients.get(hashlib.sha256(der).hexdigest()) if der else None

    async def handle_MAIL(self, server, session, envelope, address, options):
        fault = self.faults.next(only={"mail"})
        if fault:
            return fault.partition(":")[2] or "451 4.3.0 scripted"
        mailbox = self.mailbox_of(server)
        if mailbox is None:
            self.counts["refused"] += 1
            return "554 5.7.1 certificate not registered for a mailbox"
        if address.lower() != mailbox.lower():
            self.counts["refused"] += 1
            return "553 5.7.1 sender address is not the mailbox of this certificate"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        fault = self.faults.next(text=address, only=set(AT_RCPT))
        verb, _, argument = fault.partition(":")
        if verb == "rcpt":
            return argument or "450 4.2.0 scripted"
        if verb == "rcpt_hang":
            await asyncio.sleep(float(argument or 90))
        if verb in ("rcpt_close", "rcpt_hang"):
            server.transport.abort()
            return "421 4.3.0 closing"
        if verb == "rcpt_drip":
            await self.drip(server, b"450 4.2.0 one byte after the other\r\n")
            return "421 4.3.0 closing"
        if verb == "rcpt_garbage":
            server.transport.write(GARBAGE)
            server.transport.close()
            return "421 4.3.0 closing"
        if verb == "rcpt_other":
            return "250 2.1.5 Ok\r\n250 2.0.0 Ok: queued as 99999"
        rule = self.rules.get(address)
        if rule and rule != BOUNCE:
            return rule
        if not address.lower().endswith(DOMAIN):
            return "550 5.7.1 domaine hors espace de confiance"
        if rule != BOUNCE and address not in self.dovecot.mailboxes:
            return "550 5.1.1 User unknown in virtual mailbox table"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        fault = self.faults.next(text=" ".join(envelope.rcpt_tos), only=set(AT_DATA))
        verb, _, argument = fault.partition(":")
        if verb == "slow":
            await asyncio.sleep(float(argument or 5))
        if verb == "4xx":
            return argument or "451 4.3.0 scripted temporary failure"
        if verb == "5xx":
            return argument or "554 5.3.0 scripted permanent failure"
        if verb == "hang":
            await asyncio.sleep(float(argument or 90))
        if verb == "garbage":
            server.transport.write(GARBAGE)
            server.transport.close()
            return "421 4.3.0 closing"
        if verb in ("close_before_250", "hang"):
            server.transport.abort()
            return "421 4.3.0 closing"
        content = envelope.original_content
        reply = await asyncio.get_running_loop().run_in_executor(None, self.deliver, envelope, content)
        if verb == "hang_after":
            await asyncio.sleep(float(argument or 90))
        if verb == "garbage_after":
            server.transport.write(GARBAGE)
            server.transport.close()
        if verb == "drip":
            await self.drip(server, reply.encode() + b"\r\n")
        if verb in ("close_after_data", "hang_after"):
            server.transport.abort()
        if verb == "close_after_250":
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return reply

    async def drip(self, server, data):
        """One byte per second, then the end."""
        for byte in data:
            if server.transport.is_closing():
                return
            server.transport.write(bytes([byte]))
            await asyncio.sleep(1)
        server.transport.close()

    # -- delivery -------------------------------------------------------------------------------------------

    def deliver(self, envelope, content):
        living = [r for r in envelope.rcpt_tos if self.rules.get(r) != BOUNCE]
        dead = [r for r in envelope.rcpt_tos if self.rules.get(r) == BOUNCE]
        if living:
            try:
                self.lmtp(envelope.mail_from, living, content)
            except smtplib.SMTPRecipientsRefused as refused:
                code, text = next(iter(refused.recipients.values()))
                return f"{code} {text.decode('ascii', 'replace')}"
            except (OSError, smtplib.SMTPException):
                return "451 4.3.0 delivery not possible now"
        number = self.keep(envelope, content)
        for recipient in envelope.rcpt_tos:
            notify = envelope.notify.get(recipient) or ["FAILURE"]
            if recipient in dead and "FAILURE" in notify:
                self.report(envelope, content, recipient, "failed", "5.1.1",
                            f"smtp; 550 5.1.1 <{recipient}>: Recipient address rejected: User unknown")
            elif recipient in living and "SUCCESS" in notify:
                self.report(envelope, content, recipient, "delivered", "2.0.0", "smtp; 250 2.0.0 Ok")
        return f"250 2.0.0 Ok: queued as {number:05d}"

    def lmtp(self, sender, recipients, content):
        with smtplib.LMTP("127.0.0.1", self.dovecot.lmtp) as server:
            return server.sendmail(sender, recipients, content)

    def keep(self, envelope, content):
        with self.lock:
            number = self.records.number()
            self.records.save(number, ".eml", content)
            head = content.split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace")
            found = re.search(r"^message-id:\s*(\S+)", head, re.IGNORECASE | re.MULTILINE)
            entry = {"n": number, "from": envelope.mail_from, "to": list(envelope.rcpt_tos), "bytes": len(content),
                     "sha256": hashlib.sha256(content).hexdigest(), "message_id": found.group(1) if found else "",
                     "options": list(envelope.mail_options), "dsn": envelope.dsn, "notify": envelope.notify,
                     "file": f"{number:05d}.eml"}
            self.records.save(number, ".json", json.dumps(entry, ensure_ascii=False, indent=1) + "\n")
            self.messages.append(entry)
            self.counts["accepted"] += 1
            self.write()
            return number

    def report(self, envelope, content, recipient, action, status, diagnostic):
        """A delivery report (RFC 3464) to the envelope sender."""
        boundary = f"rapport-{time.time_ns()}"
        headers = content.split(b"\r\n\r\n", 1)[0] + b"\r\n"
        subject = "Undelivered Mail Returned to Sender" if action == "failed" else "Successful Mail Delivery Report"
        status_part = ["Reporting-MTA: dns; operateur-test.mssante.fr"]
        if "ENVID" in envelope.dsn:
            status_part.append(f"Original-Envelope-Id: {envelope.dsn['ENVID']}")
        status_part += ["", f"Final-Recipient: rfc822; {recipient}", f"Original-Recipient: rfc822;{recipient}",
                        f"Action: {action}", f"Status: {status}", f"Diagnostic-Code: {diagnostic}"]
        text = [f"Date: {email.utils.formatdate()}", "From: MAILER-DAEMON@operateur-test.mssante.fr (Mail Delivery System)",
                f"Subject: {subject}", f"To: {envelope.mail_from}", "Auto-Submitted: auto-replied",
                f"Message-ID: <{time.time_ns()}@operateur-test.mssante.fr>", "MIME-Version: 1.0",
                f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"', "",
                f"--{boundary}", "Content-Type: text/plain; charset=us-ascii", "", f"{subject}: <{recipient}>", "",
                f"--{boundary}", "Content-Type: message/delivery-status", "", *status_part, "",
                f"--{boundary}", "Content-Type: text/rfc822-headers", "", ""]
        body = "\r\n".join(text).encode() + headers + f"\r\n--{boundary}--\r\n".encode()
        try:
            self.lmtp("<>", [envelope.mail_from], body)
            self.counts["reports"] += 1
        except (OSError, smtplib.SMTPException) as problem:
            common.say(f"mail operator: report to {envelope.mail_from} lost: {type(problem).__name__}")


def submission_context(pki):
    pki = pathlib.Path(pki)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pki / "mail_server-chain.pem", pki / "mail_server.key")
    context.load_verify_locations(pki / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def certificate_hash(path):
    text = pathlib.Path(path).read_text()
    first = text[text.index("-----BEGIN"):text.index("-----END CERTIFICATE-----") + 25]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


def fetch(ready, address, pki, password=None, folder="INBOX"):
    """Every message of a mailbox, by IMAPS with a client certificate: a list of bytes.

    ready: the dictionary of the --ready file, pki: the folder of pki.py, password: as in MAILBOXES.
    """
    pki = pathlib.Path(pki)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pki / "ca.pem")
    context.load_cert_chain(pki / "tests_mail-chain.pem", pki / "tests_mail.key")
    box = imaplib.IMAP4_SSL("localhost", ready["imaps_port"], ssl_context=context)
    try:
        box.login(address, password or "secret-" + address.split("@")[0])
        box.select(folder, readonly=True)
        numbers = box.search(None, "ALL")[1][0].split()
        return [box.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in numbers]
    finally:
        box.logout()


def main():
    parser = common.server_arguments(__doc__, "partners-out")
    parser.add_argument("--pki", required=True, metavar="DIR", help="folder made by pki.py")
    parser.add_argument("--mailboxes", required=True, metavar="FILE", help="JSON list of mailboxes")
    parser.add_argument("--client", action="append", default=[], metavar="ADDRESS=CERT.pem",
                        help="registered client certificate of a mailbox; default: those of pki.py")
    parser.add_argument("--rules", metavar="FILE", help='JSON object: recipient -> SMTP reply, or "bounce"')
    parser.add_argument("--state", metavar="DIR", help="Dovecot's folder (default: a short-lived one in the temporary folder)")
    parser.add_argument("--user", default="mssop", help="account of Dovecot when started as root (default mssop)")
    options = parser.parse_args()

    pki = pathlib.Path(options.pki)
    registered = [c.rsplit("=", 1) for c in options.client]
    if not registered:
        import pki as authority
        registered = [(address, pki / f"{name}.pem") for name, address in authority.MAILBOXES.items()]
    clients = {certificate_hash(path): address for address, path in registered}

    dovecot = Dovecot(options.state, pki, common.load_json(options.mailboxes), options.user)
    dovecot.start()
    try:
        operator = Operator(options, dovecot, clients)
        if options.rules:
            operator.rules.update(common.load_json(options.rules))
        if options.script:
            operator.faults.set(common.load_json(options.script))
        context = submission_context(pki)
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        server = asyncio.run_coroutine_threadsafe(
            loop.create_server(lambda: operator.connection(context), "127.0.0.1", options.port), loop).result()
        control = common.Control(operator.faults, operator.state,
                                 {"mailboxes": dovecot.add, "rules": lambda r: operator.rules.update(r) or operator.rules},
                                 options.control_port)
        common.announce(options.ready, {"partner": "mail_operator", "port": server.sockets[0].getsockname()[1],
                                        "control_port": control.port, "imap_port": dovecot.imap, "imaps_port": dovecot.imaps,
                                        "lmtp_port": dovecot.lmtp, "pid": os.getpid(), "state": str(dovecot.folder)})
        common.wait_for_end()
    finally:
        dovecot.stop()


if __name__ == "__main__":
    main()
