#!/usr/bin/python3
"""Checks mails as their recipients receive them: headers, subject, zip, METADATA.XML, CDA and PDF against one another.

Rules: spec of the MSSanté channel, sections 3 and 4. Prints one JSON line per file ({"file", "problems", ...}); exit 1 when
a mail has a problem. With --extract DIR the zip's documents and the PDF are written there.
"""

import argparse
import base64
import email
import email.policy
import email.utils
import functools
import hashlib
import io
import json
import pathlib
import re
import sys
import unicodedata
import zipfile

import common
import dmp_checks as checks
import dpi
from dmp_checks import NS

TREE = {"INDEX.HTM", "README.TXT", "IHE_XDM/SUBSET01/METADATA.XML"}
INS_OID = re.compile(r"1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)(?!\d)")
LOCAL_PATIENT = re.compile(r"^[^^]+\^\^\^&([0-9.]+)&ISO\^PI$")


def plain(text):
    """Without accents, as in a subject."""
    text = text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae").replace("Æ", "AE").replace("’", "'")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@functools.lru_cache
def metadata_schema():
    """The official ebRIM schema; None, loudly, where it is absent."""
    path = checks.SHARED / "ihe" / "xsd" / "xds" / "lcm.xsd"
    if path.exists():
        return checks.Schemas.load(path)
    common.say(f"*** {path} absent: METADATA.XML is NOT validated against the official schema ***")
    return None


