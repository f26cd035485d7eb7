"""The registry of a running service, for the commands: one call, and how its answers look to people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from service.cli.client import UNREACHABLE, key_headers, print_problem
from service.cli.shared import console, fail

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="WINNOW_URL", help="The running service whose registry is meant."),
]
Reason = Annotated[
    str | None, typer.Option(help="Why consumers may be broken; kept with the version.", metavar="TEXT")
]
AllowBreaking = Annotated[
    bool, typer.Option("--allow-breaking", help="Publish what breaks consumers: held back from latest.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]

_TIMEOUT_S = 300


class Service:
    """One service's registry. Ends the command with 2 where no URL is known, with 3 where nobody answers."""

    def __init__(self, url: str | None) -> None:
        if url is None:
            fail("Name the running service: --url, or WINNOW_URL.", 2)
        self.url = url.rstrip("/")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON (None for no content) and headers of an answer."""
        import httpx2

        try:
            answer = httpx2.request(
                method,
                f"{self.url}/v1/{quote(path, safe='/@')}",
                json=body,
                content=content,
                params=list(params),
                headers={**key_headers(), **(headers or {})},
                timeout=_TIMEOUT_S,
                trust_env=False,
            )
            return answer.status_code, answer.json() if answer.content else None, answer.headers
        except httpx2.HTTPError as error:
            fail(f"The service at {self.url} does not answer: {type(error).__name__}.", UNREACHABLE)
        except (ValueError, httpx2.InvalidURL):
            fail(f"{self.url} answered something that is not JSON; is it a Winnow service?", UNREACHABLE)

    def need(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of an answer; ends the command with 1, after printing the problem, for anything but success."""
        status, answer, _ = self.ask(method, path, body, **more)
        if status >= 400:
            refuse(answer)
        return answer

    def download(self, path: str, file: Path) -> int:
        """Stream an answer into a file, which is there only when all of it has come; its size."""
        import httpx2

        part = file.with_name(file.name + ".part")
        try:
            with (
                httpx2.Client(timeout=_TIMEOUT_S, trust_env=False) as client,
                client.stream("GET", f"{self.url}/v1/{path}", headers=key_headers()) as answer,
                part.open("wb") as out,
            ):
                if answer.status_code != 200:
                    answer.read()
                    refuse(answer.json())
                for chunk in answer.iter_bytes():
                    out.write(chunk)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            part.unlink(missing_ok=True)
            fail(f"The service at {self.url} does not answer: {type(error).__name__}.", UNREACHABLE)
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}.")
        part.replace(file)
        return file.stat().st_size


def refuse(problem: Any) -> None:
    """Print a problem with its differences, and end the command with 1."""
    if not isinstance(problem, dict) or "code" not in problem:
        fail("The service answered something that is no problem of ours; is it a Winnow service?")
    print_problem({**problem, "errors": [] if problem.get("differences") else problem.get("errors", [])})
    print_differences(problem.get("differences", []))
    raise typer.Exit(1)


def breaking_body(*, allow_breaking: bool, reason: str | None) -> dict[str, Any]:
    """The members of a publish request; ends the command with 2 for a permission without a reason."""
    if allow_breaking and not reason:
        fail("--allow-breaking needs --reason: say why, for whoever has to live with it.", 2)
    return {"allow_breaking": True, "reason": reason} if allow_breaking else {}


def print_json(value: Any) -> None:
    """For programs, on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201 - for programs


def say(text: str, style: str = "") -> None:
    """A line for people."""
    console().print(text, style=style, markup=False, soft_wrap=True)


def print_version(version: Mapping[str, Any], *, fresh: bool) -> None:
    """What was published."""
    name, number = version["name"], version["version"]
    if not fresh:
        say(f"{name}@{number} says exactly this already; nothing was published.")
    elif version["held"]:
        say(f"Published {name}@{number}, held back from latest: {version['reason']}", "yellow")
    else:
        say(f"Published {name}@{number}", "green")


def print_check(check: Mapping[str, Any]) -> None:
    """Everything there is to say before publishing, worst first."""
    if check["draft"] is not None:
        size, tokens = check["size"], check["tokens"]
        say(
            f"Draft {check['draft']} · {size['properties']} of {size['max_properties']} properties · depth {size['depth']} · "
            f"{tokens['total']} tokens with every call",
            "dim",
        )
    if check["faults"]:
        say("Wrong:", "bold red")
        for fault in check["faults"]:
            say(f"  {fault['pointer'] or '/'}: {fault['detail']}")
    verdict = check["compatibility"]
    if verdict is not None and not verdict["compatible"]:
        say(f"Breaks consumers, at level {verdict['level']} by policy {verdict['policy']}:", "bold red")
        print_differences(verdict["differences"])
    if check["losses"]:
        say("Checked on the finished record, as the strict form cannot hold it:", "yellow")
        for loss in check["losses"]:
            say(f"  {loss['pointer'] or '/'} {loss['keyword']}: {loss['detail']}")
    if check["lints"]:
        say("A reviewer would remark:", "yellow")
        for lint in check["lints"]:
            say(f"  {lint['pointer'] or '/'} {lint['rule']}: {lint['detail']} {lint['suggestion']}")


def print_differences(differences: Sequence[Mapping[str, Any]]) -> None:
    """Differences between schemas, with a record that shows each where one was found."""
    for one in differences:
        against = f" with version {one['version']}" if one.get("version") else ""
        way = "" if one["severity"] == "behaviour" else f" {one['direction'].lower()}{against}"
        say(f"  {one['pointer'] or '/'} {one['kind']}{way}: {one['message']}")
        if one.get("witness") is not None:
            witness = json.dumps(one["witness"], ensure_ascii=False)
            say(f"    such as {witness[:300]}{'…' if len(witness) > 300 else ''}", "dim")
