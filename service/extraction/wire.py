"""The JSON that extraction speaks: options in, results out."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from service.foundation.money import NanoUSD, parse_usd

Policy = Literal["auto", "text", "image", "both", "file"]
Detail = Literal["low", "high", "auto"]
EvidenceMode = Literal["off", "locations", "quotes"]


def _money(value: object) -> NanoUSD:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError('an amount in US dollars, such as 0.05 or "0.05"')  # noqa: TRY004 - pydantic's way
    return parse_usd(value)


def _written(value: object) -> object:
    """A number as text; JSON writes whole numbers also as `1.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_WHICH = "^([1-9][0-9]{0,8}|[a-z][a-z0-9-]*)$"
AsVersion = Annotated[
    str,
    BeforeValidator(_written),
    StringConstraints(max_length=64, pattern=_WHICH),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": 64, "pattern": _WHICH},
                {"type": "integer", "minimum": 1, "maximum": 999_999_999},
            ]
        }
    ),
]
"""A version of the schema at hand: its number, an alias, or ``latest``."""


class Options(BaseModel):
    """What a request may ask for. The same names in JSON, in the multipart part `options`, and in the query."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        None, description="Model to ask instead of the service's default.", examples=["gpt-4.1-mini"]
    )
    instructions: Annotated[str, StringConstraints(max_length=20_000)] | None = Field(
        None, description="Added to the schema's own instructions.", examples=["Amounts are in thousands."]
    )
    pages: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        None, description="Pages to read, from 1.", examples=["1-3,7"]
    )
    policy: Policy = Field(
        "auto",
        description="What the model is shown: the text, page images, both, or (`auto`) text where it is good, else images. "
        "`file`: a PDF as it is, which the provider reads itself (its text layer and a picture of each page); other parts as "
        "with `auto`. Not with `pages` or `password`, up to 50 MB, and never in parts.",
        examples=["auto"],
    )
    detail: Detail = Field(
        "auto", description="Resolution at which the model looks at images.", examples=["high"]
    )
    max_cost_usd: Annotated[NanoUSD, BeforeValidator(_money)] | None = Field(
        None,
        description="Refuse (402) before a call whose worst case would pass this sum.",
        examples=["0.05"],
    )
    deadline_s: float | None = Field(
        None,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds until the answer must be there.",
        examples=[60],
    )
    max_attempts: int | None = Field(
        None,
        ge=1,
        le=10,
        description="Most requests to the provider, retries included; of a long document, for each of its parts.",
        examples=[3],
    )
    allow_partial: bool = Field(
        False,
        description="Answer with the record (`status: partial`) when it breaks rules of its schema, or something of a long "
        "document is known to be missing or doubtful, see `findings`; else that is a 422.",
        examples=[True],
    )
    evidence: EvidenceMode | None = Field(
        None,
        description="`locations`: say of every value where it stands in the document, and how sure it is. `quotes`: ask the "
        "model besides for a short quote of every value, for pictures whose words nobody can look up, and show it as what it "
        "says (`reason: quoted`); it costs about as many output tokens as the record. By default what the schema says, else `off`.",
        examples=["locations"],
    )
    as_version: AsVersion | None = Field(
        None,
        description="Answer with the record as readers of this version of the schema know it (a number, an alias, or "
        "`latest`): members that it does not know are left out, those that may be null and are missing are null; 422 where "
        "it cannot be read so.",
        examples=["1"],
    )
    store: bool = Field(
        False,
        description="Keep the result under `/v1/extractions/{id}`. Attempts are always kept.",
        examples=[True],
    )


NOT_SERVED: dict[str, tuple[object, str]] = {
    "cache": (False, "Only `false` is served by this release."),
}
"""Options of the design that this release does not serve: the one value that changes nothing, and what to say."""


class Input(BaseModel):
    """One document, or one part of it: exactly one of `text`, `base64`, `file_id` and `url`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = Field(None, description="The document as text.")
    base64: str | None = Field(
        None, description="The document's bytes in base 64; `media_type` says what they are."
    )
    file_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None,
        description="A file that was uploaded with `POST /v1/files`.",
        examples=["file_01kahx3v6m8q2d0z4w7y5t9r1c"],
    )
    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None,
        description="Where to fetch the document: a public `https` URL that gives it without a login. Redirects are followed; "
        "nothing of this request is sent along.",
        examples=["https://example.com/invoice.pdf"],
    )
    media_type: Annotated[str, StringConstraints(max_length=255)] | None = Field(
        None, examples=["application/pdf"]
    )
    name: Annotated[str, StringConstraints(max_length=512)] | None = Field(None, examples=["invoice.pdf"])
    password: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        None, description="Of an encrypted PDF."
    )


class Envelope(BaseModel):
    """The JSON form of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Input | None = Field(None, description="The document. Either this or `inputs`.")
    inputs: Annotated[list[Input], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Several parts that make one document, in order."
    )
    options: Options = Field(default_factory=Options)
    metadata: dict[str, str] = Field(
        default_factory=dict, description="Yours; returned with the result.", examples=[{"order": "4711"}]
    )

    @field_validator("metadata")
    @classmethod
    def _small(cls, metadata: dict[str, str]) -> dict[str, str]:
        if len(metadata) > 16 or any(len(key) > 64 or len(value) > 512 for key, value in metadata.items()):
            raise ValueError("at most 16 members, names up to 64 characters, values up to 512")
        return metadata


class InlineEnvelope(Envelope):
    """The JSON form of a request that brings its own schema."""

    schema_: dict[str, Any] | bool = Field(alias="schema", description="Any JSON Schema, draft 4 to 2020-12.")


class SchemaRef(BaseModel):
    """Which schema the record follows."""

    name: str = Field(examples=["invoice"])
    version: int | None = Field(description="null for a schema that came with the request.", examples=[1])
    digest: str = Field(examples=["sha256:4f5c…"])
    as_version: int | None = Field(
        None, description="The version that `data` was projected for; left out where it was not."
    )


MOST_SHOWN = 200
"""Pages of which a result says what the model was shown."""


class PageShown(BaseModel):
    """What the model was shown of one page, why, and about what that costs."""

    model_config = ConfigDict(populate_by_name=True)

    page: int = Field(description="Its number, from 1.", examples=[1])
    as_: Literal["text", "image", "both", "file"] = Field(
        alias="as",
        description="The page's text, a picture of it, both, or the whole file that it stands in.",
        examples=["image"],
    )
    reason: Literal["text_good", "text_poor", "no_text", "no_image", "blank", "policy"] = Field(
        description="`text_good`: the text holds what a reader of the page sees; `text_poor`: it does not (a scan with few "
        "letters, a picture, a broken text layer); `no_text`: there is none, as in a scan; `no_image`: `both` was asked for, "
        "and the page cannot be a picture; `blank`: there is nothing to show; `policy`: the option `policy` says so.",
        examples=["no_text"],
    )
    tokens: int = Field(
        description="An estimate of the input tokens that showing the page once to the model takes. What repairs, "
        "escalation or overlapping parts show again is in `usage` of the result only.",
        examples=[1105],
    )
    source: Literal["text", "ocr", "image", "mixed"] = Field(
        "text",
        description="Where its text comes from: a text layer or the format itself; `ocr`: read from the picture; `image`: what "
        "a reader sees is in the picture, and nobody has read it; `mixed`: a text layer and a picture that holds more.",
        examples=["image"],
    )
    language: str | None = Field(
        None,
        description="A hint: what most of the text is in, as ISO 639; null where that is not clear.",
        examples=["de"],
    )


class MetadataBody(BaseModel):
    """What a file says of itself. Untrusted: anybody may have written anything there."""

    title: str | None = Field(
        None, max_length=200, description="Of a message, its subject.", examples=["Invoice 2026-0417"]
    )
    author: str | None = Field(
        None, max_length=200, description="Of a message, its sender.", examples=["Acme GmbH"]
    )
    created: str | None = Field(
        None, description="ISO 8601; of a message, when it was sent.", examples=["2026-04-17T09:30:00+02:00"]
    )
    modified: str | None = Field(None, description="ISO 8601.", examples=["2026-04-18T11:00:00+02:00"])


class DocumentRef(BaseModel):
    """Which document was read, and how its pages are shown to the model."""

    digest: str = Field(description="`sha256:<hex>` of the bytes as they came.")
    media_type: str = Field(description="What the bytes are; it may differ from what was declared.")
    pages: int
    metadata: MetadataBody | None = Field(
        None,
        description="What a PDF, an office file or a message says of itself; null where it says nothing. Of several "
        "parts, the first one's.",
    )
    shown: list[PageShown] = Field(
        default_factory=list,
        max_length=MOST_SHOWN,
        description=f"The pages as the model is shown them, in order; of a longer document the first {MOST_SHOWN}. Empty in "
        "stored results that are older than this member.",
        examples=[
            [
                {
                    "page": 1,
                    "as": "text",
                    "reason": "text_good",
                    "tokens": 412,
                    "source": "text",
                    "language": "de",
                },
                {
                    "page": 2,
                    "as": "image",
                    "reason": "no_text",
                    "tokens": 1105,
                    "source": "image",
                    "language": None,
                },
            ]
        ],
    )


class FindingBody(BaseModel):
    """One thing worth knowing about one place of the record."""

    pointer: str
    rule: str
    severity: Literal["info", "warning", "error"]
    message: str


class AttemptBody(BaseModel):
    """One request to the provider."""

    model: str
    request_id: str | None
    kind: Literal["first", "segment", "retry", "repair", "escalation"] = Field(
        "first",
        description="`segment`: one part of a long document; `retry`: the provider had failed, and was asked the same again; "
        "`repair`: what was wrong was asked for again; `escalation`: a stronger model was asked.",
        examples=["repair"],
    )
    outcome: str = Field(
        description="`accepted`, `doubtful` (valid, with warnings worth a repair), `invalid`, `malformed`, `refused`, `truncated`, `filtered` or `failed:<kind>`."
    )
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: str = Field(description="Decimal dollars, up to nine places.", examples=["0.000224"])
    seconds: float


class UsageBody(BaseModel):
    """All attempts together."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: str = Field(examples=["0.000224"])


class EvidenceTerms(BaseModel):
    """How the evidence was made."""

    mode: Literal["locations", "quotes"] = Field(examples=["locations"])
    calibrated: bool = Field(
        description="Whether confidence was corrected by known mistakes; not yet.", examples=[False]
    )
    logprobs: bool = Field(
        False,
        description="Whether the model gave the log-probabilities of its tokens, so that they are part of confidence.",
        examples=[True],
    )


class Provenance(BaseModel):
    """Who said so."""

    engine: str = Field(description="`openai`, or `sandbox` for the offline provider.")
    model: str = Field(examples=["gpt-4.1-mini-2025-04-14"])
    prompt: str = Field(description="Version of the prompt.", examples=["p2"])
    examples: int | None = Field(
        None,
        description="How many of the schema's examples the model was shown before the document; left out for none. Those most "
        "like it are, within a budget; never the document itself.",
        examples=[2],
    )
    attempts: list[AttemptBody]
    evidence: EvidenceTerms | None = Field(None, description="With the option `evidence`.")


class PartBody(BaseModel):
    """One part of a long document, which is read with a call of its own."""

    first_page: int = Field(description="Its first page, from 1.", examples=[1])
    last_page: int = Field(description="Its last page; parts may share a page.", examples=[9])
    read: bool = Field(description="Whether it was read; false only in partial records.")


Edges = Annotated[list[float], Field(min_length=4, max_length=4)]


class EvidenceBody(BaseModel):
    """Where one value stands in the document. What does not apply is left out."""

    status: Literal["found", "ambiguous", "not_found", "derived", "absent"] = Field(
        description="`found`; `ambiguous`: stands at several places, and nothing tells which is meant; `not_found`: stands "
        "nowhere, probably invented; `derived`: nothing that is printed as such; `absent`: null."
    )
    page: int | None = Field(None, description="From 1.", examples=[1])
    box: Edges | None = Field(
        None,
        description="Left, top, right, bottom as shares of the page (0–1), from the top left corner.",
        examples=[[0.71, 0.82, 0.8, 0.84]],
    )
    boxes: list[Edges] | None = Field(None, description="One per line, where the value takes several.")
    span: tuple[int, int] | None = Field(
        None,
        description="Start and end in the page's text, where words have no boxes.",
        examples=[[120, 128]],
    )
    place: str | None = Field(None, description="Cell or paragraph.", examples=["Sheet1!B4"])
    quote: str | None = Field(None, description="What the document prints there.", examples=["1.280,50"])
    match: Literal["exact", "normalized", "fuzzy"] | None = None
    score: float | None = Field(None, description="How well the place says the value, 0–1.", examples=[0.95])
    confidence: float | None = Field(
        None,
        description="How sure the value is, 0–1: `support × certainty × doubt`, not calibrated. Support: found "
        "0.6 + 0.39 · score, ambiguous 0.45 + 0.3 · score, derived 0.7 (0.85 for counts, sums, positions), absent 0.75 (0.4 where left out), "
        "not_found 0.15 (0.5 where pages are pictures without words). Certainty: 0.4 + 0.6 · probability, 1 where the model "
        "gives none. Doubt: 0.5 for each error and 0.8 for each warning at the value, 0.8 and 0.95 at what contains it.",
        examples=[0.97],
    )
    probability: float | None = Field(
        None,
        description="The joint probability of the tokens that spell the value in the model's answer, where it gives them.",
        examples=[0.9987],
    )
    reason: str | None = Field(
        None,
        description="Why there is no place. Of `absent`: `null` (the model says the document does not say), `empty`, "
        "`placeholder` (a text such as `N/A` that the document does not print), `left_out` (null, though the document prints "
        "what `quote` says beside a label of that name; looked for outside of lists, beside labels with a colon). Of `derived`: `boolean`, `category`, "
        "`constant`, `code` (of a language or country), `count`, `position` (of its item in the list), `page`, `computed` "
        "(a sum, difference or product of values that were found). Of `not_found`: `no_text` (there are pictures whose words "
        "nobody knows, so that nothing follows). Of `ambiguous`: `quoted` (`quote` is what the model says is printed there).",
        examples=["null"],
    )


class ExtractionBody(BaseModel):
    """A finished extraction. `data` always validates against the schema."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(examples=["ext_01kahx3v6m8q2d0z4w7y5t9r1c"])
    status: Literal["succeeded", "partial"] = Field(
        description="`partial`, only with `allow_partial`: something is known to be missing or doubtful, see `findings`."
    )
    data: Any = Field(description="The record: exactly the caller's schema.")
    evidence: dict[str, EvidenceBody] | None = Field(
        None, description="With the option `evidence`: every value of `data` by its JSON Pointer."
    )
    findings: list[FindingBody]
    schema_: SchemaRef = Field(alias="schema")
    document: DocumentRef
    provenance: Provenance
    parts: list[PartBody] = Field(
        default_factory=list, description="In what parts a long document was read; left out for one call."
    )
    usage: UsageBody
    metadata: dict[str, str]
    created_at: str = Field(description="RFC 3339, UTC.")


class ExtractionList(BaseModel):
    """A page of stored extractions, newest first."""

    extractions: list[ExtractionBody]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one.")


class EstimateBody(BaseModel):
    """What a request will cost, without asking anybody."""

    model: str = Field(examples=["gpt-4.1-mini"])
    calls: int = Field(description="Calls to the provider when nothing fails.", examples=[1])
    pages: int
    document: DocumentRef = Field(description="What would be read, and how its pages would be shown.")
    parts: list[PartBody] = Field(
        default_factory=list, description="In what parts a long document would be read; empty for one call."
    )
    input_tokens: int = Field(description="Probably billed.")
    max_output_tokens: int = Field(description="What the answer may take at most.")
    low_usd: str = Field(description="With a short answer.", examples=["0.000712"])
    needed_usd: str = Field(
        description="With the longest answers to these calls and nothing cached: what `max_cost_usd` must allow for any of "
        "them to be made. Each further call is held against it before it is made.",
        examples=["0.0081"],
    )
    worst_usd: str = Field(
        description="With every retry, repair and escalation that `max_attempts` allows besides, each with the longest answer, "
        "at the prices of the stronger model where it may be asked.",
        examples=["0.1634"],
    )