class Mail:
    """`problems` lists what is wrong; `cda`, `pdf`, `metadata` hold the bytes found."""

    def __init__(self, data, nil=True):
        self.problems = []
        self.nil = nil
        self.cda = self.pdf = self.metadata = None
        self.action, self.text = "", ""
        self.root = None
        self.wire(data)
        self.message = email.message_from_bytes(data, policy=email.policy.default)
        self.headers()
        self.parts()
        if self.archive is not None:
            self.zip()
        if self.root is not None:
            self.subject()
            self.identity()
            self.version()
            self.pdf_rules()
        self.need(self.pdfs == 1 or self.action == "D", "one PDF wanted")

    def need(self, condition, text):
        if not condition:
            self.problems.append(text)
        return bool(condition)

    def get(self, path):
        return (self.root.xpath(path, namespaces=NS) or [""])[0]

    def wire(self, data):
        self.need(b"\n" not in data.replace(b"\r\n", b"") and b"\r" not in data.replace(b"\r\n", b""), "line ends other than CRLF")
        self.need(max(len(line) for line in data.split(b"\r\n")) <= 998, "line of more than 998 bytes")
        head = data.split(b"\r\n\r\n", 1)[0]
        self.need(all(c < 128 for c in head), "bytes outside ASCII in the headers")

    def headers(self):
        m = self.message
        for name in ("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "X-MSS-CODECDA",
                     "X-MSS-INS") + (("X-MSS-NIL",) if self.nil else ()):
            self.need(len(m.get_all(name, [])) == 1, f"{name}: once wanted")
        for name in ("Sender", "Cc", "Bcc"):
            self.need(name not in m, f"{name} must not be there")
        self.need(m.get_content_type() == "multipart/mixed", "not multipart/mixed")
        self.need(re.match(r"^<[^<>@\s]+@[^<>@\s]+>$", (m["Message-ID"] or "").strip()), "Message-ID malformed")
        try:
            self.need(email.utils.parsedate_to_datetime(m["Date"]) is not None, "Date")
        except (TypeError, ValueError):
            self.need(False, "Date cannot be read")
        addresses = lambda name: [a for _, a in email.utils.getaddresses(m.get_all(name, []))]
        self.sender, self.to, self.reply_to = addresses("From"), addresses("To"), addresses("Reply-To")
        for name, found in (("From", self.sender), ("To", self.to), ("Reply-To", self.reply_to)):
            self.need(len(found) == 1 and found[0].endswith(".mssante.fr"), f"{name}: one MSSanté address wanted")
        self.need(self.sender != self.reply_to, "Reply-To is the applicative mailbox")
        self.need(m["X-MSS-CODECDA"] == "11502-2", "X-MSS-CODECDA")
        self.need(m["X-MSS-INS"] in ("O", "N"), "X-MSS-INS")
        self.with_ins = m["X-MSS-INS"] == "O"
        self.to_patient = bool(self.to and self.to[0].endswith("@patient.mssante.fr"))
        if "X-MSS-MES" in m:
            self.need(self.to_patient and m["X-MSS-MES"] == "FIN", "X-MSS-MES")
        if "Disposition-Notification-To" in m:
            self.need(addresses("Disposition-Notification-To") == self.sender, "Disposition-Notification-To is not the sender")
        if self.to_patient:
            self.need(self.with_ins, "mail to the patient without qualified INS")
            self.need(dpi.ins_key_is_right(self.to[0].split("@")[0].upper()), "patient's address is not a matricule with its key")

    def parts(self):
        self.archive = None
        parts = list(self.message.iter_parts()) if self.message.is_multipart() else []
        texts, zips, pdfs = [], [], []
        for part in parts:
            kind, name = part.get_content_type(), part.get_filename() or ""
            if kind in ("text/plain", "multipart/alternative"):
                texts.append(part)
            elif kind == "application/zip":
                zips.append((name, part))
            elif kind == "application/pdf":
                pdfs.append((name, part))
            else:
                self.need(False, f"unexpected part {kind}")
        for name, part in zips + pdfs:
            self.need(part.get_content_disposition() == "attachment", "attachment without Content-Disposition: attachment")
            self.need(part["Content-Transfer-Encoding"] == "base64", "attachment not in base64")
        if self.need(len(texts) == 1 and parts and parts[0] is texts[0], "one text, first, wanted"):
            body = texts[0].get_body(("plain",)) or texts[0]
            if self.need(body.get_content_charset() == "utf-8" and body.get_content().strip(), "text empty or not UTF-8"):
                self.text = body.get_content()
        if self.need(len(zips) == 1 and zips[0][0].upper() == "IHE_XDM.ZIP", "one IHE_XDM.zip wanted"):
            self.archive = zips[0][1].get_content()
        self.pdfs = len(pdfs)
        self.need(len(pdfs) <= 1, "one PDF wanted")
        if len(pdfs) == 1:
            self.pdf_name, self.pdf = pdfs[0][0], pdfs[0][1].get_content()
            self.need(self.pdf.startswith(b"%PDF-") and b"%%EOF" in self.pdf[-1024:], "PDF damaged")

    def zip(self):
        try:
            archive = zipfile.ZipFile(io.BytesIO(self.archive))
            self.need(archive.testzip() is None, "zip: wrong CRC")
        except zipfile.BadZipFile:
            self.need(False, "zip cannot be opened")
            return
        names = [i.filename for i in archive.infolist() if not i.is_dir()]
        self.need(not any(i.flag_bits & 1 for i in archive.infolist()), "zip encrypted")
        documents = sorted(set(names) - TREE)
        self.need(TREE <= set(names) and len(names) == len(set(names)), f"zip: {', '.join(sorted(TREE - set(names)))} missing")
        self.need(documents == [f"IHE_XDM/SUBSET01/DOC{n:04d}.XML" for n in range(1, len(documents) + 1)] and documents, "zip: names of the documents")
        if "IHE_XDM/SUBSET01/METADATA.XML" not in names:
            return
        for name in ("README.TXT", "INDEX.HTM"):
            if name in names:
                self.need(archive.read(name).strip(), f"{name} empty")
        if "INDEX.HTM" in names:
            self.need(b"README.TXT" in archive.read("INDEX.HTM"), "INDEX.HTM without a link to README.TXT")
        self.metadata = archive.read("IHE_XDM/SUBSET01/METADATA.XML")
        try:
            root = checks.parse(self.metadata, "METADATA.XML")
        except checks.Fault as problem:
            self.need(False, problem.reason)
            return
        self.need(root.tag == f"{{{checks.LCM}}}SubmitObjectsRequest", "METADATA.XML: root")
        validator = metadata_schema()
        if validator is not None and not validator.validate(root):
            self.need(False, f"METADATA.XML: {validator.error_log[0].message[:300]}")
        self.registry(root, archive, documents)

    def registry(self, root, archive, documents):
        packages = [checks.Entry(e) for e in root.iter(f"{{{checks.RIM}}}RegistryPackage")]
        entries = [checks.Entry(e) for e in root.iter(f"{{{checks.RIM}}}ExtrinsicObject")]
        if not self.need(len(packages) == 1 and len(entries) == len(documents), "METADATA.XML: one set, one entry per document"):
            return
        package = packages[0]
        for scheme in ("ss_patient", "ss_source", "ss_unique"):
            self.need(package.identifier(scheme), f"submission set: {scheme} missing")
        self.need(len(package.codes("ss_content")) == 1 and package.codes("ss_author"), "submission set: contentTypeCode or author missing")
        marks = [c.get("classifiedObject") for c in root.iter(f"{{{checks.RIM}}}Classification") if c.get("classificationNode") == checks.SCHEME["ss_marker"]]
        self.need(marks == [package.id], "submission set not marked")
        links = [(a.get("sourceObject"), a.get("targetObject")) for a in root.iter(f"{{{checks.RIM}}}Association")
                 if a.get("associationType") == checks.HAS_MEMBER and checks.slots(a).get("SubmissionSetStatus") == ["Original"]]
        self.need(sorted(links) == sorted((package.id, e.id) for e in entries), "HasMember associations")
        uris = [e.slot("URI") for e in entries]
        self.need(sorted("IHE_XDM/SUBSET01/" + u for u in uris) == documents, "URI slots do not name the documents")
        self.package = package
        for entry in entries:
            name = "IHE_XDM/SUBSET01/" + entry.slot("URI")
            if name in documents:
                self.document(package, entry, archive.read(name))

    def document(self, package, entry, content):
        self.need(entry.slot("hash").lower() == hashlib.sha1(content).hexdigest(), "hash is not the document's SHA-1")
        self.need(entry.slot("size") == str(len(content)), "size is not the document's")
        try:
            root = checks.parse(content, "document")
        except checks.Fault as problem:
            self.need(False, problem.reason)
            return
        self.need(not root.getroottree().xpath("/processing-instruction('xml-stylesheet')"), "style sheet that is not in the archive")
        if not self.need(root.tag == f"{{{checks.HL7}}}ClinicalDocument", "document is not a CDA"):
            return
        self.cda, self.root, self.entry = content, root, entry
        for name in ("creationTime", "serviceStartTime", "languageCode", "legalAuthenticator", "sourcePatientId", "sourcePatientInfo"):
            self.need(entry.slots.get(name), f"slot {name} missing")
        for scheme in ("class", "type", "format", "facility", "setting"):
            self.need(len(entry.codes(scheme)) == 1, f"{scheme}: one code wanted")
        self.need(entry.codes("author") and entry.codes("confidentiality"), "author or confidentialityCode missing")
        self.need("repositoryUniqueId" not in entry.slots, "repositoryUniqueId must not be there")
        self.need(entry.element.get("mimeType") == "text/xml", "mimeType")
        self.need([c["code"] for c in entry.codes("type")] == ["11502-2"] and self.get("h:code/@code") == "11502-2", "typeCode")
        self.need([c["code"] for c in entry.codes("class")] == ["10"], "classCode")
        self.need(entry.identifier("unique") == self.get("h:id/@root") and not self.get("h:id/@extension"), "uniqueId is not the CDA's id")
        self.need(entry.slot("creationTime") == checks.utc(self.get("h:effectiveTime/@value")) != "", "creationTime is not the CDA's in UTC")
        self.need(entry.slot("serviceStartTime") == checks.utc(self.get("h:documentationOf/h:serviceEvent/h:effectiveTime/h:low/@value")),
                  "serviceStartTime is not the CDA's in UTC")
        masks = {c["code"] for c in entry.codes("confidentiality")}
        self.need(not (self.to_patient and "INVISIBLE_PATIENT" in masks), "hidden from the patient and mailed to the patient")
        self.need(entry.identifier("patient") == package.identifier("ss_patient"), "two patientIds")

    def subject(self):
        label = plain(self.get("h:code/@displayName"))[:40]
        person = "h:recordTarget/h:patientRole/h:patient/h:name/"
        self.family = self.get(person + "h:family[@qualifier='BR']/text()") or self.get(person + "h:family/text()")
        self.given = self.get(person + "h:given[@qualifier='BR']/text()") or self.get(person + "h:given/text()")
        birth = self.get("h:recordTarget/h:patientRole/h:patient/h:birthTime/@value")
        subject = self.message["Subject"] or ""
        start = f"XDM/1.0/DDM+{label} {plain(self.family).upper()} "
        self.need(subject.isascii() and "=?" not in subject, "Subject outside ASCII")
        if self.need(subject.startswith(start), "Subject is not XDM/1.0/DDM+<label> <NAME>..."):
            rest = subject[len(start):]
            given, dated, date = rest, "", ""
            found = re.match(r"^(.*) (\d\d/\d\d/\d{4})$", rest)
            if found:
                given, dated, date = found.group(1), "dated", found.group(2)
            self.need(given.upper() == plain(self.given).upper(), "Subject: given name")
            self.need(not dated or date == f"{birth[6:8]}/{birth[4:6]}/{birth[:4]}", "Subject: birth date")

    def identity(self):
        patient = self.entry.identifier("patient")
        identifiers = {(i.get("root"), i.get("extension")) for i in self.root.xpath("h:recordTarget/h:patientRole/h:id", namespaces=NS)}
        if self.with_ins:
            found = checks.PATIENT.match(patient)
            if self.need(found, "X-MSS-INS: O without an INS in patientId"):
                self.need((found.group(2), found.group(1)) in identifiers, "INS of the CDA is not the patientId")
                self.need(not self.to_patient or self.to[0].split("@")[0].upper() == found.group(1), "address of another patient")
                info = dict(v.partition("|")[::2] for v in self.entry.slots.get("sourcePatientInfo", []))
                self.need({"PID-5", "PID-7", "PID-8", "PID-11"} <= set(info), "X-MSS-INS: O without the five traits in sourcePatientInfo")
        else:
            local = LOCAL_PATIENT.match(patient)
            self.need(local and not INS_OID.search(patient), "patientId without INS is <local id>^^^&<OID>&ISO^PI")
            self.need(not INS_OID.search(self.metadata.decode("utf-8")) and not INS_OID.search(self.cda.decode("utf-8")),
                      "INS in the package of a mail with X-MSS-INS: N")

    def version(self):
        """What the metadata say of earlier mails: nothing of a first version, C of a later one, D of one that is withdrawn."""
        actions = self.entry.slots.get("urn:action:extraMetadataSlot", [])
        self.action = actions[0] if actions else ""
        self.need(len(actions) <= 1 and self.action in ("", "C", "D"), f"action {actions}")
        later = int(self.get("h:versionNumber/@value") or "1") > 1
        if self.action != "D":
            self.need((self.action == "C") == later, "action C and the CDA's versionNumber disagree")
            self.need(not later or "annule et remplace" in self.text, "a later version that does not say so")
        else:
            first = self.text.split("\n", 1)[0]
            self.need("annul" in first and "n'en tenez pas compte" in first, "a withdrawal whose first line does not say so")
            self.need(re.search(r"\d\d/\d\d/\d{4}", self.text) and re.search(r"\d{10}|(\d\d ){4}\d\d", self.text),
                      "a withdrawal without the report's date or the laboratory's phone")

    def pdf_rules(self):
        if self.pdf is None:
            return
        low = self.get("h:documentationOf/h:serviceEvent/h:effectiveTime/h:low/@value")
        clean = lambda text: re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", text)
        label = clean(self.get("h:code/@displayName")[:40])
        parts = plain(f"{low[:8]}_{label}_{clean(self.family)}_{clean(self.given)}")
        name = plain(self.pdf_name)
        self.need(re.match("^" + re.escape(parts) + r"(_[A-Za-z0-9-]+)?\.pdf$", name), "name of the PDF")
        inside = [base64.b64decode("".join(v.itertext())) for v in self.root.iter(f"{{{checks.HL7}}}value")
                  if v.get("mediaType") == "application/pdf" and v.get("representation") == "B64"]
        self.need(not inside or self.pdf in inside, "the attached PDF is not the one inside the CDA")
        if not self.with_ins:
            for number in re.findall(rb"[12]\d{4}[0-9AB]{2}\d{8}", self.pdf):
                self.need(not dpi.ins_key_is_right(number.decode()), "matricule in the PDF of a mail with X-MSS-INS: N")


