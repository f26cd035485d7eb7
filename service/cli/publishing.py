"""``winnow schemas push | publish | diff | check | apply | export | import``: the registry for people and pipelines.

Exit codes: 0 done, nothing stands against it; 1 invalid, breaking, or refused by the service; 2 the command line is wrong;
3 the service does not answer.
"""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.registry import (
    AllowBreaking,
    DryRun,
    Reason,
    Service,
    Url,
    breaking_body,
    print_check,
    print_differences,
    print_json,
    print_version,
    refuse,
    say,
)
from service.cli.shared import AsJson, fail
from service.cli.sources import document_of, folder_document, folders_in

Source = Annotated[
    str, typer.Argument(help="A JSON Schema, a folder with schema.json, or a pydantic model as module:Model.")
]
Named = Annotated[str | None, typer.Option("--name", help="Name of the schema; by default the source's own.")]
_REFERENCE = re.compile(r"schema://([^/#\"]+)/[1-9]")


def push(source: Source, *, name: Named = None, url: Url = None, as_json: AsJson = False) -> None:
    """Put a schema as the draft of its name, and say everything there is to say of it; 1 if it cannot be published."""
    name, document = document_of(source, name)
    service = Service(url)
    status, draft, _ = service.ask("GET", f"schemas/{name}/draft")
    if status >= 400 and draft.get("code") not in ("draft_not_found", "schema_not_found", "schema_deleted"):
        refuse(draft)
    # Whoever changes the draft between these two requests is not overwritten.
    known = {"if-match": draft["etag"]} if status == 200 else {"if-none-match": "*"}
    put = service.need("PUT", f"schemas/{name}/draft", document, headers=known)
    if as_json:
        print_json(put)
    else:
        say(f"Draft of {name} is stored, with the ETag {put['etag']}")
        print_check(put["check"])
        if put["check"]["publishable"]:
            say(f"`winnow schemas publish {name}` publishes it.", "green")
    _end(fine=put["check"]["publishable"])


