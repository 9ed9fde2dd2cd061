"""A Flink cluster on this machine: one JobManager and some TaskManagers as direct children, loopback only.

Java is started without Flink's scripts, which would start another JVM first to work out the memory;
flink-conf/config.yaml names all of it. Jobs are submitted by `python -m jobs.detect`, since `flink run` would load
flink-python for each job anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from api.stack import checkpoints, flinkconf, ports, process
from api.stack.errors import StackError
from api.stack.flinklib import prepare_lib

REPOSITORY = Path(__file__).resolve().parents[2]
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
ENDED = frozenset({"FAILED", "CANCELED", "FINISHED", "SUSPENDED"})


class FlinkCluster:
    """A cluster whose checkpoints and savepoints lie below `home`/flink; logs are `home`/logs/jobmanager.log and so on,
    those of TaskManagers under the name `worker`.

    A part that the supervisor can start and stop (see parts.Part). `metrics_ports`, a range like "9249-9260", lets
    Prometheus scrape every process; Flink listens there on all interfaces, hence only when asked. `heap_mib` is for
    state on the heap that is more than flink-conf allows a TaskManager.
    """

    name = "flink"

    def __init__(
        self,
        home: Path,
        rest_port: int,
        *,
        taskmanagers: int = 1,
        metrics_ports: str | None = None,
        worker: str = "taskmanager",
        heap_mib: int | None = None,
    ) -> None:
        self.home = home
        self.rest_port = rest_port
        self.metrics_ports = metrics_ports
        self._wanted = taskmanagers
        self._worker = worker
        self._heap_mib = heap_mib
        self._rest = httpx.Client(base_url=f"http://{ports.HOST}:{rest_port}", timeout=10)
        self._jobmanager: subprocess.Popen[bytes] | None = None
        self.taskmanagers: list[subprocess.Popen[bytes]] = []

    # --- processes

    def start(self) -> None:
        """Start all processes without waiting. Raises StackError if the port is taken or a jar is not there."""
        ports.require(self.rest_port, "Flink's REST", "--flink-port")
        prepare_lib(flinkconf.folder(self.home, "lib"))
        flinkconf.write(self.home, self.rest_port, self._uri("other"), self.metrics_ports)
        self._jobmanager = self._launch("jobmanager", JOB_MANAGER, ["-Xmx448m", "-XX:TieredStopAtLevel=1"])
        self.taskmanagers = []
        for _ in range(self._wanted):
            self.add_taskmanager()

    def add_taskmanager(self) -> subprocess.Popen[bytes]:
        """Start one more TaskManager (one slot) without waiting; it joins by itself."""
        number = len(self.taskmanagers) + 1
        memory = flinkconf.taskmanager_memory(self._heap_mib)
        started = self._launch(
            f"{self._worker}-{number}",
            TASK_MANAGER,
            memory,
            f"-Dtaskmanager.resource-id={self._worker}-{number}-{time.time_ns()}",
        )
        self.taskmanagers.append(started)
        return started

    def ready(self) -> bool:
        """Whether as many TaskManagers as run have joined. Raises StackError if a process has ended instead."""
        for name, one in self._processes().items():
            if one.poll() is not None:
                log = self._log(name)
                raise StackError(f"Flink's {name} ended. Its log, {log}, closes with:\n{process.tail(log)}")
        try:
            return bool(self._get("/overview")["taskmanagers"] >= len(self.taskmanagers))
        except (httpx.HTTPError, StackError):
            return False

    def wait(self, seconds: float = START_SECONDS) -> FlinkCluster:
        """Wait until the cluster is ready. Raises StackError after `seconds`, or when a process has ended."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > deadline:
                raise StackError(f"Flink was not ready after {seconds:.0f} s; see {self._log('jobmanager')}.")
            time.sleep(0.1)
        return self

    def alive(self) -> bool:
        """Whether all processes run."""
        return self._jobmanager is not None and all(one.poll() is None for one in self._processes().values())

    def pids(self) -> list[int]:
        """The processes that run now."""
        return [one.pid for one in self._processes().values() if one.poll() is None]

    def stop(self) -> None:
        """Stop all processes; jobs are not asked first (see `stop_with_savepoint`). Harmless when nothing runs."""
        running = list(self._processes().values())
        for one in running:
            one.terminate()
        for one in running:
            process.stop(one, STOP_SECONDS)
        self._jobmanager, self.taskmanagers = None, []

    def kill(self) -> None:
        """SIGKILL to every process, as a power cut would do."""
        for one in self._processes().values():
            process.kill_group(one.pid)
            one.wait()
        self._jobmanager, self.taskmanagers = None, []

    # --- jobs

    def submit(self, config: Path, savepoint: str | None = None, *, kind: str = "detect", folder: str = "") -> str:
        """Submit a job of ours (`kind`: its module in jobs/) with its configuration, from `savepoint` if given; returns
        the job's id. Its checkpoints go to `folder`, by default that of the lane in the configuration.

        The job owns that savepoint from then on: it is deleted once newer checkpoints have taken its place.
        Raises StackError with what the job's composition says is wrong.
        """
        folder = folder or json.loads(config.read_text()).get("lane", "main")
        command = [sys.executable, "-m", f"jobs.{kind}", str(config), "--jobmanager", f"{ports.HOST}:{self.rest_port}"]
        command += ["-D", f"execution.checkpointing.dir={self._uri(folder)}"]
        if savepoint:
            command += ["--savepoint", savepoint, "-D", "execution.state-recovery.claim-mode=CLAIM"]
        env = flinkconf.environment(self.home)
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=env)  # noqa: S603
        if done.returncode:
            raise StackError(f"The {kind} job ({folder}) was not accepted: {_last_words(done)}")
        return done.stdout.split()[-1]

    def wait_running(self, job_id: str, seconds: float = START_SECONDS) -> None:
        """Wait until every task of the job runs. Raises StackError with the cause if it ends, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            job = self._get(f"/jobs/{job_id}")
            states = {vertex["status"] for vertex in job["vertices"]}
            if job["state"] == "RUNNING" and states <= {"RUNNING", "FINISHED"}:
                return
            if job["state"] in ENDED or time.monotonic() > deadline:
                raise StackError(f"The job {job['name']} is {job['state']}. {self.why(job_id)}")
            time.sleep(0.1)

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs the JobManager remembers: "jid", "name", "state" and more, as Flink's /jobs/overview gives them."""
        return list(self._get("/jobs/overview")["jobs"])

    def job_is_alive(self, job_id: str) -> bool:
        """Whether the job runs, or is about to run again. False also when the JobManager does not answer."""
        try:
            return bool(self._get(f"/jobs/{job_id}")["state"] not in ENDED)
        except (httpx.HTTPError, StackError):
            return False

    def why(self, job_id: str) -> str:
        """The first line of what last went wrong in the job; "" if nothing did."""
        entries = self._get(f"/jobs/{job_id}/exceptions?maxExceptions=1")["exceptionHistory"]["entries"]
        return next((_root_cause(entry["stacktrace"]) for entry in entries), "")

    def stop_with_savepoint(self, job_id: str, lane: str, seconds: float = 120.0) -> str:
        """Stop the job in order; returns the savepoint's path. Raises StackError if it can't be taken in time."""
        body = {"targetDirectory": self._uri(lane), "drain": False}
        trigger = self._call("POST", f"/jobs/{job_id}/stop", json=body)["request-id"]
        deadline = time.monotonic() + seconds
        while (answer := self._get(f"/jobs/{job_id}/savepoints/{trigger}"))["status"]["id"] != "COMPLETED":
            if time.monotonic() > deadline:
                raise StackError(f"No savepoint of lane {lane} after {seconds:.0f} s; its checkpoints are still there.")
            time.sleep(0.1)
        operation = answer["operation"]
        if "failure-cause" in operation:
            raise StackError(f"No savepoint of lane {lane}: {_root_cause(operation['failure-cause']['stack-trace'])}")
        return str(operation["location"])

    def cancel(self, job_id: str, seconds: float = 30.0) -> None:
        """End the job without a savepoint, and wait until it has ended; its checkpoints stay."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")
        deadline = time.monotonic() + seconds
        while self.job_is_alive(job_id) and time.monotonic() < deadline:
            time.sleep(0.1)

    def newest_checkpoint(self, lane: str) -> str | None:
        """The newest complete checkpoint or savepoint of a lane, to resume from; None if there is none."""
        return checkpoints.newest(flinkconf.folder(self.home, "checkpoints") / lane)

    # --- the rest

    def _processes(self) -> dict[str, subprocess.Popen[bytes]]:
        tasks = {f"{self._worker}-{number}": one for number, one in enumerate(self.taskmanagers, 1)}
        return ({"jobmanager": self._jobmanager} if self._jobmanager else {}) | tasks

    def _launch(self, name: str, entry: str, memory: list[str], *options: str) -> subprocess.Popen[bytes]:
        command = flinkconf.command(self.home, entry, memory, *options)
        return process.start(command, self._log(name), flinkconf.environment(self.home))

    def _uri(self, lane: str) -> str:
        return checkpoints.uri(flinkconf.folder(self.home, "checkpoints") / lane)

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _get(self, path: str) -> Any:
        return self._call("GET", path)

    def _call(self, method: str, path: str, **body: Any) -> Any:
        answer = self._rest.request(method, path, **body)
        if answer.is_error:
            raise StackError(f"Flink refused {method} {path}: {answer.text[:500]}")
        return answer.json() if answer.content else None


def _root_cause(stacktrace: str) -> str:
    """The innermost cause that a Java stack trace names."""
    lines = [line for line in stacktrace.splitlines() if line and not line[0].isspace() and not line.startswith("...")]
    return (lines[-1] if lines else stacktrace[:200]).removeprefix("Caused by: ")


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return "\n".join(lines[-5:])
