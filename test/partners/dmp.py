#!/usr/bin/python3
"""A strict DMP: ITI-41 feed, GetDocuments by uniqueId or entryUUID, delete; SOAP 1.2 + MTOM over mutual TLS.

What it checks stands in dmp_checks.py. Requests are kept under OUT/dmp: <n>-<submission uniqueId>.xml (the SOAP root
part) and <n>-<id>.doc.xml (each document); a refused one as <n>-refused.xml with its reason in <n>-refused.txt.
OUT/registry.json is the registry, rewritten at each change and read again at the next start.

--config FILE, JSON: {"closed": [INS...], "unknown": [INS...], "sites": {"1<ET>": "1<EJ>"}} (sites: structures that
may use the certificate of another one; none by default; "deleted_found": true: a query also finds what was deleted, which the
sources leave open). POST /config on the control port changes it.
POST /status {"uniqueId": "...", "status": "approved", "archived", "deprecated" or "deleted"}: somebody else changes a
document; its entryUUID changes too, as at each change of metadata.

Faults (POST /script on the control port; match = part of the path, "repository" or "registry"):
down (closed without an answer), slow:SECONDS, http500, busy, refuse:CODE, fault:CODE, hang[:SECONDS] and garbage
(nothing registered), wrong_id (a success that answers another message), close_request (closed in the middle of the request); moved (just before the request, every document
gets another entryUUID); nothing (as without a step); and, with the request carried out first:
close_half (half the answer), lost (no answer), hang_after[:SECONDS], garbage_after, wrong_id_after.
"""

import http.server
import os
import re
import socket
import ssl
import threading
import time
import uuid

import common
import dmp_checks as checks
from cryptography import x509
from dmp_checks import Failure, Fault, NS, RIM, need
from lxml import etree

FAULTS = ["down", "slow", "http500", "busy", "refuse", "fault", "hang", "garbage", "close_request", "close_half", "lost",
          "hang_after", "garbage_after", "wrong_id", "wrong_id_after", "moved", "nothing"]
AFTER = {"close_half", "lost", "hang_after", "garbage_after", "wrong_id_after"}
BASE = "/si-dmp-server/v2/services/"
REPOSITORY_ID = "1.2.250.1.213.4.1.1.1.2"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"
ERROR = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"
APPROVED, ARCHIVED, DEPRECATED, DELETED = checks.APPROVED, checks.ARCHIVED, checks.DEPRECATED, checks.DELETED
GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
FIND = {"urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d", "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9"}
MAX = 50 * 1024 * 1024
PATHS = {BASE + "repository": {checks.FEED}, BASE + "registry": {checks.STORED_QUERY, checks.UPDATE}}
RESPONSE_ACTION = {checks.FEED: checks.FEED + "Response", checks.STORED_QUERY: checks.STORED_QUERY + "Response",
                   checks.UPDATE: checks.UPDATE + "-Response"}


