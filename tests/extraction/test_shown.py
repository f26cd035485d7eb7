"""What a result and an estimate say of the pages that the model is shown."""

import base64
import io
import json
from typing import Any, get_args

import httpx2
import pytest

from service.catalogue import Catalogue, image_tokens, text_tokens, text_tokens_about
from service.documents import Document, Image, Page
from service.extraction.prompt import Reason, Showing, choice, parts
from service.extraction.shown import pages_shown
from service.extraction.wire import MOST_SHOWN, Detail, DocumentRef, PageShown, Policy
from service.foundation.errors import BadRequest
from service.upstream import Call, ImagePart, ResponseFormat, TextPart, expected
from tests.extraction.long import made

CATALOGUE = Catalogue.load()
MODEL = CATALOGUE.find("gpt-4.1-mini")
PICTURE = Image("image/png", b"png", 1240, 1754)
SCHEMA = {"type": "object", "properties": {"total": {"type": ["number", "null"]}}, "required": ["total"]}

GOOD = Page(1, "Total 5")
POOR = Page(1, "T0t", image=PICTURE)
SCAN = Page(1, " \n", image=PICTURE)
READ = Page(1, "Total 5", image=PICTURE, source="ocr")
PHOTO = Page(1, "", image=PICTURE, source="ocr")
BLANK = Page(1, " \n")
CASES: list[tuple[Page, Policy, Showing, Reason]] = [
    (GOOD, "auto", "text", "text_good"),
    (POOR, "auto", "image", "text_poor"),
    (SCAN, "auto", "image", "no_text"),
    (BLANK, "auto", "text", "blank"),
    (GOOD, "text", "text", "policy"),
    (POOR, "text", "text", "policy"),
    (BLANK, "text", "text", "blank"),
    (POOR, "image", "image", "policy"),
    (SCAN, "image", "image", "policy"),
    (GOOD, "both", "text", "no_image"),
    (POOR, "both", "both", "policy"),
    (SCAN, "both", "image", "no_text"),
    (BLANK, "both", "text", "blank"),
    (READ, "auto", "image", "no_text"),
    (READ, "text", "text", "policy"),
    (READ, "both", "image", "no_text"),
    (PHOTO, "text", "text", "blank"),
]


def document(*pages: Page) -> Document:
    return Document("sha256:x", "application/pdf", "x.pdf", 1, pages)


@pytest.mark.parametrize(("page", "policy", "showing", "reason"), CASES)
def test_the_choice_is_what_is_sent(page: Page, policy: Policy, showing: Showing, reason: Reason) -> None:
    """What is said of a page is what the message holds of it: its text, its image, or both."""
    assert choice(page, policy) == (showing, reason)
    sent = parts(document(page), policy, "auto")
    assert any(isinstance(part, ImagePart) for part in sent) == (showing in ("image", "both"))
    text = "".join(part.text for part in sent if isinstance(part, TextPart))
    assert (page.text.strip() in text and bool(text)) == (showing != "image" and reason != "blank")


@pytest.mark.parametrize(("page", "policy"), [(GOOD, "image"), (BLANK, "image"), (SCAN, "text")])
def test_what_cannot_be_shown_is_refused(page: Page, policy: Policy) -> None:
    """A policy that a page cannot serve is refused here as it is by the message."""
    with pytest.raises(BadRequest):
        parts(document(page), policy, "auto")
    with pytest.raises(BadRequest):
        choice(page, policy)


def test_every_reason_happens_and_is_described() -> None:
    """The reasons of the code, of the cases above and of the published description are the same."""
    assert {reason for *_, reason in CASES} == set(get_args(Reason))
    described = PageShown.model_json_schema()["properties"]
    assert described["reason"]["enum"] == list(get_args(Reason))
    assert described["as"]["enum"] == list(get_args(Showing))
    for reason in get_args(Reason):
        assert f"`{reason}`" in described["reason"]["description"]


@pytest.mark.parametrize("detail", ["low", "high", "auto"])
@pytest.mark.parametrize("name", ["gpt-4.1-mini", "gpt-4o", "gpt-6-luna"])
def test_images_cost_what_the_estimate_reckons(name: str, detail: Detail) -> None:
    """Pages shown as images add up to what the estimate of the call adds for them, at every detail."""
    model = CATALOGUE.find(name)
    pages = [Page(number, "", image=Image("image/png", b"", 600 * number, 900)) for number in (1, 2, 3)]
    shown = pages_shown(document(*pages), model=model, policy="auto", detail=detail)
    assert [one.page for one in shown] == [1, 2, 3]
    sent = parts(document(*pages), "auto", detail)
    images = tuple(part for part in sent if isinstance(part, ImagePart))
    assert len(images) == 3
    form = ResponseFormat("x", {}, b"{}")
    costs = [
        expected(Call(name, "", some, form, 16), model, output_tokens=16).input_tokens
        for some in (images, ())
    ]
    assert sum(one.tokens for one in shown) == costs[0] - costs[1] > 0


def test_both_costs_text_and_image() -> None:
    """A page that is shown twice costs the sum; of one shown as an image its text costs nothing."""
    page = Page(1, "word " * 100, image=PICTURE)
    costs = {
        policy: pages_shown(document(page), model=MODEL, policy=policy, detail="auto")[0].tokens
        for policy in get_args(Policy)
    }
    assert costs["both"] == costs["text"] + costs["image"]
    assert costs["auto"] == costs["image"] == image_tokens(MODEL, 1240, 1754, "auto")
    assert costs["text"] > 0
    (blank,) = pages_shown(document(BLANK), model=MODEL, policy="auto", detail="auto")
    assert blank.tokens == 0


