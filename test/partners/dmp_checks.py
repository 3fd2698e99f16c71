"""The strict DMP's checks: MIME, SOAP and addressing, VIHF, XDS metadata against the CDA, XAdES.

Written from the specification alone. `Fault` is answered as a SOAP fault, `Failure` as a RegistryResponse.
Codes of faults other than DMPInvalidCertificate are ours: the service's own list is not public.
"""

import base64
import binascii
import datetime
import hashlib
import os
import pathlib
import re
import threading
import urllib.parse

SHARED = pathlib.Path(os.environ.get("SGL_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
if (SHARED / "ihe" / "catalog.xml").exists():  # before libxml2 reads its catalogues
    os.environ["XML_CATALOG_FILES"] = str(SHARED / "ihe" / "catalog.xml")

import xmlsec  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.exceptions import InvalidSignature  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import padding  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402
from lxml import etree  # noqa: E402

import dpi  # noqa: E402  (the INS key)

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.1.1#"
XDSB = "urn:ihe:iti:xds-b:2007"
LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
XOP = "http://www.w3.org/2004/08/xop/include"
HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XS = "http://www.w3.org/2001/XMLSchema"
NS = {"s": SOAP, "a": WSA, "w": WSSE, "saml": SAML, "ds": DS, "x": XADES, "b": XDSB, "lcm": LCM, "rim": RIM, "rs": RS,
      "q": QUERY, "xop": XOP, "h": HL7}
C14N_COMMENTS = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
RSA = {DS + "rsa-sha1": hashes.SHA1, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": hashes.SHA256}
DIGEST = {DS + "sha1": hashlib.sha1, "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256}

FEED = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
STORED_QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"
ANONYMOUS = WSA + "/anonymous"
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS = "urn:ihe:iti:2007:AssociationType:signs"
REPLACES = "urn:ihe:iti:2007:AssociationType:RPLC"
UPDATE_STATUS = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
ASSOCIATION = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"
ARCHIVED = "urn:asip:ci-sis:2010:StatusType:Archived"
DELETED = "urn:asip:ci-sis:2010:StatusType:Deleted"
STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"

OID = re.compile(r"^[0-2](\.(0|[1-9][0-9]*))+$")
UUID = re.compile(r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", re.IGNORECASE)
NCNAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]*$")
PATIENT = re.compile(r"^([0-9AB]{15})\^\^\^&(1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11))&ISO\^NH(\^\^\d{8})?$")
INSTITUTION = re.compile(r"^[^^]+\^\^\^\^\^&1\.2\.250\.1\.71\.4\.2\.2&ISO\^IDNST\^\^\^([0-9A-Za-z]+)$")
PERSON = re.compile(r"^(8\d{11})\^[^^]+\^[^^]+\^\^\^\^\^\^&1\.2\.250\.1\.71\.4\.2\.1&ISO\^D\^\^\^IDNPS$")
DEVICE = re.compile(r"^[^^]+\^[^^]*\^[^^]+\^\^\^\^\^\^&[0-9A-Za-z.]+&ISO\^U\^\^\^RI$")
SPECIALTY = re.compile(r"^G15_(10/SM\d\d|21/[A-Z]{1,2})\^[^^]+\^1\.2\.250\.1\.213\.1\.1\.4\.5$")
TIME = re.compile(r"^\d{14}$")
SECTORS = {f"SA{n:02d}" for n in range(1, 60)}
SETTINGS = {"AMBULATOIRE", "ETABLISSEMENT", "HAD", "SAD", "ESSMS", "DEPISTAGE", "MAD", "PALLIATIF", "SAMU_SMUR", "AMO"}
CLASSES = {"urn:oasis:names:tc:SAML:2.0:ac:classes:" + c for c in ("unspecified", "SmartcardPKI", "Password", "TLSClient",
           "PasswordProtectedTransport", "X509", "SoftwarePKI", "MobileTwoFactorContract", "Kerberos")}

SCHEME = {
    "ss_author": "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d",
    "ss_content": "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500",
    "ss_patient": "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446",
    "ss_source": "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832",
    "ss_unique": "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8",
    "ss_marker": "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
    "author": "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d",
    "class": "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a",
    "type": "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983",
    "format": "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d",
    "confidentiality": "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f",
    "facility": "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "setting": "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead",
    "event": "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4",
    "patient": "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427",
    "unique": "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab",
}
FORMATS = {("urn:ihe:lab:xd-lab:2008", "1.3.6.1.4.1.19376.1.2.3"), ("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3"),
           ("urn:ihe:iti:xds-sd:text:2008", "1.3.6.1.4.1.19376.1.2.3")}
MASKS = {"MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"}


class Fault(Exception):
    """Answered as a SOAP fault: who is wrong ("Sender" or "Receiver"), a DMP code, a reason."""

    def __init__(self, reason, code="DMPInvalidMessage", who="Sender"):
        super().__init__(reason)
        self.reason, self.code, self.who = reason, code, who


class Failure(Exception):
    """Answered as RegistryResponse Failure with [(errorCode, codeContext, location)]."""

    def __init__(self, errors):
        super().__init__("; ".join(f"{c}: {t}" for c, t, _ in errors))
        self.errors = errors


def need(condition, reason, code="DMPInvalidMessage"):
    if not condition:
        raise Fault(reason, code)


def parse(data, what):
    """XML without DTD nor external entity."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True,
                                                      load_dtd=False))
    except etree.XMLSyntaxError as problem:
        raise Fault(f"{what} is not well-formed XML: {problem.msg}") from None
    need(root.getroottree().docinfo.doctype == "", f"{what} has a DOCTYPE")
    return root


# -- MIME -----------------------------------------------------------------------------------------------------

def parameters(value):
    """A MIME header value: (type in small letters, {parameter in small letters: value})."""
    kind, _, rest = value.partition(";")
    found = {}
    for name, quoted, plain in re.findall(r';?\s*([A-Za-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', rest):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted or not plain else plain
    return kind.strip().lower(), found


def split_multipart(body, boundary):
    """[(headers in small letters, bytes)]; every delimiter, CRLF and the end must be there."""
    mark = b"--" + boundary.encode("ascii")
    need(body.startswith(mark + b"\r\n") or b"\r\n" + mark + b"\r\n" in body, "MIME: no first delimiter")
    start = 0 if body.startswith(mark) else body.index(b"\r\n" + mark) + 2
    parts, position = [], start + len(mark)
    while True:
        if body[position:position + 2] == b"--":
            return parts
        need(body[position:position + 2] == b"\r\n", "MIME: delimiter line not ended by CRLF")
        end = body.find(b"\r\n" + mark, position)
        need(end >= 0, "MIME: closing delimiter missing")
        head, found, content = body[position:end].partition(b"\r\n\r\n")
        need(found, "MIME: part without an end of headers")
        headers = {}
        for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n"):
            if line:
                name, colon, value = line.partition(b":")
                need(colon, "MIME: header line without a colon")
                headers[name.decode("ascii", "replace").lower().strip()] = value.decode("utf-8", "replace").strip()
        parts.append((headers, content))
        position = end + 2 + len(mark)


class Mtom:
    """The root part (bytes, parsed) and the other parts by content id."""

    def __init__(self, content_type, body, action):
        kind, values = parameters(content_type)
        need(kind == "multipart/related", f"Content-Type is {kind}, not multipart/related")
        for name, expected in (("type", "application/xop+xml"), ("start-info", "application/soap+xml")):
            need(values.get(name) == expected, f"Content-Type parameter {name} is {values.get(name)!r}")
        need(values.get("boundary"), "Content-Type without boundary")
        need(values.get("start"), "Content-Type without start")
        if action is not None:
            need(values.get("action") == action, f"Content-Type parameter action is {values.get('action')!r}")
        parts = split_multipart(body, values["boundary"])
        need(parts, "MIME: no part")
        self.parts = {}
        for headers, content in parts:
            identifier = headers.get("content-id", "")
            need(re.match(r"^<[^<>\s]+>$", identifier), "part without a Content-ID in angle brackets")
            need(identifier[1:-1] not in self.parts, "Content-ID used twice")
            need(headers.get("content-transfer-encoding", "").lower() in ("binary", "8bit"),
                 "Content-Transfer-Encoding is not binary")
            self.parts[identifier[1:-1]] = (headers, content)
        start = values["start"].strip("<>")
        need(values["start"] == f"<{start}>" and start in self.parts, "start does not name a part")
        need(parts[0][0]["content-id"] == f"<{start}>", "the root part is not the first one")
        headers, self.root_bytes = self.parts.pop(start)
        kind, inner = parameters(headers.get("content-type", ""))
        need(kind == "application/xop+xml" and inner.get("type", "").split(";")[0] == "application/soap+xml",
             "root part is not application/xop+xml; type=application/soap+xml")
        need(inner.get("charset", "").upper() == "UTF-8", "root part without charset=UTF-8")
        self.root = parse(self.root_bytes, "root part")

    def resolve(self, document):
        """The bytes behind the one xop:Include of a Document element."""
        need(len(document) == 1 and document[0].tag == f"{{{XOP}}}Include" and not (document.text or "").strip(),
             "Document is not one xop:Include: MTOM is mandatory")
        href = document[0].get("href", "")
        need(href.startswith("cid:"), "xop:Include without cid:")
        identifier = urllib.parse.unquote(href[4:])
        need(identifier in self.parts, f"no part for {href}", "XDSMissingDocument")
        return identifier, self.parts[identifier]


# -- schema ---------------------------------------------------------------------------------------------------

class Schemas:
    """The official schemas; `envelope` is None where they are absent."""

    def __init__(self):
        self.envelope = self.xades = None
        self.lock = threading.Lock()
        path = SHARED / "ihe" / "xsd"
        if (path / "xds-envelope.xsd").exists():
            self.envelope = self.load(path / "xds-envelope.xsd")
            self.xades = self.load(path / "xades" / "XAdES-1.1.1.xsd")

    @staticmethod
    def load(path):
        """A schema; given as bytes because lxml's reading of files fails once xmlsec has set its own."""
        return etree.XMLSchema(etree.fromstring(path.read_bytes(), base_url=str(path)))

    def check_envelope(self, root):
        if self.envelope is None:
            return
        copy = etree.fromstring(etree.tostring(root))
        for include in copy.iter(f"{{{XOP}}}Include"):
            include.getparent().text = "AA=="
            include.getparent().remove(include)
        with self.lock:
            if not self.envelope.validate(copy):
                problem = self.envelope.error_log[0]
                raise Fault(f"schema, line {problem.line}: {problem.message[:400]}")

    def check_qualifying(self, element):
        if self.xades is None:
            return
        with self.lock:
            if not self.xades.validate(etree.fromstring(etree.tostring(element, with_tail=False))):
                raise Fault(f"XAdES: {self.xades.error_log[0].message[:300]}")


# -- SOAP and addressing --------------------------------------------------------------------------------------

class Envelope:
    def __init__(self, root, action, url):
        need(root.tag == f"{{{SOAP}}}Envelope", "not a SOAP 1.2 envelope")
        headers = root.findall(f"{{{SOAP}}}Header")
        bodies = root.findall(f"{{{SOAP}}}Body")
        need(len(headers) == 1 and len(bodies) == 1, "one Header and one Body wanted")
        header = headers[0]
        known = {f"{{{WSA}}}{n}" for n in ("MessageID", "To", "ReplyTo", "Action", "From", "FaultTo")} | {f"{{{WSSE}}}Security"}
        for child in header:
            need(child.tag in known or child.get(f"{{{SOAP}}}mustUnderstand") not in ("true", "1"),
                 f"header {child.tag} not understood")
            need("mustUnderstand" not in child.attrib, "mustUnderstand without the SOAP namespace")
        self.message_id = self.text(header, "MessageID")
        need(UUID.match(self.message_id), "wsa:MessageID is not urn:uuid:<uuid>")
        self.action = self.text(header, "Action")
        need(self.action == action, f"wsa:Action is {self.action}")
        need(self.text(header, "To") == url, f"wsa:To is {self.text(header, 'To')}, not {url}")
        address = header.findall(f"{{{WSA}}}ReplyTo/{{{WSA}}}Address")
        need(len(address) == 1 and (address[0].text or "").strip() == ANONYMOUS, "wsa:ReplyTo/Address is not anonymous")
        for name in ("Action", "ReplyTo"):
            understood = header.find(f"{{{WSA}}}{name}").get(f"{{{SOAP}}}mustUnderstand")
            need(understood in ("true", "1"), f"wsa:{name} without soap:mustUnderstand")
        security = header.findall(f"{{{WSSE}}}Security")
        need(len(security) == 1, "one wsse:Security wanted")
        need(len(security[0]) == 1 and security[0][0].tag == f"{{{SAML}}}Assertion",
             "wsse:Security must hold one saml2:Assertion and nothing else")
        self.assertion = security[0][0]
        need(len(bodies[0]) == 1, "Body must hold one element")
        self.body = bodies[0][0]

    @staticmethod
    def text(header, name):
        found = header.findall(f"{{{WSA}}}{name}")
        need(len(found) == 1, f"one wsa:{name} wanted")
        return (found[0].text or "").strip()


# -- certificates ---------------------------------------------------------------------------------------------

class Authority:
    """The accepted authority, from ca.pem of pki.py (intermediate first, then root)."""

    def __init__(self, pki):
        pki = pathlib.Path(pki)
        self.inter = x509.load_pem_x509_certificate((pki / "inter.pem").read_bytes())
        self.root = x509.load_pem_x509_certificate((pki / "root.pem").read_bytes())

    def issued(self, certificate):
        try:
            self.inter.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(),
                                           certificate.signature_hash_algorithm)
        except InvalidSignature:
            return False
        now = datetime.datetime.utcnow()
        return certificate.issuer == self.inter.subject and certificate.not_valid_before <= now <= certificate.not_valid_after


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def organisational_unit(certificate):
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return units[0].value if units else ""


def check_stamp(certificate, authority, tls):
    """The certificate that signs must be a stamp of our authority, not the TLS one."""
    wrong = "DMPInvalidCertificate"
    need(der(certificate) != der(tls), "signed with the TLS certificate instead of the stamp", wrong)
    need(authority.issued(certificate), "stamp certificate not issued by the authority, or out of date", wrong)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    need(usage.content_commitment, "not a stamp certificate (key usage)", wrong)
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        uses = []
    need(ExtendedKeyUsageOID.CLIENT_AUTH not in uses, "an authentication certificate is not a stamp", wrong)


def certificate_in(signature):
    """The leaf of ds:KeyInfo/X509Data/X509Certificate."""
    found = signature.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    need(found, "signature without X509Certificate", "DMPInvalidCertificate")
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join((found[0].text or "").split()), validate=True))
    except (ValueError, binascii.Error):
        raise Fault("X509Certificate cannot be read", "DMPInvalidCertificate") from None


# -- VIHF -----------------------------------------------------------------------------------------------------

STRINGS = {"VIHF_Version", "Identifiant_Structure", "Secteur_Activite", "urn:oasis:names:tc:xspa:1.0:subject:subject-id",
           "urn:oasis:names:tc:xacml:2.0:resource:resource-id", "Ressource_URN", "LPS_Nom", "LPS_Version", "LPS_ID",
           "LPS_ID_HOMOLOGATION_DMP", "Authentification_mode", "Authentification_Mode"}
ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
SECRET = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
VIHF = "DMPInvalidVIHF"


def instant(text, what, milliseconds=False):
    pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d" + (r"\.\d{3}Z$" if milliseconds else r"(\.\d+)?(Z|[+-]\d\d:\d\d)$")
    need(re.match(pattern, text or ""), f"{what} is {text!r}", VIHF)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def xsi_type(element):
    """The (namespace, name) of xsi:type."""
    prefix, _, name = (element.get(f"{{{XSI}}}type") or "").rpartition(":")
    return element.nsmap.get(prefix or None), name


class Vihf:
    """A verified assertion: its attributes, patient, structure, issue instant and stamp certificate."""

    def __init__(self, assertion, authority, tls, versions=("3.0",), sha1=False, patient_needed=True, sites=None):
        self.issued_at = self.identity(assertion)
        self.certificate = self.signature(assertion, authority, tls, sha1)
        issuer = assertion.find(f"{{{SAML}}}Issuer")
        need(issuer.get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName", "Issuer/@Format", VIHF)
        need(issuer.text == self.certificate.subject.rfc4514_string(),
             f"Issuer {issuer.text!r} is not the stamp's subject {self.certificate.subject.rfc4514_string()!r}", VIHF)
        self.subject(assertion)
        self.attributes = self.read(assertion)
        self.values(versions, patient_needed)
        unit = organisational_unit(self.certificate)
        need(self.structure == unit or (sites or {}).get(self.structure) == unit,
             f"Identifiant_Structure {self.structure} is not the certificate's {unit}", "DMPStructureNotFound")
        need(organisational_unit(tls) in (unit, self.structure), "TLS certificate and stamp are of two structures",
             "DMPInvalidCertificate")

    def identity(self, assertion):
        need(assertion.get("Version") == "2.0", "Assertion/@Version", VIHF)
        self.id = assertion.get("ID", "")
        need(re.match(r"^_[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", self.id), f"Assertion/@ID {self.id}", VIHF)
        issued = instant(assertion.get("IssueInstant"), "IssueInstant", True)
        age = (datetime.datetime.now(datetime.timezone.utc) - issued).total_seconds()
        need(-60 <= age <= 300, f"IssueInstant is {age:.0f} s old", VIHF)
        order = [etree.QName(c).localname for c in assertion]
        need(re.match(r"^Issuer Signature Subject( Conditions)? AuthnStatement AttributeStatement$", " ".join(order)),
             "children of the assertion: " + " ".join(order), VIHF)
        return issued

    def signature(self, assertion, authority, tls, sha1):
        signature = assertion.find(f"{{{DS}}}Signature")
        info = signature.find(f"{{{DS}}}SignedInfo")
        method = lambda path: info.find(path).get("Algorithm") if info.find(path) is not None else None
        need(method(f"{{{DS}}}CanonicalizationMethod") == EXC_C14N, "SignedInfo is not exc-c14n", VIHF)
        allowed = {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"} | ({DS + "rsa-sha1"} if sha1 else set())
        need(method(f"{{{DS}}}SignatureMethod") in allowed, "SignatureMethod not accepted", VIHF)
        references = info.findall(f"{{{DS}}}Reference")
        need(len(references) == 1 and references[0].get("URI") == "#" + self.id, "one reference to the assertion's ID wanted", VIHF)
        transforms = [t.get("Algorithm") for t in references[0].iter(f"{{{DS}}}Transform")]
        need(transforms == [ENVELOPED, EXC_C14N], f"transforms {transforms}", VIHF)
        digest = references[0].find(f"{{{DS}}}DigestMethod").get("Algorithm")
        need(digest == "http://www.w3.org/2001/04/xmlenc#sha256" or (sha1 and digest == DS + "sha1"), "DigestMethod not accepted", VIHF)
        certificate = certificate_in(signature)
        check_stamp(certificate, authority, tls)
        root = assertion.getroottree().getroot()
        need(len([e for e in root.iter() if isinstance(e.tag, str) and e.get("ID") == self.id]) == 1, "ID used twice", VIHF)
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(certificate.public_bytes(serialization.Encoding.PEM), xmlsec.KeyFormat.CERT_PEM)
        try:
            context.verify(signature)
        except xmlsec.Error:
            raise Fault("VIHF signature does not verify", VIHF) from None
        return certificate

    def subject(self, assertion):
        name = assertion.findtext(f"{{{SAML}}}Subject/{{{SAML}}}NameID") or ""
        need(re.match(r"^8\d{11}$", name), f"NameID {name!r} is not 8 + RPPS", VIHF)
        self.name_id = name
        conditions = assertion.find(f"{{{SAML}}}Conditions")
        if conditions is not None:
            need(len(conditions) == 0, "Conditions must be empty (no AudienceRestriction)", VIHF)
            now = datetime.datetime.now(datetime.timezone.utc)
            for attribute, sign in (("NotBefore", 1), ("NotOnOrAfter", -1)):
                if conditions.get(attribute):
                    late = (now - instant(conditions.get(attribute), attribute)).total_seconds() * sign
                    need(late >= -60, f"{attribute} not respected", VIHF)
        statement = assertion.find(f"{{{SAML}}}AuthnStatement")
        need(instant(statement.get("AuthnInstant"), "AuthnInstant") <= self.issued_at, "AuthnInstant after IssueInstant", VIHF)
        reference = statement.findtext(f"{{{SAML}}}AuthnContext/{{{SAML}}}AuthnContextClassRef")
        need(reference in CLASSES, f"AuthnContextClassRef {reference}", VIHF)

    def read(self, assertion):
        found = {}
        for attribute in assertion.findall(f"{{{SAML}}}AttributeStatement/{{{SAML}}}Attribute"):
            name = attribute.get("Name")
            need(name in STRINGS | {ROLE, PURPOSE, SECRET}, f"unknown attribute {name}", VIHF)
            need(name not in found, f"attribute {name} twice", VIHF)
            values = attribute.findall(f"{{{SAML}}}AttributeValue")
            if name in STRINGS:
                need(len(values) == 1 and len(values[0]) == 0 and xsi_type(values[0]) == (XS, "string"),
                     f"{name} is not one xs:string", VIHF)
                found[name] = values[0].text or ""
            else:
                expected = {ROLE: "Role", PURPOSE: "PurposeOfUse"}.get(name)
                for value in values:
                    need(len(value) == 1 and xsi_type(value[0])[1] == "CE" and xsi_type(value[0])[0] in (HL7, None)
                         and (expected is None or value[0].tag == f"{{{HL7}}}{expected}"), f"{name} is not a CE element", VIHF)
                found[name] = [dict(v[0].attrib) for v in values]
        return found

    def values(self, versions, patient_needed):
        a = self.attributes
        get = lambda name: a.get(name) or ""
        need(get("VIHF_Version") in versions, f"VIHF_Version {get('VIHF_Version')!r}", VIHF)
        modes = [a[n] for n in ("Authentification_mode", "Authentification_Mode") if n in a]
        need(modes == ["INDIRECTE"], f"Authentification_mode {modes}", VIHF)
        self.structure = get("Identifiant_Structure")
        need(re.match(r"^[0-9A-Za-z]{2,20}$", self.structure), f"Identifiant_Structure {self.structure!r}", VIHF)
        sector = get("Secteur_Activite").partition("^")
        need(sector[0] in SECTORS and sector[2] == "1.2.250.1.71.4.2.4", "Secteur_Activite", VIHF)
        need(get("urn:oasis:names:tc:xspa:1.0:subject:subject-id").strip(), "subject-id missing", VIHF)
        need(get("Ressource_URN") == "urn:dmp", "Ressource_URN", VIHF)
        for name in ("LPS_Nom", "LPS_Version", "LPS_ID_HOMOLOGATION_DMP"):
            need(get(name).strip(), f"{name} missing", VIHF)
        purpose = a.get(PURPOSE) or []
        need(len(purpose) == 1 and purpose[0].get("code") == "normal" and purpose[0].get("codeSystem") == "1.2.250.1.213.1.1.4.248",
             "purposeofuse", VIHF)
        roles = [(r.get("code"), r.get("codeSystem")) for r in a.get(ROLE) or []]
        need(roles, "role missing", VIHF)
        if roles[0] == ("AUTOMATE", "1.2.250.1.213.1.1.4.6"):
            need(len(roles) == 1, "AUTOMATE stands alone", VIHF)
        else:
            need(roles[0][1] == "1.2.250.1.71.1.2.7" and re.match(r"^\d\d$", roles[0][0] or ""), "profession", VIHF)
            if roles[0][0] in ("10", "21"):
                need(len(roles) == 2, "Aucune spécialité dans le vihf", VIHF)
            if roles[0][0] == "10":
                need(roles[1][1] == "1.2.250.1.71.4.2.5" and re.match(r"^SM\d\d$", roles[1][0] or ""), "speciality", VIHF)
        for secret in a.get(SECRET) or []:
            need(secret.get("code") == "INVISIBLE_REPRESENTANTS_LEGAUX", "confidentiality-code", VIHF)
        self.patient = get("urn:oasis:names:tc:xacml:2.0:resource:resource-id")
        if self.patient or patient_needed:
            found = PATIENT.match(self.patient)
            need(found and not found.group(3), f"resource-id {'missing' if not self.patient else 'malformed'}", VIHF)


# -- XDS metadata ---------------------------------------------------------------------------------------------

class Entry:
    """A RegistryPackage or an ExtrinsicObject."""

    def __init__(self, element):
        self.element = element
        self.id = element.get("id", "")
        self.slots = slots(element)
        self.classifications = {}
        self.marks = []
        for c in element.findall(f"{{{RIM}}}Classification"):
            if c.get("classificationNode"):
                self.marks.append(c)
            inner = slots(c)
            value = {"code": c.get("nodeRepresentation") or "", "system": (inner.get("codingScheme") or [""])[0],
                     "label": text_of(c, "Name"), "slots": inner, "of": c.get("classifiedObject")}
            self.classifications.setdefault(c.get("classificationScheme"), []).append(value)
        self.identifiers = {}
        for e in element.findall(f"{{{RIM}}}ExternalIdentifier"):
            self.identifiers.setdefault(e.get("identificationScheme"), []).append(
                {"value": e.get("value") or "", "name": text_of(e, "Name"), "of": e.get("registryObject")})
        self.title = text_of(element, "Name")

    def codes(self, scheme):
        return self.classifications.get(SCHEME[scheme], [])

    def identifier(self, scheme):
        found = self.identifiers.get(SCHEME[scheme], [])
        return found[0]["value"] if found else ""

    def slot(self, name):
        return (self.slots.get(name) or [""])[0]


def slots(element):
    return {s.get("name"): [v.text or "" for v in s.findall(f"{{{RIM}}}ValueList/{{{RIM}}}Value")]
            for s in element.findall(f"{{{RIM}}}Slot")}


def text_of(element, name):
    found = element.find(f"{{{RIM}}}{name}/{{{RIM}}}LocalizedString")
    return found.get("value") or "" if found is not None else ""


def utc(value):
    """An HL7 v3 time with offset as YYYYMMDDHHMMSS in UTC; "" when it has no offset."""
    found = re.match(r"^(\d{12})(\d\d)?(?:\.\d+)?([+-]\d{4})$", value or "")
    if not found:
        return ""
    moment = datetime.datetime.strptime(found.group(1) + (found.group(2) or "00") + found.group(3), "%Y%m%d%H%M%S%z")
    return moment.astimezone(datetime.timezone.utc).strftime("%Y%m%d%H%M%S")


class Submission:
    """One ITI-41 body; `check` collects every error of metadata, documents and signature."""

    REGISTRY = "XDSRegistryMetadataError"
    REPOSITORY = "XDSRepositoryMetadataError"

    def __init__(self, mtom, body, vihf, authority, schemas):
        need(body.tag == f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest", f"Body holds {body.tag}")
        self.mtom, self.body, self.vihf, self.authority, self.schemas = mtom, body, vihf, authority, schemas
        self.errors = []
        objects = body.findall(f"{{{LCM}}}SubmitObjectsRequest/{{{RIM}}}RegistryObjectList")
        need(len(objects) == 1, "one RegistryObjectList wanted")
        self.objects = objects[0]

    def wrong(self, code, text, where=""):
        self.errors.append((code, text, where))

    def want(self, condition, text, where="", code=REGISTRY):
        if not condition:
            self.wrong(code, text, where)
        return bool(condition)

    def check(self):
        packages = [Entry(e) for e in self.objects.findall(f"{{{RIM}}}RegistryPackage")]
        entries = [Entry(e) for e in self.objects.findall(f"{{{RIM}}}ExtrinsicObject")]
        self.associations = self.objects.findall(f"{{{RIM}}}Association")
        if not self.want(len(packages) == 1, "one RegistryPackage wanted"):
            raise Failure(self.errors)
        self.package = packages[0]
        is_signature = lambda e: any(c["code"] == "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1" for c in e.codes("class"))
        self.signatures = [e for e in entries if is_signature(e)]
        self.documents = [e for e in entries if not is_signature(e)]
        self.want(self.documents, "no document entry", code="XDSMissingDocumentMetadata")
        self.want(len(self.signatures) == 1, "one signature entry wanted")
        self.bytes = {}
        self.attach(entries)
        for entry in packages + entries:
            self.common(entry)
        self.set()
        self.patients(entries)
        self.cda = {}
        for entry in self.documents:
            self.entry(entry)
            self.document(entry)
        for entry in self.signatures:
            self.signature_entry(entry)
        self.links(entries)
        if not self.errors:
            self.xades()
        if self.errors:
            raise Failure(self.errors)
        return self

    def attach(self, entries):
        """Document@id = ExtrinsicObject@id, each part used once."""
        used, seen = set(), set()
        identifiers = {e.id for e in entries}
        for document in self.body.findall(f"{{{XDSB}}}Document"):
            identifier = document.get("id")
            cid, (headers, content) = self.mtom.resolve(document)
            self.want(identifier not in seen and cid not in used, "document or part used twice", identifier, self.REPOSITORY)
            seen.add(identifier)
            used.add(cid)
            self.want(parameters(headers.get("content-type", ""))[0] == "text/xml", "part is not text/xml", identifier, self.REPOSITORY)
            self.want(identifier in identifiers, "document without metadata", identifier, "XDSMissingDocumentMetadata")
            self.bytes[identifier] = content
        for entry in entries:
            self.want(entry.id in seen, "metadata without document", entry.id, "XDSMissingDocument")
        self.want(used == set(self.mtom.parts), "part that nothing refers to", code=self.REPOSITORY)

    def common(self, entry):
        for values in entry.classifications.values():
            for value in values:
                self.want(value["of"] == entry.id, "classifiedObject is not its parent", entry.id)
        for values in entry.identifiers.values():
            self.want(len(values) == 1, "external identifier twice", entry.id)
            for value in values:
                self.want(value["of"] == entry.id, "registryObject is not its parent", entry.id)
        for name in ("creationTime", "submissionTime", "serviceStartTime", "serviceStopTime"):
            if name in entry.slots:
                self.want(len(entry.slots[name]) == 1 and TIME.match(entry.slot(name)), f"{name} is not YYYYMMDDHHMMSS", entry.id)
        for string in entry.element.iter(f"{{{RIM}}}LocalizedString"):
            self.want(string.get("charset", "").upper() in ("UTF8", "UTF-8"), "LocalizedString/@charset", entry.id)
            self.want(string.get("{http://www.w3.org/XML/1998/namespace}lang", "").upper().startswith("FR"), "LocalizedString/@xml:lang", entry.id)
        self.want(not entry.id.startswith("urn:uuid:"), "entryUUID is given by the DMP, never sent on a deposit", entry.id)
        self.want(entry.element.get("lid") is None and entry.element.get("status") is None
                  and entry.element.find(f"{{{RIM}}}VersionInfo") is None, "lid, status and VersionInfo are never sent", entry.id)
        self.want("repositoryUniqueId" not in entry.slots, "repositoryUniqueId is never sent", entry.id)

    def one(self, entry, scheme, codes=None, system=None):
        found = entry.codes(scheme)
        if self.want(len(found) == 1, f"{scheme}: one code wanted, {len(found)} found", entry.id):
            value = found[0]
            self.want(codes is None or value["code"] in codes, f"{scheme}: code {value['code']}", entry.id)
            self.want(system is None or value["system"] == system, f"{scheme}: coding scheme {value['system']}", entry.id)
            self.want(value["label"], f"{scheme}: no label", entry.id)
            return value["code"]
        return ""

    def authors(self, entry, scheme):
        """The structures of the authors; at least one author, each complete."""
        institutions = []
        found = entry.codes(scheme)
        self.want(found, "no author", entry.id)
        for author in found:
            values = author["slots"]
            self.want(author["code"] == "", "author with a nodeRepresentation", entry.id)
            for name in ("authorPerson", "authorInstitution", "authorSpecialty"):
                self.want(len(values.get(name, [])) <= 1, f"{name}: several values", entry.id)
            person = (values.get("authorPerson") or [""])[0]
            self.want(PERSON.match(person) or DEVICE.match(person), f"authorPerson {shape(person)}", entry.id)
            if PERSON.match(person):
                specialty = (values.get("authorSpecialty") or [""])[0]
                self.want(SPECIALTY.match(specialty), f"authorSpecialty {specialty!r}", entry.id)
            institution = INSTITUTION.match((values.get("authorInstitution") or [""])[0])
            if self.want(institution, "authorInstitution malformed or missing", entry.id):
                institutions.append(institution.group(1))
        return institutions

    def set(self):
        package = self.package
        marks = [c.get("classificationNode") for c in package.marks] + [
            c.get("classificationNode") for c in self.objects.findall(f"{{{RIM}}}Classification")
            if c.get("classifiedObject") == package.id]
        self.want(marks == [SCHEME["ss_marker"]], "the package is not marked as a submission set", package.id)
        self.submitted = package.slot("submissionTime")
        self.want(TIME.match(self.submitted), "submissionTime missing", package.id)
        issued = self.vihf.issued_at.strftime("%Y%m%d%H%M%S")
        self.want(self.submitted <= issued, "submissionTime after the VIHF's IssueInstant (UTC wanted)", package.id)
        self.authors(package, "ss_author")
        self.one(package, "ss_content", {"03", "04", "07", "19", "26", "97"}, "1.2.250.1.213.2.2")
        for scheme, name in (("ss_patient", "patientId"), ("ss_source", "sourceId"), ("ss_unique", "uniqueId")):
            found = package.identifiers.get(SCHEME[scheme], [])
            if self.want(len(found) == 1, f"{name} missing", package.id):
                self.want(found[0]["name"] == f"XDSSubmissionSet.{name}", f"name of {name}", package.id)
        self.unique = package.identifier("ss_unique")
        for value in (self.unique, package.identifier("ss_source")):
            self.want(OID.match(value) and len(value) <= 64, "submission set uniqueId and sourceId are OID", package.id)

    def patients(self, entries):
        patient = self.package.identifier("ss_patient")
        found = PATIENT.match(patient)
        if self.want(found, "patientId malformed", self.package.id):
            self.want(dpi.ins_key_is_right(found.group(1)), "INS with a wrong key", self.package.id, "XDSUnknownPatientId")
            self.want(found.group(2).endswith((".10", ".11")), "real INS in a test DMP", self.package.id, "XDSUnknownPatientId")
            self.ins, self.ins_oid = found.group(1), found.group(2)
        bare = re.sub(r"\^\^\d{8}$", "", patient)
        self.want(bare == self.vihf.patient, "patientId differs from the VIHF's resource-id", self.package.id, "XDSPatientIdDoesNotMatch")
        for entry in entries:
            self.want(entry.identifier("patient") == patient, "patientId differs from the submission set's", entry.id,
                      "XDSPatientIdDoesNotMatch")

    def entry(self, entry):
        e = entry.element
        self.want(e.get("mimeType") == "text/xml", f"mimeType {e.get('mimeType')}", entry.id)
        self.want(e.get("objectType") == STABLE, "objectType", entry.id)
        for name in ("creationTime", "serviceStartTime", "languageCode", "legalAuthenticator", "sourcePatientId",
                     "sourcePatientInfo", "hash", "size"):
            self.want(entry.slots.get(name), f"slot {name} missing", entry.id)
        self.want(entry.slot("languageCode") == "fr-FR", "languageCode", entry.id)
        self.want(PERSON.match(entry.slot("legalAuthenticator")), "legalAuthenticator malformed", entry.id)
        self.want(1 <= len(entry.title) <= 128, "title of 1 to 128 characters wanted", entry.id)
        institutions = self.authors(entry, "author")
        self.want(self.vihf.structure in institutions, "no authorInstitution equals the VIHF's Identifiant_Structure", entry.id,
                  "DMPAccessDeniedByRightsService")
        self.one(entry, "class", {"10"}, "1.2.250.1.213.1.1.4.1")
        self.one(entry, "type", {"11502-2"}, "2.16.840.1.113883.6.1")
        formats = [(c["code"], c["system"]) for c in entry.codes("format")]
        self.want(len(formats) == 1 and formats[0] in FORMATS, f"formatCode {formats}", entry.id)
        self.one(entry, "facility", SECTORS, "1.2.250.1.71.4.2.4")
        self.one(entry, "setting", SETTINGS, "1.2.250.1.213.1.1.4.9")
        masks = self.confidentiality(entry)
        self.want(not {"MASQUE_PS", "INVISIBLE_PATIENT"} <= masks, "MASQUE_PS with INVISIBLE_PATIENT is forbidden", entry.id)
        if self.vihf.attributes.get(SECRET):
            self.want("INVISIBLE_REPRESENTANTS_LEGAUX" in masks, "secret connection without INVISIBLE_REPRESENTANTS_LEGAUX", entry.id)
        for name, scheme in (("patientId", "patient"), ("uniqueId", "unique")):
            found = entry.identifiers.get(SCHEME[scheme], [])
            if self.want(len(found) == 1, f"{name} missing", entry.id):
                self.want(found[0]["name"] == f"XDSDocumentEntry.{name}", f"name of {name}", entry.id)
        unique = entry.identifier("unique")
        self.want(OID.match(unique) and len(unique) <= 64, "uniqueId is not a bare OID", entry.id)
        twice = [o for o in self.documents + self.signatures if o is not entry and o.identifier("unique") == unique]
        self.want(not twice and unique != self.unique, "uniqueId used twice in the message", entry.id, "XDSRegistryDuplicateUniqueIdInMessage")

    def confidentiality(self, entry):
        found = entry.codes("confidentiality")
        normal = [c["code"] for c in found if c["system"] == "2.16.840.1.113883.5.25"]
        masks = {c["code"] for c in found if c["system"] == "1.2.250.1.213.1.1.4.13"}
        self.want(len(normal) == 1 and normal[0] in ("N", "R", "V"), "confidentialityCode: one of N, R, V wanted", entry.id)
        self.want(masks <= MASKS and len(found) == 1 + len(masks), "confidentialityCode unknown", entry.id)
        return masks

    def document(self, entry):
        content = self.bytes.get(entry.id)
        if content is None:
            return
        self.want(entry.slot("hash") == hashlib.sha1(content).hexdigest(), "hash is not the SHA-1 of the bytes (40 small hex digits)",
                  entry.id, self.REPOSITORY)
        self.want(entry.slot("size") == str(len(content)), "size is not the number of bytes", entry.id, self.REPOSITORY)
        bad = "InvalidDocumentContent"
        try:
            root = parse(content, "document")
        except Fault as problem:
            self.wrong(bad, problem.reason, entry.id)
            return
        if not self.want(root.tag == f"{{{HL7}}}ClinicalDocument", "not a CDA", entry.id, bad):
            return
        self.cda[entry.id] = root
        get = lambda path: (root.xpath(path, namespaces=NS) or [""])[0]
        ids = root.findall(f"{{{HL7}}}id")
        self.want(len(ids) == 1 and ids[0].get("root") == entry.identifier("unique") and ids[0].get("extension") is None,
                  "CDA id is not the uniqueId", entry.id, bad)
        patients = {(i.get("root"), i.get("extension")) for i in root.xpath("h:recordTarget/h:patientRole/h:id", namespaces=NS)}
        self.want((getattr(self, "ins_oid", ""), getattr(self, "ins", "")) in patients, "INS of the CDA is not the patientId", entry.id,
                  "XDSPatientIdDoesNotMatch")
        source = re.match(r"^([^^]+)\^\^\^&([0-9.]+)&ISO\^(PI|NH)$", entry.slot("sourcePatientId"))
        self.want(source and (source.group(2), source.group(1)) in patients, "sourcePatientId is not an id of the CDA", entry.id)
        self.want(entry.slot("creationTime") == utc(get("h:effectiveTime/@value")) != "",
                  "creationTime is not the CDA's effectiveTime in UTC", entry.id)
        self.want(entry.slot("creationTime") <= self.submitted, "creationTime after submissionTime", entry.id)
        low, high = get("h:documentationOf/h:serviceEvent/h:effectiveTime/h:low/@value"), get("h:documentationOf/h:serviceEvent/h:effectiveTime/h:high/@value")
        self.want(entry.slot("serviceStartTime") == utc(low), "serviceStartTime is not the CDA's in UTC", entry.id)
        if "serviceStopTime" in entry.slots:
            self.want(entry.slot("serviceStopTime") == utc(high), "serviceStopTime is not the CDA's in UTC", entry.id)
        normal = [c["code"] for c in entry.codes("confidentiality") if c["system"] == "2.16.840.1.113883.5.25"]
        self.want(normal == [get("h:confidentialityCode/@code")], "confidentialityCode differs from the CDA", entry.id)
        self.want([c["code"] for c in entry.codes("type")] == [get("h:code/@code")], "typeCode differs from the CDA", entry.id)
        self.want(entry.title == " ".join("".join(root.xpath("h:title//text()", namespaces=NS)).split()), "title differs from the CDA", entry.id)
        self.want(get("h:languageCode/@code") == entry.slot("languageCode"), "languageCode differs from the CDA", entry.id)
        chapters = set(root.xpath("h:documentationOf/h:serviceEvent/h:code/@code", namespaces=NS))
        self.want({c["code"] for c in entry.codes("event")} <= chapters, "eventCodeList that the CDA does not have", entry.id)
        for scheme, path in (("facility", "h:componentOf/h:encompassingEncounter/h:location/h:healthCareFacility/h:code/@code"),
                             ("setting", "h:documentationOf/h:serviceEvent/h:performer/h:assignedEntity/h:representedOrganization/h:standardIndustryClassCode/@code")):
            inside = get(path)
            self.want(not inside or [c["code"] for c in entry.codes(scheme)] == [inside], f"{scheme} differs from the CDA", entry.id)
        legal = get("h:legalAuthenticator/h:assignedEntity/h:id/@extension")
        self.want(not legal or entry.slot("legalAuthenticator").startswith(legal + "^"), "legalAuthenticator differs from the CDA", entry.id)
        self.traits(entry, root)

    def traits(self, entry, root):
        info = dict(v.partition("|")[::2] for v in entry.slots.get("sourcePatientInfo", []))
        names = info.get("PID-5", "").split("^")
        self.want(len(names) == 7 and names[6] == "L" and names[0] and names[1], "sourcePatientInfo PID-5", entry.id)
        person = root.find(f"{{{HL7}}}recordTarget/{{{HL7}}}patientRole/{{{HL7}}}patient")
        if not self.want(person is not None, "the CDA has no patient", entry.id, "InvalidDocumentContent"):
            return
        families = person.xpath("h:name/h:family[@qualifier='BR']/text()", namespaces=NS)
        givens = person.xpath("h:name/h:given[@qualifier='BR']/text()", namespaces=NS)
        self.want(len(names) > 1 and [names[0]] == families and (not givens or names[1] == givens[0]), "PID-5 differs from the CDA", entry.id)
        self.want(info.get("PID-7") == (person.xpath("string(h:birthTime/@value)", namespaces=NS))[:8], "PID-7 differs from the CDA", entry.id)
        self.want(info.get("PID-8") == person.xpath("string(h:administrativeGenderCode/@code)", namespaces=NS), "PID-8 differs from the CDA", entry.id)
        self.want(set(info) <= {"PID-5", "PID-7", "PID-8", "PID-11"}, "sourcePatientInfo: unexpected field", entry.id)

    def signature_entry(self, entry):
        self.want(entry.element.get("mimeType") == "text/xml" and entry.element.get("objectType") == STABLE, "mimeType or objectType", entry.id)
        for name in ("creationTime", "serviceStartTime", "serviceStopTime"):
            self.want(entry.slot(name) == self.submitted, f"{name} of the signature is not the submission time", entry.id)
        self.want(entry.slot("languageCode") == "art", "languageCode of the signature is art", entry.id)
        self.want(PERSON.match(entry.slot("legalAuthenticator")), "legalAuthenticator", entry.id)
        self.want(entry.slot("sourcePatientId") == entry.identifier("patient"), "sourcePatientId of the signature is the INS", entry.id)
        self.want(entry.title == "Source", "title of the signature is Source", entry.id)
        self.authors(entry, "author")
        self.one(entry, "class", {"urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1"}, "URN")
        self.one(entry, "type", {"E1762"}, "ASTM")
        self.one(entry, "format", {"http://www.w3.org/2000/09/xmldsig#"}, "URN")
        self.one(entry, "event", {"1.2.840.10065.1.12.1.14"}, "1.2.840.10065.1.12")
        self.want(self.confidentiality(entry) >= {"MASQUE_PS", "INVISIBLE_PATIENT"}, "the signature is N + MASQUE_PS + INVISIBLE_PATIENT", entry.id)
        for scheme in ("facility", "setting"):
            same = self.documents and [c["code"] for c in entry.codes(scheme)] == [c["code"] for c in self.documents[0].codes(scheme)]
            self.want(same, f"{scheme} of the signature differs from the document's", entry.id)
        unique = entry.identifier("unique")
        self.want(OID.match(unique) and len(unique) <= 64 and unique != self.unique, "uniqueId of the signature", entry.id)
        content = self.bytes.get(entry.id, b"")
        if "hash" in entry.slots:
            self.want(entry.slot("hash") == hashlib.sha1(content).hexdigest(), "hash of the signature", entry.id, self.REPOSITORY)
        if "size" in entry.slots:
            self.want(entry.slot("size") == str(len(content)), "size of the signature", entry.id, self.REPOSITORY)

    def links(self, entries):
        identifiers = [x.get("id") for x in self.objects.iter() if isinstance(x.tag, str) and x.get("id")]
        self.want(len(identifiers) == len(set(identifiers)), "id used twice")
        members, signs, self.replaced, self.unfed = [], [], {}, {}
        for a in self.associations:
            kind, source, target = a.get("associationType"), a.get("sourceObject"), a.get("targetObject")
            status = slots(a).get("SubmissionSetStatus")
            if kind == HAS_MEMBER:
                self.want(source == self.package.id and status == ["Original"], "HasMember: source or SubmissionSetStatus", a.get("id"))
                members.append(target)
            elif kind == SIGNS:
                self.want(target == self.package.id and status == ["Original"], "signs: target or SubmissionSetStatus", a.get("id"))
                signs.append(source)
            elif kind == REPLACES:
                self.want(source in [d.id for d in self.documents] and UUID.match(target or ""), "RPLC: source or target", a.get("id"))
                self.replaced[source] = target
            else:
                self.wrong(self.REGISTRY, f"associationType {kind}", a.get("id"))
        self.want(sorted(members) == sorted(e.id for e in entries), "HasMember does not cover each object once")
        self.want(signs == [e.id for e in self.signatures], "one signs from the signature to the set wanted")
        for entry in self.documents:
            root = self.cda.get(entry.id)
            related = root is not None and root.xpath("h:relatedDocument[@typeCode='RPLC']/h:parentDocument/h:id/@root", namespaces=NS)
            self.want(bool(related) or entry.id not in self.replaced, "RPLC association and the CDA's relatedDocument disagree", entry.id)
            # A version that was never fed (REC_GEN-1070: partial reports go by mail alone) can't be replaced here.
            if related and entry.id not in self.replaced:
                self.unfed[entry.id] = str(related[0])

    def xades(self):
        entry = self.signatures[0]
        try:
            documents = {d.identifier("unique"): self.bytes[d.id] for d in self.documents}
            check_xades(self.bytes[entry.id], self.unique, documents, self.vihf, self.submitted, self.authority, self.schemas)
        except Fault as problem:
            self.wrong("InvalidDocumentContent", problem.reason, entry.id)


class StatusUpdate(Submission):
    """One TD3.3c body (dmp.md 7.3): the package of a submission and one UpdateAvailabilityStatus, nothing else."""

    def __init__(self, mtom, body, vihf):
        need(body.tag == f"{{{LCM}}}SubmitObjectsRequest", f"Body holds {body.tag}")
        need(not mtom.parts, "TD3.3c carries no document")
        objects = body.findall(f"{{{RIM}}}RegistryObjectList")
        need(len(objects) == 1, "one RegistryObjectList wanted")
        self.vihf, self.objects, self.errors = vihf, objects[0], []

    def check(self):
        packages = [Entry(e) for e in self.objects.findall(f"{{{RIM}}}RegistryPackage")]
        links = self.objects.findall(f"{{{RIM}}}Association")
        kinds = {etree.QName(e).localname for e in self.objects if isinstance(e.tag, str)}
        if not self.want(len(packages) == 1 and len(links) == 1 and kinds <= {"RegistryPackage", "Classification", "Association"},
                         "one RegistryPackage and one Association wanted, and nothing else"):
            raise Failure(self.errors)
        self.package, link = packages[0], links[0]
        self.common(self.package)
        self.set()
        self.patients([])
        self.want(self.vihf.structure in self.authors(self.package, "ss_author"), "no author of the set is of the VIHF's structure",
                  self.package.id, "DMPAccessDeniedByRightsService")
        values = slots(link)
        self.want(link.get("associationType") == UPDATE_STATUS and link.get("sourceObject") == self.package.id, "association", link.get("id"))
        self.want(link.get("objectType") == ASSOCIATION, "objectType of the association", link.get("id"))
        self.want(set(values) == {"OriginalStatus", "NewStatus"} and all(len(v) == 1 for v in values.values()),
                  "slots OriginalStatus and NewStatus, one value each", link.get("id"))
        self.target = link.get("targetObject") or ""
        self.want(UUID.match(self.target), "targetObject is an entryUUID", link.get("id"))
        self.original, self.becomes = (values.get(n, [""])[0] for n in ("OriginalStatus", "NewStatus"))
        self.want(self.original in (APPROVED, ARCHIVED), f"OriginalStatus {self.original}", link.get("id"), "XDSMetadataUpdateError")
        self.want(self.becomes in (DELETED, ARCHIVED) and self.becomes != self.original, f"NewStatus {self.becomes}", link.get("id"),
                  "XDSMetadataUpdateError")
        if self.errors:
            raise Failure(self.errors)
        return self


def shape(value):
    """A value with letters and digits hidden, for error texts."""
    return repr(re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", value)))


# -- XAdES ----------------------------------------------------------------------------------------------------

def canonical(element, comments=True):
    """Inclusive canonical form of a subtree with the namespaces it inherits.

    Written out and read again first: lxml's canonical form of a subtree inside its document is wrong.
    """
    alone = etree.fromstring(etree.tostring(element, with_tail=False), etree.XMLParser(huge_tree=True))
    return etree.tostring(alone, method="c14n", with_comments=comments)


def verify_signed_info(signature, certificate):
    """The signature value over the canonical SignedInfo."""
    info = signature.find(f"{{{DS}}}SignedInfo")
    method = info.find(f"{{{DS}}}CanonicalizationMethod").get("Algorithm")
    need(method == C14N_COMMENTS, f"XAdES: canonicalisation {method}")
    algorithm = info.find(f"{{{DS}}}SignatureMethod").get("Algorithm")
    need(algorithm in RSA, f"XAdES: signature method {algorithm}")
    value = base64.b64decode("".join((signature.findtext(f"{{{DS}}}SignatureValue") or "").split()))
    try:
        certificate.public_key().verify(value, canonical(info), padding.PKCS1v15(), RSA[algorithm]())
    except InvalidSignature:
        raise Fault("XAdES: the signature does not verify") from None


def digest_of(reference, data, what):
    method = reference.find(f"{{{DS}}}DigestMethod").get("Algorithm")
    need(method in DIGEST, f"XAdES: digest method {method}")
    expected = base64.b64encode(DIGEST[method](data).digest()).decode()
    need("".join((reference.findtext(f"{{{DS}}}DigestValue") or "").split()) == expected, f"XAdES: digest of {what}")


def check_references(signature):
    """The two references of SignedInfo, verified; gives (Manifest, SignedProperties)."""
    references = signature.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
    wanted = {"#IHEManifest": (DS + "Manifest", f"{{{DS}}}Manifest"),
              "#S0-SignedProperties": (XADES + "SignedProperties", f"{{{XADES}}}SignedProperties")}
    need(sorted(r.get("URI") or "" for r in references) == sorted(wanted), "XAdES: the two references")
    found = {}
    for reference in references:
        kind, tag = wanted[reference.get("URI")]
        need(reference.get("Type") == kind, f"XAdES: type of {reference.get('URI')}")
        need(not reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
             or [t.get("Algorithm") for t in reference.iter(f"{{{DS}}}Transform")] == [C14N_COMMENTS], "XAdES: transforms")
        targets = [e for e in signature.iter(tag) if e.get("Id") == reference.get("URI")[1:]]
        need(len(targets) == 1, f"XAdES: {reference.get('URI')} not found once")
        if reference.find(f"{{{DS}}}Transforms") is None:  # the default canonicalisation has no comments
            data = canonical(targets[0], False)
        else:
            data = canonical(targets[0])
        digest_of(reference, data, reference.get("URI"))
        found[tag] = targets[0]
    return found[f"{{{DS}}}Manifest"], found[f"{{{XADES}}}SignedProperties"]


def check_xades(data, submission_id, documents, vihf, submitted, authority, schemas):
    """dmp.md 5.5. documents: {uniqueId: bytes}; submitted: YYYYMMDDHHMMSS UTC."""
    signature = parse(data, "XAdES")
    need(signature.tag == f"{{{DS}}}Signature", "XAdES: root is not ds:Signature")
    identifier = signature.get("Id", "")
    need(NCNAME.match(identifier), "XAdES: Signature/@Id is not an NCName")
    certificate = certificate_in(signature)
    need(der(certificate) == der(vihf.certificate), "XAdES: not signed by the stamp of the VIHF")
    manifest, signed = check_references(signature)
    verify_signed_info(signature, certificate)

    references = manifest.findall(f"{{{DS}}}Reference")
    need([r.get("URI") for r in references] == [f"urn:oid:{submission_id}"] + [f"urn:oid:{u}" for u in documents]
         or (references and references[0].get("URI") == f"urn:oid:{submission_id}"
             and sorted(r.get("URI") for r in references[1:]) == sorted(f"urn:oid:{u}" for u in documents)),
         "XAdES: manifest is not the submission set then each document")
    need(references[0].findtext(f"{{{DS}}}DigestValue") == "AA==", "XAdES: digest of the set is AA==")
    for reference in references[1:]:
        transforms = [t.get("Algorithm") for t in reference.iter(f"{{{DS}}}Transform")]
        need(transforms == [C14N_COMMENTS], "XAdES: transform of a document")
        tree = parse(documents[reference.get("URI")[8:]], "document").getroottree()
        digest_of(reference, etree.tostring(tree, method="c14n", with_comments=True), "a document")

    purposes = [p for p in signature.iter() if isinstance(p.tag, str) and etree.QName(p).localname == "SignatureProperty"]
    need(len(purposes) == 1 and purposes[0].get("Id") == "purposeOfSignature" and purposes[0].get("Target") == "#" + identifier
         and (purposes[0].text or "").strip() == "1.2.840.10065.1.12.1.14", "XAdES: purposeOfSignature")

    qualifying = signed.getparent()
    need(qualifying.tag == f"{{{XADES}}}QualifyingProperties" and qualifying.get("Target") == "#" + identifier,
         "XAdES: QualifyingProperties/@Target")
    schemas.check_qualifying(qualifying)
    when = instant(signed.findtext(".//x:SigningTime", namespaces=NS), "XAdES: SigningTime")
    moment = when.astimezone(datetime.timezone.utc).strftime("%Y%m%d%H%M%S")
    need(submitted <= moment <= vihf.issued_at.strftime("%Y%m%d%H%M%S"), "XAdES: SigningTime between submission and VIHF wanted")
    chain = signed.findall(".//x:SigningCertificate/x:Cert", namespaces=NS)
    expected = [certificate, authority.inter, authority.root]
    need(len(chain) == 3, "XAdES: SigningCertificate is leaf, issuer, root")
    for cert, real in zip(chain, expected):
        check_cert_digest(cert, real)
        need((cert.findtext("x:IssuerSerial/ds:X509IssuerName", namespaces=NS) or "") == real.issuer.rfc4514_string()
             and cert.findtext("x:IssuerSerial/ds:X509SerialNumber", namespaces=NS) == str(real.serial_number), "XAdES: IssuerSerial")
    need(signed.find(".//x:SignaturePolicyIdentifier/x:SignaturePolicyImplied", NS) is not None, "XAdES: SignaturePolicyImplied")


def check_cert_digest(cert, real):
    """CertDigest of XAdES 1.1.1: its children are in the XAdES namespace."""
    digest = cert.find("x:CertDigest", NS)
    method = digest.find("x:DigestMethod", NS)
    need(method is not None and method.get("Algorithm") in DIGEST, "XAdES: digest method of a certificate")
    value = "".join((digest.findtext("x:DigestValue", namespaces=NS) or "").split())
    need(value == base64.b64encode(DIGEST[method.get("Algorithm")](der(real)).digest()).decode(), "XAdES: digest of a certificate")