def check(data, nil=True):
    """The problems of one mail (bytes), [] when it is right. nil: the product has its reference number (X-MSS-NIL)."""
    return Mail(data, nil).problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extract", metavar="DIR", help="write the CDA, METADATA.XML and PDF of each mail there")
    parser.add_argument("--without-nil", action="store_true", help="the product has no reference number yet: X-MSS-NIL may be absent")
    parser.add_argument("files", metavar="FILE.eml", nargs="+")
    parser.add_argument("--expect", choices=["delivered", "deleted", "any"], default="any", help="the mail brings a report, or withdraws one")
    options = parser.parse_args()
    bad = 0
    for name in options.files:
        mail = Mail(pathlib.Path(name).read_bytes(), not options.without_nil)
        mail.need(options.expect in ("any", "deleted" if mail.action == "D" else "delivered"), f"the mail is not {options.expect}")
        bad += bool(mail.problems)
        print(json.dumps({"file": name, "to_patient": mail.to_patient, "with_ins": mail.with_ins, "problems": mail.problems}, ensure_ascii=False))
        if options.extract:
            stem = pathlib.Path(name).stem
            for suffix, content in ((".cda.xml", mail.cda), (".metadata.xml", mail.metadata), (".pdf", mail.pdf)):
                if content:
                    common.write_atomic(pathlib.Path(options.extract) / (stem + suffix), content)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
