"""A valid ITI-41 request built by hand from the specification, with places where a test can spoil it; for tests only.

Nothing here is shared with dmp_checks.py: canonical forms are written by hand or by xmlsec.
"""

import base64
import copy
import datetime
import hashlib
import http.client
import pathlib
import ssl
import uuid
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

INS = "279035121518989"
PATIENT = f"{INS}^^^&1.2.250.1.213.1.4.10&ISO^NH"
STRUCTURE = "1690000001"
PERSON = "899900000017^BIOLOGISTE^CLAIRE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
SPECIALTY = "G15_10/SM03^Médecin - Biologie médicale (SM)^1.2.250.1.213.1.1.4.5"
FEED = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.1.1#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"


def b64(data):
    return base64.b64encode(data).decode()


def utc_now(shift=0):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=shift)


class Keys:
    """Stamp and TLS files of one structure, from the folder of pki.py."""

    def __init__(self, pki, sign="lab1_sign", tls="lab1_auth_cli"):
        self.pki = pathlib.Path(pki)
        self.tls = tls
        self.sign = sign
        self.certificate = x509.load_pem_x509_certificate((self.pki / f"{sign}.pem").read_bytes())
        self.key = serialization.load_pem_private_key((self.pki / f"{sign}.key").read_bytes(), None)
        self.chain = [self.certificate] + [x509.load_pem_x509_certificate((self.pki / f"{n}.pem").read_bytes())
                                           for n in ("inter", "root")]

    def der(self):
        return b64(self.certificate.public_bytes(serialization.Encoding.DER))


# -- VIHF -----------------------------------------------------------------------------------------------------

def vihf(keys, patient=PATIENT, structure=STRUCTURE, changes=None, age=0, sha1=False, tamper=None):
    """A signed assertion as an element. changes: {attribute name: value or None to leave it out}."""
    identifier = "_" + str(uuid.uuid4())
    issued = utc_now(-age).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    digest = DSIG + "sha1" if sha1 else "http://www.w3.org/2001/04/xmlenc#sha256"
    method = DSIG + "rsa-sha1" if sha1 else "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    strings = {"VIHF_Version": "3.0", "Authentification_mode": "INDIRECTE", "Identifiant_Structure": structure,
               "Secteur_Activite": "SA25^1.2.250.1.71.4.2.4", "urn:oasis:names:tc:xspa:1.0:subject:subject-id": "BIOLOGISTE CLAIRE",
               "urn:oasis:names:tc:xacml:2.0:resource:resource-id": patient, "Ressource_URN": "urn:dmp", "LPS_Nom": "ESSAI",
               "LPS_Version": "1.0", "LPS_ID_HOMOLOGATION_DMP": "HOMOLOGATION-TEST"}
    roles = [("10", "1.2.250.1.71.1.2.7", "Médecin"), ("SM03", "1.2.250.1.71.4.2.5", "Biologie médicale (SM)")]
    for name, value in (changes or {}).items():
        if name == "roles":
            roles = value
        elif name in ("issuer", "name_id", "class", "purpose"):
            pass
        elif value is None:
            strings.pop(name)
        else:
            strings[name] = value
    changes = changes or {}
    attributes = "".join(f'<saml2:Attribute Name="{n}"><saml2:AttributeValue xsi:type="xs:string">{escape(v)}</saml2:AttributeValue>'
                         "</saml2:Attribute>" for n, v in strings.items())
    attributes += '<saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role">' + "".join(
        f'<saml2:AttributeValue><Role xmlns="urn:hl7-org:v3" xsi:type="CE" code="{c}" codeSystem="{s}" displayName={quoteattr(d)}/>'
        "</saml2:AttributeValue>" for c, s, d in roles) + "</saml2:Attribute>"
    attributes += ('<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"><saml2:AttributeValue>'
                   f'<PurposeOfUse xmlns="urn:hl7-org:v3" xsi:type="CE" code="{changes.get("purpose", "normal")}" '
                   'codeSystem="1.2.250.1.213.1.1.4.248" codeSystemName="mode acces VIHF 2.0" displayName="Accès normal"/>'
                   "</saml2:AttributeValue></saml2:Attribute>")
    issuer = changes.get("issuer") or keys.certificate.subject.rfc4514_string()
    text = f"""<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="{identifier}" IssueInstant="{issued}" Version="2.0">\
<saml2:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">{escape(issuer)}</saml2:Issuer>\
<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>\
<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="#{identifier}"><ds:Transforms>\
<ds:Transform Algorithm="{DSIG}enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>\
<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data>\
<ds:X509Certificate>{keys.der()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>\
<saml2:Subject><saml2:NameID>{changes.get("name_id", "899900000017")}</saml2:NameID></saml2:Subject>\
<saml2:AuthnStatement AuthnInstant="{issued}"><saml2:AuthnContext><saml2:AuthnContextClassRef>\
{changes.get("class", "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified")}</saml2:AuthnContextClassRef></saml2:AuthnContext>\
</saml2:AuthnStatement><saml2:AttributeStatement>{attributes}</saml2:AttributeStatement></saml2:Assertion>"""
    element = etree.fromstring(text)
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(keys.pki / f"{keys.sign}.key"), xmlsec.KeyFormat.PEM)
    context.sign(element.find(f"{{{DSIG}}}Signature"))
    if tamper:
        tamper(element)
    return element


