"""A real Slurm on this machine: two nodes by name, a controller, and munge's keys.

Everything lies in one folder and ends with `stop`; nothing of the machine's own Slurm
is read or touched.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NODES = ("a", "b")
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
NodeName=a NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=b NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=main Nodes=a,b Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=a,b MaxTime=INFINITE State=UP PriorityTier=2
"""
"""A requeued job waits until its credential has expired."""


def missing():
    """Say why it cannot be started here; empty where it can."""
    absent = [n for n in ("slurmctld", "slurmd", "munged") if shutil.which(n) is None]
    if absent:
        return f"{', '.join(absent)} not installed (apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "Slurm's daemons are started as root only"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="slurm"))  # sockets' names are short
        self.config = self.folder / "slurm.conf"
        self.processes = []
        host = socket.gethostname().partition(".")[0]
        text = CONFIG.format(host=host, folder=self.folder, ports=free_ports(3))
        self.config.write_text(text)
        self.environment = {**os.environ, "SLURM_CONF": str(self.config)}

    def start(self):
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        kinds = ("socket", "pid", "log", "seed")
        names = {f"{kind}-file": f"munge.{kind}" for kind in kinds}
        names |= {"key-file": key.name, "socket": names.pop("socket-file")}
        files = [f"--{what}={self.folder / name}" for what, name in names.items()]
        self._daemon("munged", "--force", "--foreground", *files)
        self._until((self.folder / "munge.socket").exists, "munged")
        self._daemon("slurmctld", "-D")
        for node in NODES:
            self._daemon("slurmd", "-D", "-N", node)
        self._until(self._are_idle, "nodes")

    def _are_idle(self):
        states = self.ask("sinfo", "-hN", "--partition=main", "-o", "%T").split()
        return states == ["idle"] * len(NODES)

    def _daemon(self, *command):
        with open(self.folder / "daemons.log", "ab") as log:
            self.processes.append(
                subprocess.Popen(
                    command, env=self.environment, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log,
                )
            )  # fmt: skip

    def _until(self, is_so, what):
        deadline = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < deadline, f"{what}: {self.logs()}"
            time.sleep(0.1)

    def ask(self, *command):
        """Return what a command of Slurm's says."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        ).stdout

    def logs(self):
        """Return the last lines of the daemons."""
        return {p.name: p.read_text()[-500:] for p in self.folder.glob("*.log")}

    def stop(self):
        self.ask("scancel", "--user=root")
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
