# SPDX-License-Identifier: GPL-2.0-or-later
"""A control plane: etcd and the API server in one network namespace, their data in memory.

No controller, no scheduler and no kubelet runs: what they would write, lab.objects writes.
"""

import contextlib
import http.client
import itertools
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import uuid

from lab.namespace import Namespace, sweep

from .audit import POLICY, AuditLog, Metrics
from .client import Client
from .daemon import Daemon
from .kubeconfig import write_kubeconfig
from .objects import Objects
from .pki import Authority, TokenSigner
from .store import HOST, PORT, Store

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDERS = [pathlib.Path("/dev/shm"), pathlib.Path(tempfile.gettempdir())]
ROOM = 1 << 30  # bytes that must be free in memory, or the disk is taken
ISSUER = "https://kubernetes.default.svc.cluster.local"
ETCD, PEER = f"http://{HOST}:{PORT}", f"http://{HOST}:{PORT + 1}"
NUMBERS = itertools.count(1)
WRITER = "lab"  # the user that makes the cluster's objects; not in the audit log


def programs():
    """The folder of kube-apiserver, kubectl, etcd and etcdutl; built if need be."""
    return pathlib.Path(subprocess.run([ROOT / "scripts/build-kube"], stdout=subprocess.PIPE,
                                       text=True, check=True).stdout.strip())


def make_folder():
    memory, disk = FOLDERS
    with_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return pathlib.Path(tempfile.mkdtemp(prefix=f"mxt{os.getpid()}-",
                                         dir=memory if with_room else disk))


def sweep_servers():
    """Undo what a killed run left: servers whose data folder names a process that is gone, the
    folder, and namespaces."""
    for folder in (path for where in FOLDERS for path in where.glob("mxt*-*")):
        found = re.match(r"mxt(\d+)-", folder.name)
        if not found or pathlib.Path("/proc", found.group(1)).exists():
            continue
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{folder}/".encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    sweep()