# -- XAdES ----------------------------------------------------------------------------------------------------

def xades(keys, submission, documents, when=None, changes=None):
    """The signature of the set, as bytes. documents: {uniqueId: bytes}. Canonical pieces are written by hand."""
    changes = changes or {}
    identifier = changes.get("Id", "_" + str(uuid.uuid4()))
    when = when or utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    sha = "http://www.w3.org/2001/04/xmlenc#sha256"
    hashed = lambda data: b64(hashlib.sha256(data).digest())
    canonical = lambda data: etree.tostring(etree.fromstring(data).getroottree(), method="c14n", with_comments=True)
    references = f'<Reference URI="urn:oid:{submission}"><DigestMethod Algorithm="{sha}"></DigestMethod><DigestValue>AA==</DigestValue></Reference>'
    for unique, data in documents.items():
        references += (f'<Reference URI="urn:oid:{unique}"><Transforms><Transform Algorithm="{C14N}"></Transform></Transforms>'
                       f'<DigestMethod Algorithm="{sha}"></DigestMethod><DigestValue>{changes.get("digest") or hashed(canonical(data))}</DigestValue></Reference>')
    manifest = f'<Manifest xmlns="{DSIG}" Id="IHEManifest">{references}</Manifest>'
    chain = ""
    for certificate in keys.chain[:changes.get("chain", 3)]:
        chain += (f'<Cert><CertDigest><DigestMethod Algorithm="{sha}"></DigestMethod><DigestValue>'
                  f'{hashed(certificate.public_bytes(serialization.Encoding.DER))}</DigestValue></CertDigest><IssuerSerial>'
                  f'<X509IssuerName xmlns="{DSIG}">{escape(certificate.issuer.rfc4514_string())}</X509IssuerName>'
                  f'<X509SerialNumber xmlns="{DSIG}">{certificate.serial_number}</X509SerialNumber></IssuerSerial></Cert>')
    signed = (f'<SignedProperties xmlns="{XADES}" Id="S0-SignedProperties"><SignedSignatureProperties><SigningTime>{when}</SigningTime>'
              f"<SigningCertificate>{chain}</SigningCertificate><SignaturePolicyIdentifier><SignaturePolicyImplied></SignaturePolicyImplied>"
              "</SignaturePolicyIdentifier></SignedSignatureProperties><SignedDataObjectProperties></SignedDataObjectProperties></SignedProperties>")
    info = (f'<SignedInfo xmlns="{DSIG}"><CanonicalizationMethod Algorithm="{C14N}"></CanonicalizationMethod>'
            '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></SignatureMethod>'
            f'<Reference Type="{DSIG}Manifest" URI="#IHEManifest"><DigestMethod Algorithm="{sha}"></DigestMethod><DigestValue>'
            f'{hashed(manifest.encode())}</DigestValue></Reference><Reference Type="{XADES}SignedProperties" URI="#S0-SignedProperties">'
            f'<DigestMethod Algorithm="{sha}"></DigestMethod><DigestValue>{hashed(signed.encode())}</DigestValue></Reference></SignedInfo>')
    value = b64(keys.key.sign(info.encode(), padding.PKCS1v15(), hashes.SHA256()))
    return (f'<Signature xmlns="{DSIG}" Id="{identifier}">{info}<SignatureValue>{value}</SignatureValue><KeyInfo><X509Data>'
            f"<X509Certificate>{keys.der()}</X509Certificate></X509Data></KeyInfo><Object>{manifest}</Object><Object><SignatureProperties>"
            f'<SignatureProperty Id="purposeOfSignature" Target="#{identifier}">1.2.840.10065.1.12.1.14</SignatureProperty>'
            f'</SignatureProperties></Object><Object><QualifyingProperties xmlns="{XADES}" Target="#{identifier}">{signed}'
            "</QualifyingProperties></Object></Signature>").encode()


