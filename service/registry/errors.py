"""What can be wrong with a change to the registry."""

from service.foundation.errors import Conflict, NotFound, Unprocessable, WinnowError


class AliasNotFound(NotFound):
    """The schema has no such alias."""

    code = "alias_not_found"
    title = "No such alias"
    hint = "`GET /v1/schemas/{name}/versions` lists a schema's aliases."


class SchemaRejected(Unprocessable):
    """The content cannot be published; everything that is wrong with it is listed at once."""

    code = "schema_rejected"
    title = "The schema cannot be published"
    hint = "Correct every place named in `errors`; `POST /v1/schemas/{name}/check` tries without publishing."


class Incompatible(Conflict):
    """The new version would break those who read or wrote records of the versions before it."""

    code = "schema_incompatible"
    title = "The new version would break consumers"
    hint = (
        "Make the change compatible (`differences` says how each one breaks, with a record that shows it), or publish with "
        "`allow_breaking` and a `reason`: the version is then held back from `latest` and every alias."
    )


class AliasReserved(Conflict):
    """`latest` always means the newest version that is not held back; nobody moves it."""

    code = "alias_reserved"
    title = "The alias is reserved"
    hint = "Use another name."


class RegistryBusy(Conflict):
    """Others changed the same schema again and again while this change was checked."""

    code = "registry_busy"
    title = "Too many changes at once"
    retryable = True
    hint = "Send the request again."


class ReadOnly(Conflict):
    """The schema, or the whole registry, takes no changes at the moment."""

    code = "read_only"
    title = "The registry is read-only here"
    hint = "`PUT /v1/schemas/{name}/mode` or `PUT /v1/registry/mode` with `READWRITE` opens it again."


class InUse(Conflict):
    """An alias or another schema stands on what was to be deleted; `used_by` names them."""

    code = "in_use"
    title = "It is in use"
    hint = "Move the aliases, and delete or change the schemas that `used_by` names; then delete it."


class NotDeleted(Conflict):
    """Only what was deleted can be restored, or deleted for good."""

    code = "not_deleted"
    title = "It is not deleted"
    hint = (
        "To delete for good, delete first, then again with `permanent=true`. What is live needs no restoring."
    )


class NotRestorable(Conflict):
    """What it refers to is gone itself."""

    code = "not_restorable"
    title = "It cannot be restored"
    hint = "Restore the versions named in `errors` first."


class NotHeld(Conflict):
    """Only a version that was published although it breaks consumers is held back from `latest`."""

    code = "not_held"
    title = "The version is not held back"
    hint = "`GET /v1/schemas/{name}/versions` says which are (`held`)."


class PreconditionFailed(WinnowError):
    """Somebody else has changed the draft since you read it, or it is there already."""

    code = "precondition_failed"
    title = "The draft is not as you know it"
    status = 412
    hint = "Get the draft again, apply your change to it, and send it with the new `ETag` in `If-Match`."


class PreconditionRequired(WinnowError):
    """The request would overwrite a draft without saying which one."""

    code = "precondition_required"
    title = "Say which draft you mean"
    status = 428
    hint = "Send `If-Match` with the `ETag` of the draft, or `If-Match: *` to go over whatever is there."


class DraftNotFound(NotFound):
    """The schema has no draft."""

    code = "draft_not_found"
    title = "No such draft"
    hint = "`PUT /v1/schemas/{name}/draft` makes one."


class ArchiveRejected(Unprocessable):
    """The file is not an archive of a registry, or not a whole one."""

    code = "archive_rejected"
    title = "The archive cannot be imported"
    hint = "Export it again: `GET /v1/registry/archive`. The numbers in `errors` are lines of the file."


class RegistryNotEmpty(Conflict):
    """An archive is only imported where there is nothing yet, so that every id and number keeps its meaning."""

    code = "registry_not_empty"
    title = "The registry is not empty"
    hint = "Import into a new database, and start that service with `WINNOW_SCHEMAS_STARTER=false` and without folders."
