"""HTTP: which models there are, what they cost, and until when."""

from fastapi import APIRouter, Request

from service.foundation import clock
from service.upstream.client import Upstream
from service.upstream.wire import ModelList, describe

router = APIRouter(prefix="/v1/models", tags=["Models"])


@router.get("", summary="List models", operation_id="list_models")
async def list_models(request: Request) -> ModelList:
    """The catalogue: prices, limits, capabilities, the day each stops, and what follows it."""
    parts = request.app.state.parts
    upstream: Upstream = parts.upstream
    today = clock.now().date()
    return ModelList(
        default=parts.settings.extraction.model,
        models=[describe(model, upstream.catalogue, today=today) for model in upstream.catalogue.models],
    )
