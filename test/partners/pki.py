#!/usr/bin/python3
"""A throw-away certification authority for the partners and the laboratories of the tests.

Writes, as PEM, under DIR: root.pem, inter.pem, ca.pem (both), and for each name below NAME.pem (leaf),
NAME-chain.pem (leaf + intermediate) and NAME.key; README.md and names.json tell what is what. A DIR that already holds a set of the same version still valid for a day is kept.
"""

import argparse
import concurrent.futures
import datetime
import ipaddress
import json
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

import common

VERSION = 4
TODAY = datetime.timedelta(days=1)

# (short name, FINESS, company, department): the legal entities, then the sites.
ENTITIES = [
    ("lab1", "690000001", "LABORATOIRE DES ALPES TEST", "Rhône (69)"),
    ("lab2", "690000002", "CENTRE HOSPITALIER TEST", "Rhône (69)"),
]
SITES = [
    ("site1", "690000011", "LABORATOIRE DES ALPES TEST", "Rhône (69)"),
    ("site2", "690000012", "LABORATOIRE DES ALPES TEST", "Rhône (69)"),
    ("site3", "690000021", "CENTRE HOSPITALIER TEST", "Rhône (69)"),
]
MAILBOXES = {
    "lab1_mail": "resultats@labo-alpes-test.mssante.fr",
    "lab2_mail": "resultats@ch-test.mssante.fr",
}


def subject(common_name, organisation, unit=None, state=None):
    parts = [(NameOID.COUNTRY_NAME, "FR")]
    if state:
        parts.append((NameOID.STATE_OR_PROVINCE_NAME, state))
    parts.append((NameOID.ORGANIZATION_NAME, organisation))
    if unit:
        parts.append((NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append((NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Keys:
    """Keys made beforehand on every core: making them is nearly all that this command does."""

    def __init__(self, count):
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1)
        self.coming = [self.pool.submit(new_key) for _ in range(count)]

    def next(self):
        return self.coming.pop().result() if self.coming else new_key()

    def close(self):
        self.pool.shutdown(cancel_futures=True)


def usage(**wanted):
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})


def certify(name, key, issuer_name, issuer_key, issuer_cert, extensions, days=825):
    """days: how long it is valid from now on; below zero: it ended that long ago."""
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer_name).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1) + min(0, 2 * days) * TODAY)
               .not_valid_after(now + datetime.timedelta(days=days)))
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    issuer_public = issuer_cert.public_key() if issuer_cert else key.public_key()
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def still_good(folder):
    try:
        names = json.loads((folder / "names.json").read_text())
        end = datetime.datetime.fromisoformat(names["not_after"])
        return names["version"] == VERSION and end > datetime.datetime.utcnow() + TODAY
    except (OSError, ValueError, KeyError):
        return False