# -- metadata -------------------------------------------------------------------------------------------------

class Ids:
    def __init__(self):
        self.n = 0

    def __call__(self):
        self.n += 1
        return f"i{self.n}"


def slot(name, *values):
    return f'<rim:Slot name="{name}"><rim:ValueList>' + "".join(f"<rim:Value>{escape(v)}</rim:Value>" for v in values) + "</rim:ValueList></rim:Slot>"


def label(name, text):
    return f'<rim:{name}><rim:LocalizedString charset="UTF8" xml:lang="FR" value={quoteattr(text)}/></rim:{name}>'


def code(ids, owner, scheme, value, system, text):
    return (f'<rim:Classification id="{ids()}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}" nodeRepresentation="{value}">'
            f'{slot("codingScheme", system)}{label("Name", text)}</rim:Classification>')


def author(ids, owner, scheme, structure):
    return (f'<rim:Classification id="{ids()}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}" nodeRepresentation="">'
            f'{slot("authorPerson", PERSON)}{slot("authorSpecialty", SPECIALTY)}'
            f'{slot("authorInstitution", f"LABORATOIRE TEST^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{structure}")}</rim:Classification>')


def external(ids, owner, scheme, value, name):
    return (f'<rim:ExternalIdentifier id="{ids()}" registryObject="{owner}" identificationScheme="urn:uuid:{scheme}" value={quoteattr(value)}>'
            f'{label("Name", name)}</rim:ExternalIdentifier>')


