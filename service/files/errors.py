"""What can be wrong with files that do not come with the request.

NotFound (404)
├── UnknownFile         file_not_found
└── FileExpired         file_expired
Conflict (409)
└── FilesFull           files_full
Unavailable (503)
└── FilesUnavailable    files_unavailable     the folder cannot be read or written
"""

from service.foundation.errors import Conflict, NotFound, Unavailable


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
