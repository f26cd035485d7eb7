"""What can be wrong with bytes that do not come with the request.

Uploaded files:

    NotFound (404)
    ├── UnknownFile         file_not_found
    └── FileExpired         file_expired
    Conflict (409)
    └── FilesFull           files_full
    Unavailable (503)
    └── FilesUnavailable    files_unavailable     the folder cannot be read or written

What a URL leads to:

    Unprocessable (422)
    └── UrlRefused          url_refused           we do not fetch this
    PayloadTooLarge (413)
    └── UrlTooLarge         url_too_large
    UrlFailed (424)                               the other side's trouble, which may pass
    ├── UrlUnreachable      url_unreachable       no name, no connection, no valid certificate
    ├── UrlBadAnswer        url_bad_answer        an answer that is no document
    └── UrlTooSlow          url_too_slow

Nothing here quotes what a URL answered, or says which address a name has.
"""

from service.foundation.errors import (
    Conflict,
    NotFound,
    PayloadTooLarge,
    Unavailable,
    Unprocessable,
    WinnowError,
)


class UnknownFile(NotFound):
    """No file has this id: it was never uploaded, or it was deleted."""

    code = "file_not_found"
    title = "No such file"
    hint = "Upload the file with `POST /v1/files` and use the `id` of the answer."


class FileExpired(NotFound):
    """The file was uploaded, and its time is over; its bytes are gone."""

    code = "file_expired"
    title = "The file has expired"
    hint = "Upload the file again; `expires_at` says until when it can be used."


class FilesFull(Conflict):
    """All uploaded files together would be larger than the service keeps."""

    code = "files_full"
    title = "There is no room for another file"
    hint = "Delete files with `DELETE /v1/files/{id}`; operators: WINNOW_FILES_MAX_TOTAL_BYTES."


class FilesUnavailable(Unavailable):
    """The folder of uploaded files cannot be read or written now."""

    code = "files_unavailable"
    title = "Uploaded files cannot be reached"
    hint = "Retry later; operators: look at WINNOW_FILES_FOLDER and the space in it."


class UrlRefused(Unprocessable):
    """The URL, or one that it redirects to, is not fetched: its form, its scheme, its port, or where its host lies."""

    code = "url_refused"
    title = "This URL is not fetched"
    hint = "Send a public `https` URL, or upload the file with `POST /v1/files`; operators: the `WINNOW_URLS_…` settings."


class UrlTooLarge(PayloadTooLarge):
    """The URL leads to more bytes than are fetched."""

    code = "url_too_large"
    title = "The URL leads to too large a document"
    hint = "Send a smaller document; the limit stands in the detail."


class UrlFailed(WinnowError):
    """Base of: the URL's host did not give the document. Not kept under idempotency keys, for it may pass."""

    status = 424
    retryable = True


class UrlUnreachable(UrlFailed):
    """The URL's host has no address, takes no connection, proves no identity, or does not speak HTTP."""

    code = "url_unreachable"
    title = "The URL's host cannot be reached"
    hint = "Check that the URL opens from the public internet, then retry, or upload the file with `POST /v1/files`."


class UrlBadAnswer(UrlFailed):
    """The URL's host answers, and not with a document: another status than 200, endless redirects, compression."""

    code = "url_bad_answer"
    title = "The URL does not give a document"
    hint = "Check that the URL gives the file itself, without a login, then retry, or upload it with `POST /v1/files`."


class UrlTooSlow(UrlFailed):
    """The document did not come in the time that fetching may take."""

    code = "url_too_slow"
    title = "The URL takes too long"
    hint = "Retry, or upload the file with `POST /v1/files`."
