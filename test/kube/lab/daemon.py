# SPDX-License-Identifier: GPL-2.0-or-later
"""One server process in a network namespace: start, stop, kill, pause, log and memory."""

import pathlib
import re
import signal
import subprocess
import time

# The API server gives up one of two connections to etcd for each resource, and says so.
NOISE = "grpc: addrConn.createTransport failed"


class Daemon:
    """command: called at each start, gives the command line.  ready: called until it returns
    true; what it returns otherwise is shown when time is up."""

    def __init__(self, name, namespace, log, command, ready, seconds=60):
        self.name, self.namespace, self.log = name, namespace, log
        self.command, self.ready, self.seconds = command, ready, seconds
        self.process = None

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def start(self, wait=True):
        assert not self.running, f"{self.name} runs already"
        with self.namespace, self.log.open("ab") as log:
            self.process = subprocess.Popen(list(map(str, self.command())), cwd=self.log.parent,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        deadline = time.monotonic() + self.seconds
        while True:
            answer = self.ready()
            if answer is True:
                return
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}; "
                                     f"its log ends:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} is not ready after {self.seconds} s: {answer}\n"
                                     f"its log ends:\n{self.tail()}")
            time.sleep(0.02)

    def stop(self, sig=signal.SIGTERM, seconds=20):
        """Stop it; return its exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(signal.SIGCONT)
        process.send_signal(sig)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.name} did not stop within {seconds} s; its log ends:\n"
                                 f"{self.tail()}") from None

    def kill(self):
        return self.stop(signal.SIGKILL)

    def restart(self, sig=signal.SIGTERM):
        self.stop(sig)
        self.start()

    def pause(self):
        """It keeps its connections and answers nothing, until resume()."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def tail(self, lines=40):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        wanted = [line[:500] for line in text.splitlines() if NOISE not in line]
        return "\n".join(wanted[-lines:])

    def memory(self):
        """Its memory now and at its most, in MiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return tuple(int(re.search(rf"^{key}:\s*(\d+) kB", text, re.M).group(1)) // 1024
                     for key in ("VmRSS", "VmHWM"))