class Registry:
    """What the DMP holds, in memory and in registry.json."""

    def __init__(self, out):
        self.path = os.path.join(out, "registry.json")
        self.lock = threading.RLock()
        self.entries, self.submissions, self.seen = [], {}, []
        self.counts = {"requests": 0, "accepted": 0, "failures": 0, "faults": 0, "queries": 0, "repeated_documents": 0, "updates": 0}
        if os.path.exists(self.path):
            former = common.load_json(self.path)
            self.entries, self.submissions = former["entries"], former["submissions"]
            self.counts.update(former["counts"])
        self.save()

    def save(self):
        with self.lock:
            common.write_json(self.path, {"entries": self.entries, "submissions": self.submissions, "counts": self.counts})

    def count(self, name):
        with self.lock:
            self.counts[name] += 1

    def by_unique(self, unique):
        return [e for e in self.entries if e["uniqueId"] == unique]

    def by_uuid(self, name):
        return next((e for e in self.entries if e["entryUUID"] == name), None)

    def register(self, submission, number):
        """Add what a checked submission brings, or raise Failure; one at a time."""
        with self.lock:
            errors = []
            if submission.unique in self.submissions:
                errors.append(("XDSDuplicateUniqueIdInRegistry", "submission set uniqueId already registered", submission.unique))
            new = []
            for entry in submission.documents + submission.signatures:
                unique, content = entry.identifier("unique"), submission.bytes[entry.id]
                known = self.by_unique(unique)
                digest = checks.hashlib.sha1(content).hexdigest()
                if known and known[0]["hash"] != digest:
                    errors.append(("XDSNonIdenticalHash", "document uniqueId already registered with other bytes", entry.id))
                elif known:
                    self.counts["repeated_documents"] += 1
                else:
                    new.append((entry, digest, len(content)))
            for source, former in submission.unfed.items():
                # What was deleted can't be the target of RPLC: the next version begins anew.
                if any(e["status"] != DELETED for e in self.by_unique(former)):
                    errors.append(("XDSRegistryMetadataError", "the CDA replaces a document that is here, the submission doesn't", source))
            targets = {}
            for source, target in submission.replaced.items():
                old = [e for e in self.entries if e["entryUUID"] == target]
                if not old:
                    errors.append(("UnresolvedReferenceException", "RPLC target not registered", target))
                elif old[0]["status"] != APPROVED:
                    errors.append(("XDSRegistryDeprecatedDocumentError", "RPLC target is not the current version", target))
                elif old[0]["patientId"] != submission.package.identifier("ss_patient"):
                    errors.append(("XDSPatientIdDoesNotMatch", "RPLC target of another patient", target))
                elif old[0]["structure"] != submission.vihf.structure:
                    errors.append(("DMPAccessDeniedByRightsService", "RPLC by a structure that is no author", target))
                else:
                    targets[source] = old[0]
            if errors:
                raise Failure(errors)
            for entry, digest, size in new:
                old = targets.get(entry.id)
                name = "urn:uuid:" + str(uuid.uuid4())
                self.entries.append({
                    "entryUUID": name, "logicalId": old["logicalId"] if old else name, "uniqueId": entry.identifier("unique"),
                    "patientId": entry.identifier("patient"), "status": APPROVED, "hash": digest, "size": size,
                    "title": entry.title, "kind": "signature" if entry in submission.signatures else "document",
                    "submission": submission.unique, "structure": submission.vihf.structure,
                    "masks": [c["code"] for c in entry.codes("confidentiality")], "n": number,
                    "metadata": etree.tostring(entry.element, encoding="unicode", with_tail=False)})
                if old:
                    old["status"] = DEPRECATED
            self.submissions[submission.unique] = {"n": number, "time": submission.submitted, "message_id": submission.message_id,
                                                   "structure": submission.vihf.structure, "vihf": submission.vihf.id}
            self.counts["accepted"] += 1
            self.save()

    def change(self, update, number):
        """The status that a checked TD3.3c gives to its target, or raise Failure."""
        with self.lock:
            known = self.by_uuid(update.target)
            errors = []
            if update.unique in self.submissions:
                errors.append(("XDSDuplicateUniqueIdInRegistry", "submission set uniqueId already registered", update.unique))
            if not known:
                errors.append(("UnresolvedReferenceException", "target not registered", update.target))
            elif known["structure"] != update.vihf.structure:
                errors.append(("DMPAccessDeniedByRightsService", "document of another structure", update.target))
            elif known["patientId"] != update.package.identifier("ss_patient"):
                errors.append(("XDSPatientIdDoesNotMatch", "document of another patient", update.target))
            elif known["status"] != update.original:
                errors.append(("XDSMetadataUpdateError", "OriginalStatus is not the present one", update.target))
            if errors:
                raise Failure(errors)
            known["status"] = update.becomes
            self.submissions[update.unique] = {"n": number, "time": update.submitted, "message_id": update.message_id,
                                               "structure": update.vihf.structure, "vihf": update.vihf.id}
            self.counts["updates"] += 1
            self.save()

    def renew(self, entries):
        """New entryUUIDs: somebody changed the metadata."""
        with self.lock:
            for entry in entries:
                entry["entryUUID"] = "urn:uuid:" + str(uuid.uuid4())
            self.save()


