"""HTTP: upload once, use often."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service.files.files import ID, Files
from service.files.wire import FileBody, FileList, file_body
from service.foundation.content import Content
from service.foundation.errors import BadRequest, Fault, UnsupportedMedia
from service.foundation.multipart import Part, read_form
from service.foundation.problems import Problem

router = APIRouter()

_LONGEST_NAME = 512
_LONGEST_TYPE = 255
_FIELD_BYTES = 4096
_Id = Annotated[str, Path(max_length=256, examples=["file_01kahx3v6m8q2d0z4w7y5t9r1c"])]


def _problem(description: str) -> dict[str, Any]:
    return {"model": Problem, "description": description}


_OTHERS: dict[int | str, dict[str, Any]] = {404: _problem("No file has this id, or it has expired.")}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "required": True,
    "content": {
        "application/octet-stream": _BINARY,
        "application/pdf": _BINARY,
        "image/png": _BINARY,
        "text/plain": _BINARY,
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "The file."},
                    "name": {
                        "type": "string",
                        "maxLength": _LONGEST_NAME,
                        "description": "Instead of the part's own file name.",
                        "examples": ["invoice.pdf"],
                    },
                },
            }
        },
    },
}


@router.post(
    "/v1/files",
    summary="Upload a file",
    operation_id="upload_file",
    tags=["Files"],
    status_code=201,
    openapi_extra={"requestBody": _BODY},
    responses={
        409: _problem("There is no room for another file."),
        413: _problem("The body is too large."),
        415: _problem("A form that is not `multipart/form-data`."),
    },
)
async def upload_file(
    request: Request,
    response: Response,
    name: Annotated[
        str | None,
        Query(max_length=_LONGEST_NAME, description="What the file is called.", examples=["invoice.pdf"]),
    ] = None,
) -> FileBody:
    """Send the file itself, or a form with the part `file`. Use its `id` as `input.file_id` until `expires_at`.

    The same bytes may be uploaded again: they are kept once, and each upload has an id and an end of its own.
    """
    files = _files(request)
    declared = request.headers.get("content-type")
    kind = (declared or "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        raise UnsupportedMedia(
            "A form says nothing about the file in it (curl sends this type unless told otherwise). Name the file's own "
            "type: `-H 'Content-Type: application/pdf'`."
        )
    if kind == "multipart/form-data":
        parts = await read_form(
            declared or "", request.stream(), files.spool, most=2, field_bytes=_FIELD_BYTES
        )
        content, declared, name = _of_form(parts, name)
    else:
        content = await files.spool.gather(request.stream())
    if not len(content):
        raise BadRequest("The file has no bytes.", errors=[Fault("", "Send the bytes as the body.")])
    kept = await files.keep(
        content,
        name=_shown(name),
        media_type=None if declared is None else declared[:_LONGEST_TYPE].replace("\0", ""),
        caller=request.scope["state"]["caller"],
    )
    response.headers["location"] = f"/v1/files/{kept.id}"
    return file_body(kept)


@router.get("/v1/files", summary="List files", operation_id="list_files", tags=["Files"])
async def list_files(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100, description="Most files of one page.")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=80, description="`next_cursor` of the page before.", examples=[None])
    ] = None,
) -> FileList:
    """Files that have not expired, newest first."""
    if cursor is not None and not ID.match(cursor):
        raise BadRequest(
            "The cursor is not one of ours.",
            errors=[Fault("/cursor", "Send `next_cursor` of the last page.")],
        )
    found = await _files(request).newest(before=cursor, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    return FileList(files=[file_body(file) for file in page], next_cursor=page[-1].id if more else None)


@router.get(
    "/v1/files/{id}", summary="Show a file", operation_id="show_file", tags=["Files"], responses=_OTHERS
)
async def show_file(request: Request, id: _Id) -> FileBody:
    """What is known of a file. Its bytes are not given out."""
    return file_body(await _files(request).get(id))


@router.delete(
    "/v1/files/{id}",
    summary="Delete a file",
    operation_id="delete_file",
    tags=["Files"],
    status_code=204,
    responses=_OTHERS,
)
async def delete_file(request: Request, id: _Id) -> None:
    """Forget a file before its time. Requests that use it now are not disturbed."""
    await _files(request).delete(id)


def _of_form(parts: Sequence[Part], name: str | None) -> tuple[Content, str | None, str | None]:
    """Bytes, declared type and name in a form."""
    given: dict[str, Part] = {}
    for part in parts:
        if part.name not in ("file", "name"):
            raise BadRequest(
                "The form has a part that means nothing here.",
                errors=[Fault(f"/{part.name[:100]}", "Known parts: file, name.")],
            )
        if part.name in given:
            raise BadRequest(
                "A part of the form stands twice.",
                errors=[Fault(f"/{part.name}", "Send one file at a time, and one name.")],
            )
        given[part.name] = part
    if "file" not in given:
        raise BadRequest(
            "The form has no file.", errors=[Fault("/file", "Add a part named `file` with the bytes.")]
        )
    file = given["file"]
    if "name" in given:
        if name is not None:
            raise BadRequest(
                "The name stands both in the form and in the query.", errors=[Fault("/name", "Give it once.")]
            )
        written = given["name"].content
        if not isinstance(written, bytes) or given["name"].is_file or len(written) > 4 * _LONGEST_NAME:
            raise BadRequest(
                "The name is too long.", errors=[Fault("/name", f"At most {_LONGEST_NAME} characters.")]
            )
        name = written.decode("utf-8", "replace")
    return file.content, file.media_type, name if name is not None else file.filename


def _shown(name: str | None) -> str | None:
    """A name without what databases and terminals choke on; it is shown, and its ending helps to tell texts apart."""
    if name is None:
        return None
    return "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME] or None


def _files(request: Request) -> Files:
    files: Files = request.app.state.parts.files
    return files
