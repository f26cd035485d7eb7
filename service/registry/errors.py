"""What can be wrong with a change to the registry."""

from service.foundation.errors import Conflict, NotFound, Unprocessable


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