@pytest.mark.parametrize(
    "text",
    [
        "Invoice number: 2026-0417\nSeller: Acme GmbH, Berlin\nPlease pay the whole amount within 30 days.\n",
        "2026-03-01   Card payment 4711     -1,280.50     10,233.17\n",
        "Rechnung über Bürobedarf: fünf Stühle à 89,90 €, Überweisung bis spätestens 31. März\n",
        "請求書番号 2026-0417 合計金額 128,050円 お支払い期限は三月末日です\n",
        "Счёт № 417 от 3 марта 2026 г. на сумму 12 805 рублей, НДС не облагается\n",
    ],
)
def test_the_guess_is_near_the_count(text: str) -> None:
    """Without an encoder, the tokens of a page are told within a factor of two, whatever its script."""
    real = text_tokens(text * 20)
    assert real / 2 < text_tokens_about(text * 20) < real * 2


def test_lone_surrogates_are_guessed() -> None:
    """Text that no UTF-8 can hold does not raise."""
    assert text_tokens_about("a\ud800b") > 0


def test_the_list_is_capped() -> None:
    """Of a document of more pages the first are told; the published bound is the one that holds."""
    pages = [Page(number, "Total 5") for number in range(1, MOST_SHOWN + 51)]
    shown = pages_shown(document(*pages), model=MODEL, policy="auto", detail="auto")
    assert [one.page for one in shown] == list(range(1, 201))
    assert DocumentRef.model_json_schema()["properties"]["shown"]["maxItems"] == 200


def picture() -> str:
    from PIL import Image as Pictures

    data = io.BytesIO()
    Pictures.new("RGB", (640, 480), "white").save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


async def test_result_and_estimate_say_the_same(client: httpx2.AsyncClient) -> None:
    """Page by page, in the answer, in the stored result and in the estimate."""
    inputs = [{"text": "INVOICE 2026-0417\nTotal: 1280.50"}, {"base64": picture(), "media_type": "image/png"}]
    answer = await client.post("/v1/extract/order", json={"inputs": inputs, "options": {"store": True}})
    assert answer.status_code == 200, answer.text
    told = answer.json()["document"]
    assert told["pages"] == 2
    text, image = told["shown"]
    assert 5 < text.pop("tokens") < 40
    assert text == {"page": 1, "as": "text", "reason": "text_good", "source": "text", "language": None}
    assert image == {
        "page": 2,
        "as": "image",
        "reason": "no_text",
        "tokens": image_tokens(MODEL, 640, 480, "auto"),
        "source": "image",
        "language": None,
    }
    estimate = await client.post("/v1/estimate/order", json={"inputs": inputs})
    assert estimate.status_code == 200, estimate.text
    again = answer.json()["document"]
    assert estimate.json()["document"] == again
    stored = await client.get(f"/v1/extractions/{answer.json()['id']}")
    assert stored.json()["document"] == again
    (listed,) = (await client.get("/v1/extractions")).json()["extractions"]
    assert listed["document"] == again


async def test_the_options_decide(client: httpx2.AsyncClient) -> None:
    """`policy`, `pages` and `model` of the request are those that the list follows."""
    body: dict[str, Any] = {"inputs": [{"base64": picture(), "media_type": "image/png"}] * 3}
    body["options"] = {"policy": "image", "pages": "2-3", "model": "gpt-4o", "detail": "low"}
    told = (await client.post("/v1/estimate/order", json=body)).json()["document"]
    assert told["shown"] == [
        {"page": page, "as": "image", "reason": "policy", "tokens": 85, "source": "image", "language": None}
        for page in (2, 3)
    ]


async def test_a_document_read_in_parts_lists_each_page_once(client: httpx2.AsyncClient) -> None:
    """However many calls it takes, a page stands in the list once; the sum is near what the calls take in."""
    data = made.statement(1, 30).pdf()
    answer = await client.post(
        "/v1/estimate/bank_statement", content=data, headers={"content-type": "application/pdf"}
    )
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["calls"] > 1
    shown = body["document"]["shown"]
    assert [one["page"] for one in shown] == list(range(1, 31))
    assert {one["as"] for one in shown} == {"text"}
    assert 0 < sum(one["tokens"] for one in shown) < body["input_tokens"]


async def test_results_stored_before_are_still_listed(client: httpx2.AsyncClient) -> None:
    """A stored result without the member is listed, with an empty list."""
    from sqlalchemy import update

    from service.extraction.store import extractions

    answer = await client.post(
        "/v1/extract", json={"schema": SCHEMA, "input": {"text": "Total: 5"}, "options": {"store": True}}
    )
    assert answer.status_code == 200, answer.text
    older = answer.json()
    del older["document"]["shown"]
    await client.app.state.parts.database.write(
        lambda connection: connection.execute(update(extractions).values(result=json.dumps(older)))
    )
    (listed,) = (await client.get("/v1/extractions")).json()["extractions"]
    assert listed["document"]["shown"] == []
    assert listed["id"] == older["id"]


async def test_the_description_holds_it(client: httpx2.AsyncClient) -> None:
    """OpenAPI: result and estimate refer to one document, whose pages have descriptions and examples."""
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    reference = "#/components/schemas/DocumentRef"
    for name in ("ExtractionBody", "EstimateBody"):
        assert reference in json.dumps(schemas[name]["properties"]["document"])
        assert "document" in schemas[name]["required"]
    shown = schemas["DocumentRef"]["properties"]["shown"]
    assert shown["items"] == {"$ref": "#/components/schemas/PageShown"}
    for example in shown["examples"][0]:
        assert PageShown.model_validate(example).model_dump(by_alias=True) == example
    for member in schemas["PageShown"]["properties"].values():
        assert member["description"]
        assert member["examples"]
    assert set(schemas["PageShown"]["required"]) == {"page", "as", "reason", "tokens"}