def make(folder, force=False):
    """Make the whole set in `folder`; gives the content of names.json."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not force and still_good(folder):
        return json.loads((folder / "names.json").read_text())

    keys = Keys(7 + 2 * len(ENTITIES + SITES) + len(MAILBOXES) + 9)
    ca_usage = (usage(key_cert_sign=True, crl_sign=True), True)
    root_key, inter_key = keys.next(), keys.next()
    root_name = subject("TEST AC RACINE SGLD", "AUTORITE TEST", "0002 000000000")
    inter_name = subject("TEST AC SGLD ORGANISATIONS", "AUTORITE TEST", "0002 000000000")
    root = certify(root_name, root_key, root_name, root_key, None,
                   [(x509.BasicConstraints(True, 1), True), ca_usage], 3650)
    inter = certify(inter_name, inter_key, root_name, root_key, root,
                    [(x509.BasicConstraints(True, 0), True), ca_usage], 3650)
    common.write_atomic(folder / "root.pem", pem(root))
    common.write_atomic(folder / "inter.pem", pem(inter))
    common.write_atomic(folder / "ca.pem", pem(inter) + pem(root))

    described = {}

    def leaf(name, subject_name, extensions, use, signer=(inter_name, inter_key, inter), days=825):
        key = keys.next()
        issuer_name, issuer_key, issuer = signer
        certificate = certify(subject_name, key, issuer_name or subject_name, issuer_key or key, issuer,
                              [(x509.BasicConstraints(False, None), True)] + extensions, days)
        common.write_atomic(folder / f"{name}.pem", pem(certificate))
        common.write_atomic(folder / f"{name}-chain.pem", pem(certificate) + (pem(inter) if issuer is inter else b""))
        common.write_atomic(folder / f"{name}.key", key_pem(key))
        described[name] = {"subject": certificate.subject.rfc4514_string(), "use": use,
                           "sha256": certificate.fingerprint(hashes.SHA256()).hex()}
        return certificate

    local = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = [(usage(digital_signature=True, key_encipherment=True), True),
              (x509.ExtendedKeyUsage([Eku.SERVER_AUTH]), False), (local, False)]
    client = [(usage(digital_signature=True), True), (x509.ExtendedKeyUsage([Eku.CLIENT_AUTH]), False)]
    stamp = [(usage(digital_signature=True, content_commitment=True), True)]

    last = None
    for name, use in [("dmp_server", "the DMP's HTTPS server"), ("mail_server", "the mail operator's servers"),
                      ("dpi_server", "the DPI's MLLP server"), ("sgld_mllp", "sgld's MLLP listeners"),
                      ("sgld_web", "sgld's console")]:
        last = leaf(name, subject("localhost", "PARTENAIRE TEST"), server, use)
    leaf("wrong_name", subject("autre-nom.invalid", "PARTENAIRE TEST"),
         server[:2] + [(x509.SubjectAlternativeName([x509.DNSName("autre-nom.invalid")]), False)],
         "server whose name does not match localhost")
    leaf("expired", subject("localhost", "PARTENAIRE TEST"), server, "server whose certificate ended yesterday", days=-1)
    for short, finess, company, state in ENTITIES + SITES:
        leaf(f"{short}_auth_cli", subject(f"{short}.sgld.test", company, "1" + finess, state), client,
             f"TLS client of structure 1{finess} (DMP, DPI)")
        leaf(f"{short}_sign", subject(f"cachet.{short}.sgld.test", company, "1" + finess, state), stamp,
             f"stamp of structure 1{finess} (VIHF, XAdES)")
    for name, address in MAILBOXES.items():
        leaf(name, subject(address, "LABORATOIRE TEST"),
             client + [(x509.SubjectAlternativeName([x509.RFC822Name(address)]), False)], f"mail client of {address}")
    leaf("tests_mail", subject("lecteur@tests.mssante.fr", "TESTS"), client, "the tests' own reading of mailboxes")
    leaf("analyser", subject("automate-1", "LABORATOIRE DES ALPES TEST"), client, "an analyser's MLLP client")
    leaf("registration", subject("enregistrement-1", "LABORATOIRE DES ALPES TEST"), client,
         "the registration system's MLLP client")
    leaf("rogue", subject("autre@ailleurs.mssante.fr", "AUTRE", "1750000009", "Paris (75)"), client,
         "right authority, registered nowhere")
    leaf("rogue_sign", subject("cachet.autre.test", "AUTRE", "1750000009", "Paris (75)"), stamp,
         "stamp of a structure nobody knows")
    leaf("untrusted", subject("autosigne", "INCONNU"), client, "self-signed", (None, None, None))
    leaf("untrusted_sign", subject("cachet.lab1.sgld.test", ENTITIES[0][2], "1" + ENTITIES[0][1], ENTITIES[0][3]), stamp,
         "self-signed stamp which copies lab1's name", (None, None, None))

    keys.close()
    lines = ["# Throw-away certificates", "", "Made by `test/partners/pki.py`; valid for nothing but tests.", "",
             "`root.pem`, `inter.pem`: the authority; `ca.pem`: both. For each name: `NAME.pem`, `NAME-chain.pem`,",
             "`NAME.key` (PKCS #8, not encrypted).", "", "| Name | Subject | Use |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {d['subject']} | {d['use']} |" for name, d in described.items()]
    common.write_atomic(folder / "README.md", "\n".join(lines) + "\n")
    names = {"version": VERSION, "not_after": last.not_valid_after.isoformat(), "certificates": described}
    common.write_json(folder / "names.json", names)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--force", action="store_true", help="make a new set even if DIR holds a good one")
    options = parser.parse_args()
    names = make(options.folder, options.force)
    print(f"{len(names['certificates'])} certificates in {options.folder}")


if __name__ == "__main__":
    main()
