"""`daymark up` and `demo`: start the stack as a whole, and look after it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from api.commands.alerting import anything_in_force, put_in_force
from api.commands.options import lane_name
from api.commands.output import err, escape, guarded, log_to, out
from api.commands.watch import Watch
from api.stack import prerequisites, process
from api.stack.ask import tell
from api.stack.errors import Exit, StackError
from api.stack.home import VARIABLE, Home, State
from api.stack.parts import Options
from api.stack.supervisor import Supervisor
from api.tls import TlsError, named_in
from udfs.packs.alertfile import load_alerting
from udfs.packs.load import MAPPING_FILE, find_packs, load_pack

RULES = Path(__file__).resolve().parents[2] / "rules"
DEMO_PACK = "trade_lifecycle"
DEMO_ALERTING = RULES / "alerting.yaml"

Port = Annotated[int, typer.Option(help="Port of the page and the API.", min=1, max=65535)]
KafkaPort = Annotated[int, typer.Option(help="Port of the Kafka broker.", min=1, max=65535)]
FlinkPort = Annotated[int, typer.Option(help="Port of Flink's REST interface.", min=1, max=65535)]
Alerting = Annotated[Path | None, typer.Option(help="An alerting file to put in force before time begins to run.")]
Parallelism = Annotated[int, typer.Option(help="Flink workers, one process each.", min=1, max=16)]


@guarded
def up(
    pack: Annotated[list[Path] | None, typer.Option(help="A pack to run; repeatable (default: all in rules/).")] = None,
    mapping: Annotated[list[Path] | None, typer.Option(help="A source mapping (default: those of the packs).")] = None,
    lane: Annotated[str, typer.Option(callback=lane_name, help="The name of the live lane.")] = "main",
    parallelism: Parallelism = 1,
    port: Port = 8420,
    kafka_port: KafkaPort = 19092,
    flink_port: FlinkPort = 18081,
    alerting: Alerting = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once it runs; see `daymark stop`.")] = False,
) -> None:
    """Start Kafka, Flink, the detect job, the API and the ticker, and look after them until Ctrl-C.

    Resumes from the newest checkpoint or savepoint. Everything it keeps is in .daymark, or where DAYMARK_HOME says.
    """
    home = Home()
    packs = tuple(one.absolute() for one in pack or find_packs(RULES))
    options = Options(
        home=home.path,
        lane=lane,
        packs=packs,
        mappings=tuple(one.absolute() for one in mapping or mappings_of(packs)),
        http_port=port,
        kafka_port=kafka_port,
        flink_port=flink_port,
        parallelism=parallelism,
        tls=tls_files(),
    )
    if detach:
        _up_detached(home)
    else:
        _supervise(home, options, alerting=alerting)


@guarded
def demo(
    pack: Annotated[str, typer.Option(help="Whose traffic is played; --list names the packs.")] = DEMO_PACK,
    list_packs: Annotated[bool, typer.Option("--list", help="Say which packs can be played, and end.")] = False,
    speed: Annotated[
        str | None, typer.Option(help="Times life, like 1300x, for the past (default: it takes a minute).")
    ] = None,
    parallelism: Parallelism = 1,
    port: Port = 8420,
    kafka_port: KafkaPort = 19092,
    flink_port: FlinkPort = 18081,
    alerting: Alerting = None,
) -> None:
    """Start everything with made-up traffic: the past day, or days, in about a minute, then on in real time.

    Some of the items have faults; what is found missing, late, out of order or duplicated is printed as it is found,
    and who is told of it, by mails that stay in the home. Who that is says rules/alerting.yaml, unless something else
    is in force in this home, or --alerting names another file.
    """
    packs = playable()
    if list_packs:
        _list(packs)
        return
    if pack not in packs:
        raise StackError(f"There is no traffic for a pack {pack!r}. There is for {', '.join(packs)}.", Exit.USAGE)
    folder = packs[pack]
    options = Options(
        home=Home().path,
        lane=demo_lane(pack),
        packs=(folder,),
        mappings=(folder / MAPPING_FILE,),
        http_port=port,
        kafka_port=kafka_port,
        flink_port=flink_port,
        parallelism=parallelism,
        tls=tls_files(),
        traffic=("jobs.traffic.play", pack, *(("--speed", str(factor(speed))) if speed is not None else ())),
    )
    watch = Watch(options.bootstrap, options.lane)
    try:
        _supervise(Home(), options, watch, alerting or DEMO_ALERTING, keep=alerting is None)
    finally:
        watch.stop()


def playable() -> dict[str, Path]:
    """The packs that have traffic, by name: those in rules/ that a module of jobs/traffic is called after."""
    modules = {file.stem for file in (RULES.parent / "jobs" / "traffic").glob("*.py")}
    return {folder.name: folder for folder in find_packs(RULES) if folder.name in modules}


def demo_lane(pack: str) -> str:
    """The lane that a pack's demo plays in: each has a clock and a history of its own."""
    return "demo" if pack == DEMO_PACK else f"demo-{pack.replace('_', '-')}"