class Feed:
    """One feed request; every part can be changed before `send`."""

    def __init__(self, keys, cda, unique, submission=None, patient=PATIENT, structure=STRUCTURE, submitted=None):
        self.keys, self.cda, self.unique, self.patient, self.structure = keys, cda, unique, patient, structure
        self.submission = submission or f"1.2.250.1.99999.20.{uuid.uuid4().int % 10**20}"
        self.signature_id = f"1.2.250.1.99999.30.{uuid.uuid4().int % 10**20}"
        self.submitted = submitted or utc_now().strftime("%Y%m%d%H%M%S")
        self.creation, self.start, self.stop = "20260302091500", "20260302070500", "20260302091000"
        self.masks = []
        self.replaces = ""
        self.vihf_changes, self.xades_changes = {}, {}
        self.message_id = "urn:uuid:" + str(uuid.uuid4())
        self.age = 0
        self.spoil_metadata = lambda text: text
        self.spoil_envelope = lambda text: text
        self.spoil_body = lambda data: data
        self.spoil_type = lambda value: value
        self.tamper = None
        self.sha1 = False
        self.sent_cda = None
        self.assertion_keys = None

    def masking(self, ids, owner, masks):
        labels = {"MASQUE_PS": "Masqué aux professionnels de santé", "INVISIBLE_PATIENT": "Non visible par le patient",
                  "INVISIBLE_REPRESENTANTS_LEGAUX": "Non visible par les représentants légaux du patient"}
        scheme = "f4f85eac-e6cb-4883-b524-f2705394840f"
        return code(ids, owner, scheme, "N", "2.16.840.1.113883.5.25", "Normal") + "".join(
            code(ids, owner, scheme, m, "1.2.250.1.213.1.1.4.13", labels[m]) for m in masks)

    def metadata(self):
        ids = Ids()
        entry_author = "93606bcf-9494-43ec-9b4e-a7748d1a838d"
        stable = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
        place = lambda o: (code(ids, o, "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "SA25", "1.2.250.1.71.4.2.4", "Laboratoire de biologie médicale")
                           + code(ids, o, "cccf5598-8b07-4b77-a05e-ae952c785ead", "AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"))
        package = "SubmissionSet01"
        text = submission_set(ids, package, self.submitted, self.structure, self.patient, self.submission)
        d = "Doc01"
        text += (f'<rim:ExtrinsicObject id="{d}" mimeType="text/xml" objectType="{stable}">'
                 + slot("creationTime", self.creation) + slot("hash", hashlib.sha1(self.cda).hexdigest()) + slot("languageCode", "fr-FR")
                 + slot("legalAuthenticator", PERSON) + slot("serviceStartTime", self.start) + slot("serviceStopTime", self.stop)
                 + slot("size", str(len(self.cda))) + slot("sourcePatientId", "IPP004512^^^&1.2.250.1.99999.1&ISO^PI")
                 + slot("sourcePatientInfo", "PID-5|PAT-TROIS^DOMINIQUE^^^^^L", "PID-7|19790328", "PID-8|F")
                 + label("Name", "Compte rendu d'examens biologiques") + author(ids, d, entry_author, self.structure)
                 + code(ids, d, "41a5887f-8865-4c09-adf7-e362475b143a", "10", "1.2.250.1.213.1.1.4.1", "Compte rendu")
                 + code(ids, d, "f0306f51-975f-434e-a61c-c59651d33983", "11502-2", "2.16.840.1.113883.6.1", "CR d'examens biologiques")
                 + code(ids, d, "a09d5840-386c-46f2-b5ad-9c3699a4309d", "urn:ihe:lab:xd-lab:2008", "1.3.6.1.4.1.19376.1.2.3", "Compte rendu structuré d'examens de biologie médicale")
                 + self.masking(ids, d, self.masks) + place(d)
                 + code(ids, d, "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", "18719-5", "2.16.840.1.113883.6.1", "Biochimie")
                 + external(ids, d, "58a6f841-87b3-4a3e-92fd-a8ffeff98427", self.patient, "XDSDocumentEntry.patientId")
                 + external(ids, d, "2e82c1f6-a085-4c72-9da3-8640a32e42ab", self.unique, "XDSDocumentEntry.uniqueId")
                 + "</rim:ExtrinsicObject>")
        s = "Signature01"
        text += (f'<rim:ExtrinsicObject id="{s}" mimeType="text/xml" objectType="{stable}">'
                 + slot("creationTime", self.submitted) + slot("languageCode", "art") + slot("legalAuthenticator", PERSON)
                 + slot("serviceStartTime", self.submitted) + slot("serviceStopTime", self.submitted) + slot("sourcePatientId", self.patient)
                 + label("Name", "Source") + author(ids, s, entry_author, self.structure)
                 + code(ids, s, "41a5887f-8865-4c09-adf7-e362475b143a", "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature")
                 + code(ids, s, "f0306f51-975f-434e-a61c-c59651d33983", "E1762", "ASTM", "Full Document")
                 + code(ids, s, "a09d5840-386c-46f2-b5ad-9c3699a4309d", DSIG, "URN", "Default Signature Style")
                 + self.masking(ids, s, ["MASQUE_PS", "INVISIBLE_PATIENT"]) + place(s)
                 + code(ids, s, "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", "1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source")
                 + external(ids, s, "58a6f841-87b3-4a3e-92fd-a8ffeff98427", self.patient, "XDSDocumentEntry.patientId")
                 + external(ids, s, "2e82c1f6-a085-4c72-9da3-8640a32e42ab", self.signature_id, "XDSDocumentEntry.uniqueId")
                 + "</rim:ExtrinsicObject>")
        link = lambda kind, a, b: (f'<rim:Association id="{ids()}" associationType="{kind}" sourceObject="{a}" targetObject="{b}">'
                                   f'{slot("SubmissionSetStatus", "Original")}</rim:Association>')
        text += link("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", package, d)
        text += link("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", package, s)
        text += link("urn:ihe:iti:2007:AssociationType:signs", s, package)
        if self.replaces:
            text += (f'<rim:Association id="{ids()}" associationType="urn:ihe:iti:2007:AssociationType:RPLC" sourceObject="{d}" '
                     f'targetObject="{self.replaces}"/>')
        return self.spoil_metadata(text)

    def body(self):
        documents = "".join(f'<xdsb:Document id="{i}"><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{i.lower()}%40essai"/>'
                            "</xdsb:Document>" for i in ("Doc01", "Signature01"))
        return ('<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="urn:ihe:iti:xds-b:2007"><lcm:SubmitObjectsRequest '
                'xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><rim:RegistryObjectList xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
                f"{self.metadata()}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>{documents}</xdsb:ProvideAndRegisterDocumentSetRequest>")

    def parts(self):
        signature = xades(self.keys, self.submission, {self.unique: self.cda}, changes=self.xades_changes)
        return [("doc01@essai", self.sent_cda or self.cda), ("signature01@essai", signature)]

    def send(self, ready, service="repository", action=FEED):
        """Post it; gives (HTTP status, the answer's envelope or None, raw bytes)."""
        parts = self.parts()
        assertion = vihf(self.assertion_keys or self.keys, self.patient, self.structure, self.vihf_changes, self.age, self.sha1, self.tamper)
        return post(ready, self.keys, service, action, self.body(), parts, assertion, self.message_id, self.spoil_envelope,
                    self.spoil_body, self.spoil_type)


def submission_set(ids, package, submitted, structure, patient, unique):
    return (f'<rim:RegistryPackage id="{package}">{slot("submissionTime", submitted)}{label("Name", "Lot")}'
            + author(ids, package, "a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d", structure)
            + code(ids, package, "aa543740-bdda-424e-8c96-df4873be8500", "26", "1.2.250.1.213.2.2", "Analyses médicales biologiques")
            + f'<rim:Classification id="{ids()}" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd" classifiedObject="{package}"/>'
            + external(ids, package, "6b5aea1a-874d-4603-a4bc-96a0a7b38446", patient, "XDSSubmissionSet.patientId")
            + external(ids, package, "554ac39e-e3fe-47fe-b233-965d2a147832", "1.2.250.1.99999.1", "XDSSubmissionSet.sourceId")
            + external(ids, package, "96fdda7c-d067-4183-912e-bf5ee74998a8", unique, "XDSSubmissionSet.uniqueId")
            + "</rim:RegistryPackage>")


def delete(ready, keys, entry, patient=PATIENT, structure=STRUCTURE, original="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
           becomes="urn:asip:ci-sis:2010:StatusType:Deleted", unique=None, spoil=lambda text: text):
    """TD3.3c of one entry."""
    unique = unique or f"1.2.250.1.99999.40.{uuid.uuid4().int % 10**20}"
    ids, package = Ids(), "SubmissionSet01"
    text = submission_set(ids, package, utc_now().strftime("%Y%m%d%H%M%S"), structure, patient, unique)
    text += (f'<rim:Association id="{ids()}" associationType="urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus" '
             f'objectType="urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association" sourceObject="{package}" '
             f'targetObject="{entry}">{slot("OriginalStatus", original)}{slot("NewStatus", becomes)}</rim:Association>')
    body = ('<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><rim:RegistryObjectList '
            f'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">{spoil(text)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>')
    return post(ready, keys, "registry", UPDATE, body, [], vihf(keys, patient, structure), "urn:uuid:" + str(uuid.uuid4()))


def query(ready, keys, unique, patient=PATIENT, kind="ObjectRef", query_id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"):
    """GetDocuments by uniqueId."""
    body = ('<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
            f'<q:ResponseOption returnComposedObjects="true" returnType="{kind}"/><rim:AdhocQuery id="{query_id}">'
            + slot("$XDSDocumentEntryUniqueId", f"('{unique}')") + "</rim:AdhocQuery></q:AdhocQueryRequest>")
    return post(ready, keys, "registry", QUERY, body, [], vihf(keys, patient), "urn:uuid:" + str(uuid.uuid4()))


def same(value):
    return value


def post(ready, keys, service, action, body, parts, assertion, message_id, spoil_envelope=same, spoil_body=same, spoil_type=same):
    wsa = "http://www.w3.org/2005/08/addressing"
    text = (f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="{wsa}"><soap:Header>'
            f'<wsa:Action soap:mustUnderstand="true">{action}</wsa:Action><wsa:MessageID>{message_id}</wsa:MessageID>'
            f'<wsa:To>{ready[service]}</wsa:To><wsa:ReplyTo soap:mustUnderstand="true"><wsa:Address>{wsa}/anonymous</wsa:Address></wsa:ReplyTo>'
            '<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">'
            f'{etree.tostring(copy.deepcopy(assertion), encoding="unicode")}</wsse:Security></soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>')
    text = spoil_envelope(text)
    boundary = "limite-" + str(uuid.uuid4())
    data = (f'--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n'
            f"Content-Transfer-Encoding: binary\r\nContent-ID: <racine@essai>\r\n\r\n").encode() + text.encode() + b"\r\n"
    for cid, content in parts:
        data += (f"--{boundary}\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{cid}>\r\n\r\n").encode()
        data += content + b"\r\n"
    data = spoil_body(data + f"--{boundary}--\r\n".encode())
    kind = (f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<racine@essai>"; '
            f'start-info="application/soap+xml"; action="{action}"')
    context = ssl.create_default_context(cafile=str(keys.pki / "ca.pem"))
    if keys.tls:
        context.load_cert_chain(keys.pki / f"{keys.tls}-chain.pem", keys.pki / f"{keys.tls}.key")
    connection = http.client.HTTPSConnection("localhost", ready["port"], context=context, timeout=20)
    try:
        connection.request("POST", f"/si-dmp-server/v2/services/{service}", data, {"Content-Type": spoil_type(kind)})
        answer = connection.getresponse()
        raw = answer.read()
    finally:
        connection.close()
    start = raw.find(b"<?xml")
    end = raw.rfind(b"\r\n--")
    return answer.status, etree.fromstring(raw[start:end]) if 0 <= start < end else None, raw
