"""What came back, as a value or as a sentence that says what to do."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.credentials import chosen_auth
from akmatori_server.kits.http_api.form import Content, HttpForm, Request, Scheme
from akmatori_server.kits.http_api.functions import ANSWERS
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.outgoing.errors import OutgoingError, Reason
from akmatori_server.outgoing.models import OutgoingAnswer, OutgoingRequest
from akmatori_server.outgoing.target import parsed_target
from akmatori_server.toolbox.models import OutcomeUnknownError, Output, ToolFailedError
from akmatori_server.tools.redaction import without_secrets

LONGEST_ERROR = 500


def output_of(
    form: HttpForm, request: Request, scope: Scope, sent: OutgoingRequest, answer: OutgoingAnswer
) -> Output:
    """Return what a request gave.

    Raises:
        ToolFailedError: the other side refused it, or its answer cannot be used.
    """
    if not 200 <= answer.status < 300:
        raise ToolFailedError(refusal(form, request, scope, sent, answer))
    if request.content is Content.TEXT:
        return Output(value=answer.text, is_truncated=answer.is_truncated)
    if not answer.body.strip():
        return Output(value={"status": answer.status})
    value = _value(request, answer)
    if isinstance(value, str) and request.content is Content.ANY:
        return Output(value=value, is_truncated=answer.is_truncated)
    if value is None and answer.is_truncated:
        raise ToolFailedError(
            f"The answer is larger than {request.most_bytes // 1024**2} MiB; ask for less, by a filter or a limit."
        )
    if value is None:
        raise ToolFailedError(
            f"{_host(answer.url)} did not answer with JSON; check {request.base_url or form.base_url} in the tool's"
            " settings, it may be the address of a login page."
        )
    picked = _picked(form, request, value)
    return Output(value=ANSWERS[request.answer](picked, scope) if request.answer else picked)


def refusal(
    form: HttpForm, request: Request, scope: Scope, sent: OutgoingRequest, answer: OutgoingAnswer
) -> str:
    """Say what a status means, what to do about it, and what the other side says."""
    said = "" if "html" in answer.content_type else " ".join(answer.text.split())
    said = without_secrets(said, sent.secrets)[:LONGEST_ERROR]
    hint = _hint(form, request, scope, answer)
    return f"{_host(answer.url)} answered {answer.status}: {hint}{f' It says: {said}' if said else ''}"


def failure(form: HttpForm, request: Request, error: OutgoingError) -> ToolFailedError:
    """Say what to do about an answer that did not come."""
    base = request.base_url or form.base_url
    hints = {
        Reason.REFUSED: "",
        Reason.TIMEOUT: f" Ask for less, or raise {form.timeout} in the tool's settings.",
        Reason.TLS: (
            f" If the certificate is that of a private authority, {_tls_hint(form)} in the tool's settings."
        ),
        Reason.CONNECTION: f" Check {base} in the tool's settings, and whether the service runs.",
        Reason.BROKEN: "",
        Reason.PROTOCOL: f" Check {base} in the tool's settings.",
    }
    sentence = f"{error}{hints[error.reason]}"
    return OutcomeUnknownError(sentence) if error.may_have_arrived else ToolFailedError(sentence)


def _value(request: Request, answer: OutgoingAnswer) -> JSON:
    if answer.is_truncated:
        return answer.text if request.content is Content.ANY else None
    try:
        return answer.json()
    except ValueError:
        return answer.text if request.content is Content.ANY else None


def _picked(form: HttpForm, request: Request, value: JSON) -> JSON:
    if not request.pick:
        return value
    if isinstance(value, dict) and request.pick in value:
        return value[request.pick]
    if request.content is Content.ANY:
        return value
    raise ToolFailedError(f"The answer has no {request.pick}; check {form.base_url} in the tool's settings.")


def _hint(form: HttpForm, request: Request, scope: Scope, answer: OutgoingAnswer) -> str:
    auth = chosen_auth(form, scope.settings)
    base = request.base_url or form.base_url
    secret = auth.secret or (
        "the login" if auth.scheme is Scheme.LOGIN else form.auth.by or "the credentials"
    )
    if 300 <= answer.status < 400:
        return f"it redirects, which is not followed here; check {base} in the tool's settings."
    hints = {
        401: f"it does not accept the credentials; check {secret} in the tool's settings.",
        403: f"the account of {secret} may not do this; it needs the permission for it.",
        404: f"there is no such thing; check the arguments, or {base} in the tool's settings.",
        407: "the proxy wants a login; check the proxy settings.",
        429: "there were too many requests; wait, and ask for less.",
    }
    if answer.status in hints:
        return hints[answer.status]
    if answer.status >= 500:
        return "the service has a problem of its own."
    return "it does not take the request like this; check the arguments."


def _tls_hint(form: HttpForm) -> str:
    return (
        f"put it into {form.ca_pem}, or switch {form.verify_tls} off"
        if form.ca_pem
        else f"switch {form.verify_tls} off"
    )


def _host(url: str) -> str:
    return parsed_target(url).place