def _list(packs: dict[str, Path]) -> None:
    width = max(map(len, packs))
    for name, folder in packs.items():
        about = load_pack(folder).workflows[0].data["description"]
        out.print(f"[bold]{escape(name.ljust(width))}[/bold]  {escape(about)}")


def factor(text: str) -> float:
    """ "1300x" -> 1300.0. Raises StackError."""
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise StackError(f"{text!r} is no speed; give a factor such as 1300x.", Exit.USAGE)
    return value


def tls_files() -> tuple[Path, Path] | None:
    """The certificate and key that the environment names. Raises StackError for files that no server can use."""
    try:
        return named_in(os.environ)
    except TlsError as error:
        raise StackError(str(error), Exit.USAGE) from None


def mappings_of(packs: tuple[Path, ...]) -> list[Path]:
    """The mapping files beside the packs."""
    folders = dict.fromkeys(pack if pack.is_dir() else pack.parent for pack in packs)
    return [folder / MAPPING_FILE for folder in folders if (folder / MAPPING_FILE).exists()]


def _supervise(
    home: Home, options: Options, watch: Watch | None = None, alerting: Path | None = None, *, keep: bool = False
) -> None:
    """Run until told to stop. `keep` leaves documents that are in force as they are: people may have changed them."""
    prerequisites.require_java()
    for path in options.packs:
        load_pack(path)
    documents = load_alerting(alerting)[0] if alerting else {}
    home.prepare()
    log_to(home.log("daymark"))

    def before_time(state: State) -> None:
        if alerting and not (keep and anything_in_force(state)):
            put_in_force(state, alerting, documents)

    def ready(state: State) -> None:
        out.print(f"\nDaymark runs: [bold]{state.url}{first_link(state)}[/bold]   (Ctrl-C stops it)", soft_wrap=True)
        if "mailbox" in state.parts:
            out.print(f"Alerts: {state.url}/alerts")
            out.print(f"Mail about them is kept in {home.path / 'mailbox'}: open a page there and click its link")
        out.print()
        if watch:
            watch.start(since_ms=int(state.started * 1000), url=state.url)

    supervisor = Supervisor(home, options, lambda line: err.print(f"[dim]{escape(line)}[/dim]"))
    supervisor.before_time = before_time
    supervisor.before_stop = watch.stop if watch else lambda: None
    supervisor.run(ready)
    out.print("Daymark has stopped; nothing is left running.")


def _up_detached(home: Home) -> None:
    """Run `daymark up` again without --detach, in a session of its own, and wait until it is ready."""
    home.prepare()
    log = home.log("up")
    log.unlink(missing_ok=True)
    arguments = [one for one in sys.argv[1:] if one not in ("-d", "--detach")]
    with log.open("wb") as output:
        command = [sys.executable, "-m", "api.cli", *arguments]
        child = subprocess.Popen(  # noqa: S603 (our own command)
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, VARIABLE: str(home.path)},
        )  # fmt: skip
    while (state := home.running()) is None or not state.ready or state.supervisor.pid != child.pid:
        if child.poll() is not None:
            raise StackError(process.tail(log).replace("daymark: ", ""), Exit(child.returncode))
        time.sleep(0.2)
    out.print(f"Daymark runs: {state.url}{first_link(state)}   (`daymark stop` ends it)", soft_wrap=True)


def first_link(state: State) -> str:
    """The path that signs the first admin in, once; '' where an admin can sign in, or nobody has to."""
    try:
        return tell(state, "POST", "sign-in-links", {"unless_somebody": True}, 10)["path"] or ""
    except (httpx.HTTPError, ValueError, KeyError):
        return ""
