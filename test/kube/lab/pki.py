# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates and signatures, made by openssl(1): a CA, what it issues, tokens of any life."""

import base64
import dataclasses
import datetime
import ipaddress
import json
import pathlib
import re
import subprocess
import threading
import time

CONFIG = """\
[req]
distinguished_name = names
string_mask = utf8only
[names]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = lab
[lab]
database = index.txt
new_certs_dir = .
default_md = sha256
unique_subject = no
rand_serial = yes
policy = any
[any]
commonName = supplied
"""
KEY_KINDS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
             "ec-384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
             "ec-521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"],
             "rsa": ["-newkey", "rsa:2048"], "ed25519": ["-newkey", "ed25519"]}


def openssl(*arguments, folder=None, stdin=None):
    """Run openssl; return its output, as bytes."""
    done = subprocess.run(["openssl", *map(str, arguments)], cwd=folder, input=stdin,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Two PEM files."""

    certificate: pathlib.Path
    key: pathlib.Path


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name="kubernetes"):
        self.folder, self.lock = folder, threading.Lock()
        self.certificate, self.key = folder / "ca.crt", folder / "ca.key"
        folder.mkdir()
        (folder / "config").write_text(CONFIG)
        (folder / "index.txt").touch()
        openssl("req", "-config", "config", "-x509", "-extensions", "authority", "-days", 3650,
                *KEY_KINDS["ec"], "-nodes", "-keyout", self.key, "-out", self.certificate,
                "-subj", _subject(name, ()), folder=folder)

    def issue(self, label, name, groups=(), sans=(), not_before=None, not_after=None, key="ec"):
        """A certificate for the user `name` in `groups`, or, with `sans` (DNS names and
        addresses), for a server.  not_before, not_after: datetimes, default an hour ago and a
        year from now; both may lie in the past."""
        now = datetime.datetime.now(datetime.UTC)
        not_before = not_before or now - datetime.timedelta(hours=1)
        not_after = not_after or now + datetime.timedelta(days=365)
        made = Certificate(self.folder / f"{label}.crt", self.folder / f"{label}.key")
        request, extensions = self.folder / f"{label}.csr", self.folder / f"{label}.ext"
        lines = ["basicConstraints = critical, CA:FALSE",
                 "keyUsage = critical, digitalSignature, keyEncipherment",
                 "authorityKeyIdentifier = keyid",
                 f"extendedKeyUsage = {'serverAuth' if sans else 'clientAuth'}"]
        if sans:
            lines.append("subjectAltName = " + ", ".join(map(_san, sans)))
        extensions.write_text("\n".join(lines) + "\n")
        openssl("req", "-config", "config", "-new", *KEY_KINDS[key], "-nodes", "-keyout", made.key,
                "-out", request, "-subj", _subject(name, groups), folder=self.folder)
        with self.lock:
            openssl("ca", "-config", "config", "-batch", "-notext", "-preserveDN",
                    "-cert", self.certificate, "-keyfile", self.key, "-in", request,
                    "-out", made.certificate, "-extfile", extensions,
                    "-startdate", _time(not_before), "-enddate", _time(not_after),
                    folder=self.folder)
        return made


def _time(moment):
    return moment.astimezone(datetime.UTC).strftime("%Y%m%d%H%M%SZ")


def _subject(name, groups):
    parts = [("O", g) for g in groups] + [("CN", name)]
    return "".join(f"/{kind}=" + re.sub(r"([/\\+])", r"\\\1", text) for kind, text in parts)


def _san(name):
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class TokenSigner:
    """The key of service account tokens, as kubeadm makes it: RSA, 2048 bits."""

    def __init__(self, path, issuer):
        self.path, self.issuer = path, issuer
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                "-out", path)

    def sign(self, namespace, account, uid, seconds, age=0):
        """A token as the TokenRequest API makes it, which gives none for less than ten minutes.
        It ends `seconds` from now (negative: it has ended) and is `age` seconds old."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": [self.issuer], "iat": now - age, "nbf": now - age,
                  "exp": now + seconds, "sub": f"system:serviceaccount:{namespace}:{account}",
                  "kubernetes.io": {"namespace": namespace,
                                    "serviceaccount": {"name": account, "uid": uid}}}
        signed = b".".join(_base64url(json.dumps(part).encode())
                           for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.path, stdin=signed)
        return (signed + b"." + _base64url(signature)).decode()