class Dmp:
    def __init__(self, options):
        self.options = options
        self.records = common.Records(options.out, "dmp")
        self.registry = Registry(options.out)
        self.faults = common.Faults(FAULTS)
        self.authority = checks.Authority(options.pki)
        self.schemas = checks.Schemas()
        if self.schemas.envelope is None:
            common.say("*** dmp: official schemas absent (SGL_SHARED): messages are NOT validated against them ***")
        self.config = {"closed": [], "unknown": [], "sites": {}, "deleted_found": False}
        if options.config:
            self.configure(common.load_json(options.config))
        self.replay = {}
        self.lock = threading.Lock()

    def configure(self, value):
        if isinstance(value, list):
            value = {"closed": value}
        unknown = set(value) - set(self.config)
        if unknown:
            raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
        self.config.update(value)
        return self.config

    def set_status(self, value):
        statuses = {"approved": APPROVED, "archived": ARCHIVED, "deprecated": DEPRECATED, "deleted": DELETED}
        with self.registry.lock:
            entries = self.registry.by_unique(value["uniqueId"])
            if len(entries) != 1:
                raise ValueError("no such document")
            entries[0]["status"] = statuses[value["status"]]
            self.registry.renew(entries)
            return {"entryUUID": entries[0]["entryUUID"]}

    def state(self):
        with self.registry.lock:
            return {"counts": dict(self.registry.counts), "submissions": dict(self.registry.submissions),
                    "schemas": self.schemas.envelope is not None,
                    "entries": [{k: v for k, v in e.items() if k != "metadata"} for e in self.registry.entries]}

    # -- one request --------------------------------------------------------------------------------------

    def once(self, identifier, what):
        """MessageID and assertion ID are fresh at each call."""
        with self.lock:
            now = time.time()
            self.replay = {k: t for k, t in self.replay.items() if now - t < 3600}
            need(identifier not in self.replay, f"{what} already seen")
            self.replay[identifier] = now

    def answer(self, path, headers, body, tls, url):
        """(HTTP status, action, message id or "", body element)."""
        message_id, action, number, mtom = "", next(iter(PATHS[path])), self.records.number(), None
        try:
            _, values = checks.parameters(headers.get("Content-Type", ""))
            need(values.get("action") in PATHS[path], f"Content-Type parameter action is {values.get('action')!r}")
            action = values["action"]
            mtom = checks.Mtom(headers.get("Content-Type", ""), body, action)
            found = mtom.root.findtext(f"{{{checks.SOAP}}}Header/{{{checks.WSA}}}MessageID") or ""
            message_id = found.strip() if checks.UUID.match(found.strip()) else ""
            envelope = checks.Envelope(mtom.root, action, url)
            self.schemas.check_envelope(mtom.root)
            self.once(envelope.message_id, "wsa:MessageID")
            vihf = checks.Vihf(envelope.assertion, self.authority, tls, self.options.vihf_version, self.options.allow_sha1,
                               action != checks.STORED_QUERY, self.config["sites"])
            self.once(vihf.id, "assertion ID")
            content = {checks.FEED: self.feed, checks.STORED_QUERY: self.query, checks.UPDATE: self.update}[action](
                mtom, envelope, vihf, number)
            return 200, RESPONSE_ACTION[action], message_id, content
        except Failure as failure:
            self.refused(number, mtom, body, str(failure))
            self.registry.count("failures")
            return 200, RESPONSE_ACTION[action], message_id, response(failure.errors)
        except Fault as fault:
            self.refused(number, mtom, body, f"{fault.code}: {fault.reason}")
            self.registry.count("faults")
            return 500, "http://www.w3.org/2005/08/addressing/soap/fault", message_id, soap_fault(fault)

    def refused(self, number, mtom, body, reason):
        self.records.save(number, "-refused.xml" if mtom else "-refused.mime", mtom.root_bytes if mtom else body[:1000000])
        self.records.save(number, "-refused.txt", reason + "\n")
        if mtom:
            for cid, (_, content) in mtom.parts.items():
                self.records.save(number, f"-refused-{re.sub(r'[^A-Za-z0-9._-]', '_', cid)[:60]}.doc.xml", content)

    def person(self, vihf):
        found = checks.PATIENT.match(vihf.patient or "")
        if found and found.group(1) in self.config["closed"]:
            raise Failure([("DMPClosed", "DMP fermé", "")])
        if found and found.group(1) in self.config["unknown"]:
            raise Failure([("XDSUnknownPatientId", "aucun DMP pour cet INS", "")])

    def feed(self, mtom, envelope, vihf, number):
        submission = checks.Submission(mtom, envelope.body, vihf, self.authority, self.schemas).check()
        submission.message_id = envelope.message_id
        self.person(vihf)
        self.registry.register(submission, number)
        self.records.save(number, f"-{submission.unique}.xml", mtom.root_bytes)
        for entry in submission.documents + submission.signatures:
            self.records.save(number, f"-{re.sub(r'[^A-Za-z0-9._-]', '_', entry.id)[:60]}.doc.xml", submission.bytes[entry.id])
        return response([])

    def query(self, mtom, envelope, vihf, number):
        self.registry.count("queries")
        body = envelope.body
        need(body.tag == f"{{{checks.QUERY}}}AdhocQueryRequest", f"Body holds {body.tag}")
        option = body.find("q:ResponseOption", NS)
        query = body.find("rim:AdhocQuery", NS)
        if query.get("id") in FIND:
            raise Failure([("DMPAccessDeniedByRightsService", "metadata search is not open to the indirect mode", "")])
        if query.get("id") != GET_DOCUMENTS:
            raise Failure([("XDSUnknownStoredQuery", query.get("id") or "", "")])
        values = checks.slots(query)
        wanted = [n for n in ("$XDSDocumentEntryUniqueId", "$XDSDocumentEntryEntryUUID") if n in values]
        if len(wanted) != 1 or set(values) - {wanted[0], "$MetadataLevel"}:
            raise Failure([("XDSStoredQueryParamNumber", "one of uniqueId, entryUUID wanted", "")])
        names = []
        for value in values[wanted[0]]:
            if not re.match(r"^\('[^']+'(,'[^']+')*\)$", value):
                raise Failure([("XDSRegistryError", "list of values is not ('a','b')", wanted[0])])
            names += re.findall(r"'([^']+)'", value)
        key = "uniqueId" if wanted[0].endswith("UniqueId") else "entryUUID"
        with self.registry.lock:
            found = [e for e in self.registry.entries if e[key] in names]
        found = [e for e in found if not vihf.patient or e["patientId"].startswith(vihf.patient)]
        found = [e for e in found if e["status"] != DELETED or self.config["deleted_found"]]
        answer = etree.Element(f"{{{checks.QUERY}}}AdhocQueryResponse", nsmap={"q": checks.QUERY, "rim": RIM}, status=SUCCESS)
        objects = etree.SubElement(answer, f"{{{RIM}}}RegistryObjectList")
        for entry in found:
            if option.get("returnType") == "ObjectRef":
                etree.SubElement(objects, f"{{{RIM}}}ObjectRef", id=entry["entryUUID"])
            else:
                objects.append(leaf(entry))
        return answer

    def update(self, mtom, envelope, vihf, number):
        """TD3.3c: logical delete (or archive) by UpdateAvailabilityStatus."""
        update = checks.StatusUpdate(mtom, envelope.body, vihf).check()
        update.message_id = envelope.message_id
        self.person(vihf)
        self.registry.change(update, number)
        self.records.save(number, f"-{update.unique}.xml", mtom.root_bytes)
        return response([])