class Control:
    """A control plane; a context manager that leaves nothing behind.

    namespace    a lab.Namespace to run in; None: one of its own, with loopback only
    addresses    addresses by which it is reached besides loopback; the first is `address`
    names        more DNS names for the certificate
    tokens       static bearer tokens: {"token": ("user", ["group", ...])}
    server_flags, etcd_flags   more flags; of equal ones the last counts

    Tests kill the server: its graceful end waits for watches, whoever has them, as long as for any
    request, which is a minute, unless it has --shutdown-watch-termination-grace-period.
    """

    def __init__(self, namespace=None, addresses=(), names=(), tokens=None, server_flags=(),
                 etcd_flags=(), port=6443):
        self.programs = programs()
        self.folder = make_folder()
        self.own_namespace = None if namespace else Namespace(f"control{next(NUMBERS)}")
        self.namespace = namespace or self.own_namespace
        self.addresses, self.names, self.port = list(addresses), list(names), port
        self.tokens = dict(tokens or {})
        self.server_flags, self.etcd_flags = list(server_flags), list(etcd_flags)
        self.etcd_data = self.folder / "etcd"
        self.clients, self.labels = [], itertools.count(1)
        self.authority = self.signer = None
        self.admin = self.objects = self.store = self.audit = None
        self.etcd = Daemon("etcd", self.namespace, self.folder / "etcd.log", self._etcd_command,
                           self._etcd_ready)
        self.server = Daemon("kube-apiserver", self.namespace, self.folder / "kube-apiserver.log",
                             self._server_command, self._server_ready, seconds=120)

    @property
    def address(self):
        return self.addresses[0] if self.addresses else "127.0.0.1"

    @property
    def url(self):
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{self.port}"

    def __enter__(self):
        try:
            self.etcd.start(wait=False)
            self._make_credentials()
            self.etcd.wait_ready()
            self.server.start()
            self._make_first_objects()
            self.audit.mark()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Undo everything; every step is tried, whatever happened before."""
        with contextlib.ExitStack() as steps:
            steps.callback(shutil.rmtree, self.folder, ignore_errors=True)
            if self.own_namespace:
                steps.callback(self.own_namespace.delete)
            steps.callback(self.etcd.kill)
            steps.callback(self.server.kill)
            for client in self.clients:
                steps.callback(client.close)

    # --- credentials ---

    def _make_credentials(self):
        self.authority = Authority(self.folder / "pki")
        self.signer = TokenSigner(self.folder / "pki/account.key", ISSUER)
        self.write_server_certificate()
        self.admin = self.client("admin", ["system:masters"])
        # The writer has a token: a certificate would be verified for each of its requests.
        writer = str(uuid.uuid4())
        self.tokens[writer] = (WRITER, ["system:masters"])
        self.store = Store(self.namespace)
        self.objects = Objects(lambda: self.client(token=writer), self.store)
        self.audit = AuditLog(self.folder / "audit.log", self.admin)
        (self.folder / "audit.yaml").write_text(POLICY % WRITER)
        self.write_tokens()

    def write_server_certificate(self, **options):
        """The server's certificate, anew; it takes a new one within a minute or at a restart.
        options: see Authority.issue."""
        options.setdefault("sans", [
            "127.0.0.1", "::1", "10.96.0.1", *self.addresses, "localhost", "kubernetes",
            "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local", *self.names])
        return self.authority.issue("server", "kube-apiserver", **options)

    def other_authority(self):
        """A CA that has nothing to do with this control plane."""
        return Authority(self.folder / f"pki-{next(self.labels)}", "somebody-else")

    def replace_authority(self):
        """Another CA issues the server's certificate, which it takes at a restart.  Clients that
        were made before do not trust it; their own certificates go on."""
        admin = self.certificate("admin", ["system:masters"])
        self.authority = self.other_authority()
        made = self.write_server_certificate()
        shutil.copy(made.certificate, self.folder / "pki/server.crt")
        shutil.copy(made.key, self.folder / "pki/server.key")
        self.admin = self.client(certificate=admin)
        self.objects.client = self.objects.connect()

    def write_tokens(self):
        """Write the file of static tokens; the server reads it when it starts."""
        (self.folder / "tokens.csv").write_text("".join(
            f'{token},{user},{user},"{",".join(groups)}"\n'
            for token, (user, groups) in self.tokens.items()))

    def certificate(self, user, groups=(), **options):
        """A client certificate; options: see Authority.issue."""
        return self.authority.issue(f"client{next(self.labels)}", user, groups, **options)

    def client(self, user=None, groups=(), certificate=None, token=None, address=None,
               namespace=None, authority=None):
        """A client: as a user (a certificate is made), by certificate, by token or as nobody.
        It reaches the server by another address, is in another network namespace, trusts
        another CA, where these are given."""
        if user is not None:
            certificate = self.certificate(user, groups)
        made = Client(namespace or self.namespace, address or self.address, self.port,
                      authority or self.authority.certificate, certificate, token)
        self.clients.append(made)
        return made

    def token(self, namespace, account, seconds=3600):
        """A token of a service account, by the TokenRequest API."""
        return self.admin.post(
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
             "spec": {"expirationSeconds": seconds}})["status"]["token"]

    def short_token(self, namespace, account, seconds, age=0):
        """A token of any life, which the API would not give; see TokenSigner.sign."""
        made = self.admin.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")
        return self.signer.sign(namespace, account, made["metadata"]["uid"], seconds, age)

    def kubeconfig(self, name="kubeconfig", **options):
        """Write a kubeconfig into the lab's folder; options: see write_kubeconfig."""
        options.setdefault("authority", self.authority.certificate)
        return write_kubeconfig(self.folder / name, options.pop("server", self.url), **options)

    def kubectl(self, *arguments, kubeconfig=None, **options):
        """Run kubectl, as admin if no kubeconfig is given; return what subprocess.run returns."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        if kubeconfig is None:
            kubeconfig = self.folder / "admin.conf"
            if not kubeconfig.exists():
                self.kubeconfig(kubeconfig.name, certificate=self.certificate(
                    "kubectl", ["system:masters"]))
        return self.namespace.run(self.programs / "kubectl", *arguments,
                                  env={"HOME": str(home), "KUBECONFIG": str(kubeconfig),
                                       "PATH": os.environ["PATH"]}, **options)

    # --- servers ---

    def _etcd_command(self):
        return [self.programs / "etcd", "--data-dir", self.etcd_data, *self._member(),
                "--listen-client-urls", ETCD, "--advertise-client-urls", ETCD,
                "--listen-peer-urls", PEER, "--unsafe-no-fsync", "--log-level", "warn",
                "--heartbeat-interval", 10, "--election-timeout", 100,
                "--quota-backend-bytes", 8 << 30, *self.etcd_flags]

    @staticmethod
    def _member():
        """Who this etcd is: alone."""
        return ["--name", "lab", "--initial-cluster", f"lab={PEER}",
                "--initial-advertise-peer-urls", PEER]

    def _etcd_ready(self):
        return self._probe(http.client.HTTPConnection(HOST, PORT, timeout=2), "/readyz")

    def _server_command(self):
        pki, folder = self.folder / "pki", self.folder
        return [self.programs / "kube-apiserver", "--etcd-servers", ETCD,
                "--etcd-compaction-interval=0",  # history goes when a test says so
                "--bind-address=::", f"--secure-port={self.port}",
                f"--advertise-address={self.address}", "--endpoint-reconciler-type=none",
                f"--tls-cert-file={pki}/server.crt", f"--tls-private-key-file={pki}/server.key",
                f"--client-ca-file={pki}/ca.crt", f"--token-auth-file={folder}/tokens.csv",
                f"--service-account-issuer={ISSUER}",
                f"--service-account-key-file={self.signer.path}",
                f"--service-account-signing-key-file={self.signer.path}",
                "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112", "--allow-privileged",
                "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
                f"--audit-policy-file={folder}/audit.yaml", f"--audit-log-path={folder}/audit.log",
                "--audit-log-maxsize=100000", "--delete-collection-workers=8", *self.server_flags]

    def _server_ready(self):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        return self._probe(http.client.HTTPSConnection(self.address, self.port, timeout=5,
                                                       context=context), "/readyz?verbose")

    def _probe(self, connection, page):
        """True when the page answers 200, otherwise what it says."""
        with self.namespace, contextlib.closing(connection):
            try:
                connection.request("GET", page)
                answer = connection.getresponse()
                text = answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                return repr(error)
        return answer.status == 200 or text

    def _make_first_objects(self):
        """What controllers make at once in a new cluster."""
        for name in ("default", "kube-system"):
            self.objects.namespace(name)

    def start(self):
        self.etcd.start()
        self.server.start()

    def stop(self):
        self.server.stop()
        self.etcd.stop()

    # --- time goes by ---

    def expire(self):
        """Make every resourceVersion up to now too old, for watches and for pages of lists: one
        more is made, history is dropped, and the API server, which keeps its own, restarted."""
        self.objects.touch()
        self.store.compact()
        self.server.restart(signal.SIGKILL)

    def snapshot(self, name="snapshot.db"):
        """Save what the store holds; return the file."""
        self.store.snapshot(self.folder / name)
        return self.folder / name

    def restore(self, snapshot):
        """Go back to a snapshot: objects and resourceVersions are those of then."""
        self.server.kill()
        self.etcd.kill()
        shutil.rmtree(self.etcd_data)
        self.namespace.run(self.programs / "etcdutl", "snapshot", "restore", snapshot,
                           "--data-dir", self.etcd_data, *self._member())
        self.start()

    def metrics(self):
        return Metrics(self.admin.text("/metrics"))
