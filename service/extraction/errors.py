"""How an extraction can end without a record. See ``foundation.errors`` for the tree."""

from service.foundation.errors import BadRequest, Unprocessable, UpstreamBroken


class UnservedOption(BadRequest):
    """An option that this release does not know or not yet serve."""

    code = "option_not_served"
    title = "An option is not served"
    hint = "Leave out the options named in `errors`."


class PolicyImpossible(BadRequest):
    """The option ``policy`` asks for something that this document or this model does not have."""

    code = "policy_not_possible"
    title = "The document cannot be shown as `policy` asks"
    hint = "Use `auto`, which shows every page as it can be shown."


class NotAcceptable(BadRequest):
    """The caller accepts no representation that the service has."""

    code = "not_acceptable"
    title = "No acceptable representation"
    status = 406
    hint = "Accept `application/json`."


class ModelRefused(Unprocessable):
    """The model declined to answer about this document."""

    code = "model_refused"
    title = "The model refused"
    hint = "The model's own words stand in `refusal`; another model or other instructions may help."


class OutputTruncated(Unprocessable):
    """The answer was longer than the output budget."""

    code = "output_truncated"
    title = "The record is longer than the model may write"
    hint = "Ask for fewer pages (`pages`) or use a model with a larger output."


class ContentFiltered(Unprocessable):
    """The provider's content filter stopped the answer."""

    code = "content_filtered"
    title = "The provider's content filter stopped the answer"
    hint = "The provider does not let this document through; sending it again does not help."


class RecordInvalid(Unprocessable):
    """The record breaks rules of the schema that the strict form cannot hold."""

    code = "record_invalid"
    title = "The record does not validate against the schema"
    hint = "`errors` names each place; a stronger model may do better."


class RulesBroken(Unprocessable):
    """The record is valid and breaks rules of its schema: sums, checksums, orders that must hold."""

    code = "rules_broken"
    title = "The record breaks rules of its schema"
    hint = "`errors` names each place; a stronger model may do better, or take the record as it is with `allow_partial`."


class RecordIncomplete(Unprocessable):
    """A long document's record lacks rows that the document is known to have."""

    code = "record_incomplete"
    title = "The record is known to lack something"
    hint = "`errors` says what does not add up; ask again, or take what there is with `allow_partial`."


class AnswerMalformed(UpstreamBroken):
    """The provider promised strict JSON and sent something else."""

    code = "answer_malformed"
    title = "The provider's answer is not of the promised form"
    hint = "Retry; if it stays, report it with the request id."


class NothingToShow(Unprocessable):
    """The document has neither text nor images."""

    code = "document_blank"
    title = "The document shows nothing"
    hint = "The file is readable but its pages hold neither text nor pictures; check what was sent."