# -- answers --------------------------------------------------------------------------------------------------

def response(errors):
    answer = etree.Element(f"{{{checks.RS}}}RegistryResponse", nsmap={"rs": checks.RS}, status=FAILURE if errors else SUCCESS)
    if errors:
        items = etree.SubElement(answer, f"{{{checks.RS}}}RegistryErrorList", highestSeverity=ERROR)
        for code, context, location in errors:
            etree.SubElement(items, f"{{{checks.RS}}}RegistryError", errorCode=code, codeContext=context, severity=ERROR,
                             location=location or "")
    return answer


def soap_fault(fault):
    soap = checks.SOAP
    answer = etree.Element(f"{{{soap}}}Fault", nsmap={"soap": soap})
    code = etree.SubElement(answer, f"{{{soap}}}Code")
    etree.SubElement(code, f"{{{soap}}}Value").text = f"soap:{fault.who}"
    sub = etree.SubElement(etree.SubElement(code, f"{{{soap}}}Subcode"), f"{{{soap}}}Value", nsmap={"dmp": "urn:dmp:fault"})
    sub.text = f"dmp:{fault.code}"
    reason = etree.SubElement(etree.SubElement(answer, f"{{{soap}}}Reason"), f"{{{soap}}}Text")
    reason.set("{http://www.w3.org/XML/1998/namespace}lang", "fr")
    reason.text = f"{fault.code}: {fault.reason}"
    return answer