def publish(
    name: Annotated[str, typer.Argument(help="Name of the schema.")],
    source: Annotated[
        str | None,
        typer.Argument(
            help="What to publish (as for push); without it, the draft as it stands now.", metavar="[SOURCE]"
        ),
    ] = None,
    *,
    url: Url = None,
    etag: Annotated[str | None, typer.Option(help="Publish the draft only if this is its ETag.")] = None,
    allow_breaking: AllowBreaking = False,
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Publish the draft, or a file, folder or model, as the next version; 1 if it is invalid or breaks consumers."""
    breaking = breaking_body(allow_breaking=allow_breaking, reason=reason)
    service = Service(url)
    document = None if source is None else document_of(source, name)[1]
    if document is not None and etag is not None:
        fail("--etag belongs to the draft; with a source, nothing but the source is published.", 2)
    if dry_run:
        path = f"schemas/{name}/draft/check" if document is None else f"schemas/{name}/check"
        check = service.need("POST", path, document)
        if as_json:
            print_json(check)
        else:
            print_check(check)
            say(_would(check, breaking=bool(breaking)))
        _end(fine=check["publishable"] or (bool(breaking) and not check["faults"]))
        return
    if document is None:
        known = etag or service.need("GET", f"schemas/{name}/draft")["etag"]
        status, version, _ = service.ask(
            "POST", f"schemas/{name}/draft/publish", breaking, headers={"if-match": known}
        )
    else:
        status, version, _ = service.ask("POST", f"schemas/{name}/versions", {**document, **breaking})
    if as_json:
        print_json(version)
        _end(fine=status < 400)
        return
    if status >= 400:
        refuse(version)
    print_version(version, fresh=status == 201)


def diff(
    name: Annotated[str, typer.Argument(help="Name of the schema.")],
    old: Annotated[int, typer.Argument(help="Number of the older version.", min=1)],
    new: Annotated[int, typer.Argument(help="Number of the newer version.", min=1)],
    *,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show what breaks between two versions in either direction, and what changes a model's behaviour; 1 if anything breaks."""
    found = Service(url).need("GET", f"schemas/{name}/versions/{new}/diff", params=[("against", str(old))])
    if as_json:
        print_json(found)
    else:
        broken = [one for one in found["differences"] if one["severity"] != "behaviour"]
        others = [one for one in found["differences"] if one["severity"] == "behaviour"]
        if broken:
            say(f"Breaks, from {old} to {new}:", "bold red")
            print_differences(broken)
        if others:
            say("Changes what a model writes:", "yellow")
            print_differences(others)
        if not found["differences"]:
            say("No difference.", "green")
    _end(fine=found["compatible"])


def check(
    source: Annotated[
        str,
        typer.Argument(help="As for push; also a folder of such folders, like schemas/.", metavar="SOURCE"),
    ],
    *,
    name: Named = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", help="Ask this service, which knows the versions before; else no service is needed."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check schemas, rules and examples; 1 if anything is wrong. Without --url nothing leaves this machine."""
    if Path(source).is_dir() and name is None:
        documents = [(place.resolve().name, folder_document(place)) for place in folders_in(Path(source))]
    else:
        documents = [document_of(source, name)]
    service = None if url is None else Service(url)
    found = {
        one: _offline(one, document)
        if service is None
        else service.need("POST", f"schemas/{one}/check", document)
        for one, document in documents
    }
    fine = all(one["publishable"] for one in found.values())
    if as_json:
        print_json(found)
    else:
        for one, answer in found.items():
            say(f"{one}: {'fine' if answer['publishable'] else 'cannot be published'}", "bold")
            print_check(answer)
    _end(fine=fine)


def apply(
    folder: Annotated[Path, typer.Argument(help="A folder like schemas/.", exists=True, file_okay=False)],
    *,
    url: Url = None,
    allow_breaking: AllowBreaking = False,
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Publish what changed in a folder of schemas, and nothing else: running it again changes nothing.

    Everything is checked before anything is published; one that is invalid or breaking stops all of them, with 1.
    """
    breaking = breaking_body(allow_breaking=allow_breaking, reason=reason)
    service = Service(url)
    documents = _in_order({place.resolve().name: folder_document(place) for place in folders_in(folder)})
    states: dict[str, str] = {}
    checks: dict[str, Any] = {}
    for name, document in documents.items():
        checks[name] = service.need("POST", f"schemas/{name}/check", document)
        states[name] = _state(checks[name], document, states, breaking=bool(breaking))
    stopped = any(state in ("invalid", "breaking") for state in states.values())
    versions: dict[str, int] = {}
    for name, document in documents.items():
        if dry_run or stopped or states[name] == "unchanged":
            continue
        version = service.need("POST", f"schemas/{name}/versions", {**document, **breaking})
        versions[name] = version["version"]
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "schemas": [
                    {"name": name, "state": state, "version": versions.get(name), "check": checks[name]}
                    for name, state in states.items()
                ],
            }
        )
    else:
        _print_states(states, versions, checks)
        if stopped:
            say("Nothing was published.", "bold red")
    _end(fine=not stopped)


def release(
    name: Annotated[str, typer.Argument(help="Name of the schema.")],
    version: Annotated[int, typer.Argument(help="Number of the version.", min=1)],
    *,
    url: Url = None,
) -> None:
    """Let a version that was held back count as latest, once its consumers can live with it."""
    found = Service(url).need("POST", f"schemas/{name}/versions/{version}/release")
    say(f"{found['name']}@{found['version']} is not held back any more", "green")


def export(
    file: Annotated[Path, typer.Argument(help="The archive to write (JSON lines).", dir_okay=False)],
    *,
    url: Url = None,
) -> None:
    """Write the whole registry to one file: the same registry is always the same bytes."""
    size = Service(url).download("registry/archive", file)
    say(f"Wrote {file}, {size:,} bytes")


def import_archive(
    file: Annotated[Path, typer.Argument(help="An archive that export wrote.", exists=True, dir_okay=False)],
    *,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take an archive over into a registry without anything, ids, numbers and history included; all or nothing."""
    found = Service(url).need(
        "POST",
        "registry/archive",
        content=file.read_bytes(),
        headers={"content-type": "application/x-ndjson"},
    )
    if as_json:
        print_json(found)
    else:
        say(
            f"Imported {found['schemas']} schemas, {found['versions']} versions, {found['drafts']} drafts",
            "green",
        )


def _end(*, fine: bool) -> None:
    if not fine:
        raise typer.Exit(1)


def _offline(name: str, document: dict[str, Any]) -> Any:
    """The answer that a service without any schema gives to a check."""
    import asyncio

    from pydantic import ValidationError

    from service.catalogue import Catalogue
    from service.registry import Registry, Settings
    from service.registry.bodies import check_body
    from service.registry.models import Models
    from service.registry.publishing import checked
    from service.registry.wire import ContentBody

    registry = Registry(Settings(starter=False, folders=[], refresh_s=1))
    registry.models = Models(lambda: Catalogue.load().with_scenarios(), complete=False)
    try:
        content = ContentBody.model_validate(document).content()
    except ValidationError as error:
        faults = [
            {"pointer": "".join(f"/{step}" for step in item["loc"]), "detail": f"{item['msg']}."}
            for item in error.errors(include_input=False, include_url=False)
        ]
        nothing = dict.fromkeys(("draft", "size", "tokens", "compatibility"))
        return {
            "publishable": False,
            "unchanged": False,
            "faults": faults,
            "lints": [],
            "losses": [],
            **nothing,
        }
    answer = asyncio.run(check_body(registry, name, checked(name, content, registry)))
    return answer.model_dump(by_alias=True)


def _would(check: Any, *, breaking: bool) -> str:
    if check["unchanged"]:
        return "The newest version says exactly this already."
    if check["publishable"]:
        return "It can be published."
    if breaking and not check["faults"]:
        return "It would be published, held back from latest."
    return "It would be refused."


def _state(check: Any, document: Any, states: dict[str, str], *, breaking: bool) -> str:
    """What is to be done about a schema: created, updated, unchanged; or what stands against it: breaking, invalid.

    One that refers to others of the folder that are still to be published cannot be told yet: it is pending, and
    checked by the service when its turn comes.
    """
    if check["unchanged"]:
        return "unchanged"
    if check["faults"]:
        waiting = {
            name for name, state in states.items() if state not in ("unchanged", "invalid", "breaking")
        }
        late = _references(document) & waiting
        return (
            "pending"
            if late and all(one["pointer"].endswith("/$ref") for one in check["faults"])
            else "invalid"
        )
    if not check["publishable"] and not breaking:
        return "breaking"
    return "updated" if check["latest"] is not None else "created"


def _in_order(documents: dict[str, Any]) -> dict[str, Any]:
    """Schemas after those that they refer to."""
    found: dict[str, Any] = {}
    waiting = dict(documents)
    while waiting:
        ready = [name for name in waiting if not (_references(waiting[name]) & waiting.keys() - {name})]
        for name in ready or list(waiting):  # a circle: the service says what is wrong with it
            found[name] = waiting.pop(name)
    return found


def _references(document: Any) -> set[str]:
    import json

    return set(_REFERENCE.findall(json.dumps(document["schema"])))


_STYLES = {"created": "green", "updated": "green", "pending": "yellow", "breaking": "red", "invalid": "red"}


def _print_states(states: dict[str, str], versions: dict[str, int], checks: dict[str, Any]) -> None:
    for name, state in states.items():
        number = f" as version {versions[name]}" if name in versions else ""
        say(f"{state:10} {name}{number}", _STYLES.get(state, "dim"))
        if state in ("breaking", "invalid"):
            for fault in checks[name]["faults"]:
                say(f"  {fault['pointer'] or '/'}: {fault['detail']}")
            print_differences((checks[name]["compatibility"] or {}).get("differences", []))
