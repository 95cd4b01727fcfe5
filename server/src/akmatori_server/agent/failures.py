"""Failures of a provider, sorted by what helps against them, in words that hold no secret. Pure."""

from __future__ import annotations

import attrs
from pydantic_ai import exceptions as errors

from akmatori_server.incidents.storable import storable_text
from akmatori_server.tools.redaction import without_secrets

LONGEST_MESSAGE = 200


class EmptyAnswerError(Exception):
    """The model answered with neither text nor a call."""


class BrokenAnswerError(Exception):
    """The answer ended before it was complete."""


@attrs.frozen(kw_only=True)
class Failure:
    """One failed request."""

    sentence: str
    # Whether asking again may help.
    is_temporary: bool
    # What the provider asked for; None when it did not say.
    wait_seconds: float | None = None
    # The request has more text than the model can take.
    is_too_long: bool = False
    # The provider did not like the request itself.
    is_rejected: bool = False


@attrs.frozen(kw_only=True)
class Place:
    """Where requests go, for sentences. `secrets` are masked in what the provider says."""

    provider: str
    model: str
    base_url: str
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)


def describe(error: Exception, place: Place) -> Failure:  # noqa: PLR0911  one answer per kind
    """Say what a failed request means."""
    who = place.provider
    if isinstance(error, EmptyAnswerError):
        return Failure(
            sentence=f"The model {place.model} answered with nothing at {place.base_url}; if it always does, check"
            " the base URL and the model in the LLM settings.",
            is_temporary=True,
        )
    if isinstance(error, errors.ModelAuthenticationError):
        return Failure(
            sentence=f"{who} refused the API key; set a valid one in the LLM settings.", is_temporary=False
        )
    if isinstance(error, errors.ModelQuotaExceededError):
        return Failure(
            sentence=f"{who} says that the account's credit or quota is used up.", is_temporary=False
        )
    if isinstance(error, errors.ModelNotFoundError):
        return Failure(
            sentence=f"{who} does not know the model {place.model} at {place.base_url};"
            " check the model and the base URL in the LLM settings.",
            is_temporary=False,
        )
    if isinstance(error, errors.ModelContextWindowExceededError):
        return Failure(
            sentence=f"The conversation has more text than the model {place.model} can take.",
            is_temporary=False,
            is_too_long=True,
        )
    if isinstance(error, errors.UserError):
        said = without_secrets(str(error), place.secrets)[:LONGEST_MESSAGE]
        return Failure(
            sentence=f"The model {place.model} cannot be asked like this: {said}", is_temporary=False
        )
    if isinstance(error, errors.ModelRequestRejectedError):
        return Failure(
            sentence=f"{who} did not accept the request{_said(error, place)}",
            is_temporary=False,
            is_rejected=True,
        )
    return _temporary(error, place)


def _temporary(error: Exception, place: Place) -> Failure:
    who, wait = place.provider, getattr(error, "retry_after", None)
    if isinstance(error, errors.ModelRateLimitError):
        sentence = f"{who} limits how often it may be asked (429)."
    elif isinstance(error, errors.ModelUnavailableError):
        sentence = f"{who} is overloaded or unavailable{_status(error)}."
    elif isinstance(error, errors.ModelServerError):
        sentence = f"{who} failed with an error of its own{_status(error)}."
    elif isinstance(error, (errors.ModelTimeoutError, errors.ModelRequestTimeout)):
        sentence = f"{who} did not answer in time at {place.base_url}."
    elif isinstance(error, errors.ModelConnectionError):
        what = "cannot be reached" if error.phase in {"connect", None} else "broke the connection off"
        sentence = f"{who} {what} at {place.base_url}."
    elif isinstance(error, errors.ModelHTTPError):
        # A status that fits none of the kinds above: a proxy's 407, or a redirect.
        is_temporary = error.status_code >= 500
        return Failure(
            sentence=f"{who} answered with the status {error.status_code} at {place.base_url}.",
            is_temporary=is_temporary,
            wait_seconds=wait,
        )
    else:
        # A web page, most often: the address is of something else.
        kind = "" if isinstance(error, errors.UnexpectedModelBehavior) else f" ({type(error).__name__})"
        sentence = (
            f"{who} gave an answer at {place.base_url} that is none of a model's API{kind}; check the base URL in"
            " the LLM settings."
        )
    return Failure(sentence=sentence, is_temporary=True, wait_seconds=wait)


def _status(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    return f" ({status})" if isinstance(status, int) else ""


def _said(error: errors.ModelAPIError, place: Place) -> str:
    """Quote the provider, which may repeat what it was sent."""
    body: object = error.body
    message: object = None
    while isinstance(body, dict):
        message = body.get("message")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # any JSON
        body = body.get("error") if not isinstance(message, str) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # any JSON
    if not isinstance(message, str) or not message.strip():
        return f"{_status(error)}."
    quoted = " ".join(storable_text(without_secrets(message, place.secrets)).split())
    return f"{_status(error)}: “{quoted[:LONGEST_MESSAGE]}”."