def leaf(entry):
    """The ExtrinsicObject of a registered entry, as a search gives it back."""
    element = etree.fromstring(entry["metadata"])
    former = element.get("id")
    for item in element.iter():
        for name in ("id", "classifiedObject", "registryObject"):
            if isinstance(item.tag, str) and item.get(name) == former:
                item.set(name, entry["entryUUID"])
    element.set("lid", entry["logicalId"])
    element.set("status", entry["status"])
    for name, value in (("repositoryUniqueId", REPOSITORY_ID), ("size", str(entry["size"])), ("hash", entry["hash"])):
        if name not in checks.slots(element):
            slot = etree.Element(f"{{{RIM}}}Slot", name=name)
            etree.SubElement(etree.SubElement(slot, f"{{{RIM}}}ValueList"), f"{{{RIM}}}Value").text = value
            element.insert(0, slot)
    return element


def wrap(action, message_id, content):
    """The multipart answer: (Content-Type, bytes)."""
    soap, wsa = checks.SOAP, checks.WSA
    envelope = etree.Element(f"{{{soap}}}Envelope", nsmap={"soap": soap, "wsa": wsa})
    header = etree.SubElement(envelope, f"{{{soap}}}Header")
    for name, value in (("Action", action), ("MessageID", "urn:uuid:" + str(uuid.uuid4())), ("To", checks.ANONYMOUS),
                        ("RelatesTo", message_id)):
        if value:
            etree.SubElement(header, f"{{{wsa}}}{name}").text = value
    etree.SubElement(envelope, f"{{{soap}}}Body").append(content)
    boundary, cid = f"uuid:{uuid.uuid4()}", f"{uuid.uuid4()}@dmp.test"
    body = (f'--{boundary}\r\nContent-Id: <{cid}>\r\nContent-Type: application/xop+xml;charset=utf-8;type="application/soap+xml"\r\n'
            "Content-Transfer-Encoding: binary\r\n\r\n").encode()
    body += etree.tostring(envelope, xml_declaration=True, encoding="UTF-8") + f"\r\n--{boundary}--\r\n".encode()
    return (f'multipart/related; start="<{cid}>"; type="application/xop+xml"; boundary="{boundary}"; '
            'start-info="application/soap+xml"'), body


# -- HTTP -----------------------------------------------------------------------------------------------------

