"""Why a model name cannot be used. All of them are faults of the request: another name cures them."""

from service.foundation.errors import BadRequest


class UnknownModel(BadRequest):
    """The name is neither an alias nor a snapshot of the catalogue."""

    code = "unknown_model"
    title = "Unknown model"
    hint = "Use one of the models that `GET /v1/models` lists."


class RetiredModel(BadRequest):
    """The provider has switched the model off; the detail names the successor."""

    code = "model_retired"
    title = "The model has been retired"
    hint = "Use the successor named in the detail."


class UnpricedModel(BadRequest):
    """The model is known, its price is not, so no cost cap could be held."""

    code = "model_unpriced"
    title = "The model's price is not known"
    hint = "Use a model that has a price in `GET /v1/models`."
