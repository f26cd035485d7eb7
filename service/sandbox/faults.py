"""The HTTP failures that scenarios ask for, in the provider's words (contract section 5)."""

from collections.abc import Mapping

from service.sandbox.errors import ProviderError
from service.sandbox.limits import rate_limited

__all__ = ["GatewayError", "fault"]

_HTML = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)


class GatewayError(ProviderError):
    """A 502 from the gateway in front of the provider: its body is HTML."""

    html = _HTML


def fault(kind: str, model: str, organization: str, headers: Mapping[str, str]) -> ProviderError:
    """The failure of one kind named in `scenarios`."""
    match kind:
        case "429":
            return rate_limited(
                model, organization, "requests", "requests per min (RPM)", 500, 500, 1, 0.12, dict(headers)
            )
        case "quota":
            return ProviderError(
                429,
                "You exceeded your current quota, please check your plan and billing details. For more information "
                "on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
                type="insufficient_quota",
                code="insufficient_quota",
            )
        case "401":
            return ProviderError(
                401,
                "Incorrect API key provided: sk-sandbox. You can find your API key at "
                "https://platform.openai.com/account/api-keys.",
                code="invalid_api_key",
            )
        case "502-html":
            return GatewayError(502, "Bad Gateway", type=None)
        case "overloaded":
            return ProviderError(
                503,
                "The model is currently overloaded. Please try again later.",
                type="service_unavailable_error",
                code="server_is_overloaded",
                headers={"retry-after": "1", "retry-after-ms": "200"},
            )
        case _:
            return ProviderError(
                500,
                "The server had an error while processing your request. Sorry about that!",
                type="server_error",
                code="server_error",
            )