def handler_of(dmp):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "DMP-test"
        timeout = 120

        def log_message(self, *_):
            pass

        def hang_up(self):
            self.close_connection = True
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        def plain(self, code, text):
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/html; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def read_body(self, limit=None):
            """The request's bytes, by length or in chunks; None when the peer went away or is too long."""
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                body = b""
                while True:
                    size = int(self.rfile.readline().split(b";")[0].strip() or b"0", 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        return body
                    if len(body) > (limit or MAX):
                        return None
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX:
                return None
            return self.rfile.read(min(length, limit) if limit else length)

        def do_GET(self):
            self.plain(405, "POST only")

        def do_POST(self):
            path = self.path
            if path not in PATHS:
                self.read_body()
                self.plain(404, "no such service")
                return
            fault = dmp.faults.next(path)
            verb, _, argument = fault.partition(":")
            if verb == "moved":
                dmp.registry.renew(dmp.registry.entries)
            if verb == "down":
                self.hang_up()
                return
            if verb == "close_request":
                self.read_body(limit=max(1, int(self.headers.get("Content-Length") or 2) // 2))
                self.hang_up()
                return
            body = self.read_body()
            if body is None:
                self.plain(413, "50 MB at most")
                return
            dmp.registry.count("requests")
            if verb == "slow":
                time.sleep(float(argument or 5))
            if verb == "hang":
                time.sleep(float(argument or 90))
                self.hang_up()
                return
            if verb == "http500":
                self.plain(500, "<html><body>Internal Server Error</body></html>")
                return
            if verb == "garbage":
                self.plain(200, "<html><body>maintenance</body></html>")
                return
            if verb == "wrong_id":
                self.reply(200, RESPONSE_ACTION[next(iter(PATHS[path]))], "urn:uuid:" + str(uuid.uuid4()), response([]))
                return
            if verb in ("busy", "refuse", "fault"):
                found = re.search(rb"MessageID[^>]*>\s*(urn:uuid:[0-9a-fA-F-]{36})", body)
                message_id = found.group(1).decode() if found else ""
                action = RESPONSE_ACTION[next(iter(PATHS[path]))]
                if verb == "fault":
                    self.reply(500, "http://www.w3.org/2005/08/addressing/soap/fault", message_id,
                               soap_fault(Fault("scripted", argument or "DMPInvalidCertificate")))
                else:
                    code = "XDSRepositoryBusy" if verb == "busy" else argument or "XDSRegistryError"
                    self.reply(200, action, message_id, response([(code, "scripted", "")]))
                return
            tls = x509.load_der_x509_certificate(self.connection.getpeercert(True))
            url = f"https://{self.headers.get('Host', '')}{path}"
            status, action, message_id, content = dmp.answer(path, self.headers, body, tls, url)
            if verb == "lost":
                self.hang_up()
            elif verb == "hang_after":
                time.sleep(float(argument or 90))
                self.hang_up()
            elif verb == "wrong_id_after":
                self.reply(status, action, "urn:uuid:" + str(uuid.uuid4()), content)
            elif verb == "garbage_after":
                self.plain(200, "<html><body>maintenance</body></html>")
            else:
                self.reply(status, action, message_id, content, half=verb == "close_half")

        def reply(self, status, action, message_id, content, half=False):
            kind, body = wrap(action, message_id, content)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:len(body) // 2] if half else body)
            self.wfile.flush()
            if half:
                self.hang_up()

    return Handler


class Server(http.server.ThreadingHTTPServer):
    """TLS handshakes happen in each connection's own thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, dmp, context, port):
        self.context = context
        super().__init__(("127.0.0.1", port), handler_of(dmp))

    def finish_request(self, request, client_address):
        request.settimeout(30)
        try:
            tls = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        try:
            super().finish_request(tls, client_address)
        except (ssl.SSLError, OSError):
            pass
        finally:
            tls.close()


def context_of(pki):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-GCM-SHA384")
    context.load_cert_chain(os.path.join(pki, "dmp_server-chain.pem"), os.path.join(pki, "dmp_server.key"))
    context.load_verify_locations(os.path.join(pki, "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def main():
    parser = common.server_arguments(__doc__, "partners-out")
    parser.add_argument("--pki", required=True, metavar="DIR", help="folder made by pki.py")
    parser.add_argument("--config", metavar="FILE", help="closed and unknown DMPs, structures")
    parser.add_argument("--vihf-version", action="append", help="accepted VIHF_Version (default 3.0)")
    parser.add_argument("--allow-sha1", action="store_true", help="also accept rsa-sha1 in the VIHF")
    options = parser.parse_args()
    options.vihf_version = options.vihf_version or ["3.0"]
    os.makedirs(options.out, exist_ok=True)
    dmp = Dmp(options)
    if options.script:
        dmp.faults.set(common.load_json(options.script))
    server = Server(dmp, context_of(options.pki), options.port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    control = common.Control(dmp.faults, dmp.state, {"config": dmp.configure, "status": dmp.set_status}, options.control_port)
    port = server.server_address[1]
    common.announce(options.ready, {"partner": "dmp", "port": port, "control_port": control.port, "pid": os.getpid(),
                                    "base": f"https://localhost:{port}{BASE}", "repository": f"https://localhost:{port}{BASE}repository",
                                    "registry": f"https://localhost:{port}{BASE}registry"})
    common.wait_for_end()


if __name__ == "__main__":
    main()
