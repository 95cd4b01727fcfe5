"""What came back, as a value or as a sentence that says what to do."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.credentials import credential_names
from akmatori_server.kits.http_api.form import Content, HttpForm, Request
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
        raise refusal(form, request, scope, sent, answer)
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
    picked = _picked(form, request, sent, answer, value)
    return Output(value=ANSWERS[request.answer](picked, scope) if request.answer else picked)


def refusal(
    form: HttpForm, request: Request, scope: Scope, sent: OutgoingRequest, answer: OutgoingAnswer
) -> ToolFailedError:
    """Say what a status means, what to do about it, and what the other side says."""
    said = "" if "html" in answer.content_type else _line(answer.text, sent)
    head = f"{_host(answer.url)} answered {answer.status}:"
    sentence = f"{head} {_hint(form, request, scope, answer)}{f' It says: {said}' if said else ''}"
    return ToolFailedError(sentence, setup=f"{head} {_setup_hint(form, request, scope, answer)}")


def failure(form: HttpForm, request: Request, error: OutgoingError) -> ToolFailedError:
    """Say what to do about an answer that did not come."""
    base = request.base_url or form.base_url
    hints = {
        Reason.REFUSED: "",
        Reason.TIMEOUT: f" Ask for less, or raise {form.timeout} in the tool's settings.",
        Reason.TLS: (
            f" If the certificate is that of a private authority, {_tls_hint(form)} in the tool's settings."
        ),
        Reason.NOT_TLS: f" Write http:// instead of https:// into {base} in the tool's settings, or check its port.",
        Reason.CONNECTION: f" Check {base} in the tool's settings, and whether the service runs.",
        Reason.BROKEN: "",
        Reason.PROTOCOL: f" Check {base} in the tool's settings.",
    }
    setups = {
        Reason.TIMEOUT: (
            f" Check {base} in the tool's settings, and whether a firewall is on the way; or raise {form.timeout}."
        ),
        Reason.BROKEN: f" Check {base} in the tool's settings, also whether it is http:// or https://.",
        Reason.PROTOCOL: f" Check {base} in the tool's settings, also whether it is http:// or https://.",
    }
    failed = OutcomeUnknownError if error.may_have_arrived else ToolFailedError
    hint = hints[error.reason]
    return failed(f"{error}{hint}", setup=f"{error}{setups.get(error.reason, hint)}")


def _value(request: Request, answer: OutgoingAnswer) -> JSON:
    if answer.is_truncated:
        return answer.text if request.content is Content.ANY else None
    try:
        return answer.json()
    except ValueError:
        return answer.text if request.content is Content.ANY else None


def _picked(
    form: HttpForm, request: Request, sent: OutgoingRequest, answer: OutgoingAnswer, value: JSON
) -> JSON:
    if not request.pick:
        return value
    if isinstance(value, dict) and value.get("status") == "error":
        # The query API of Prometheus, which need not say so with the status of HTTP.
        said = _line(str(value.get("error") or "it does not say which"), sent)
        raise ToolFailedError(f"{_host(answer.url)} answered with an error: {said}")
    if isinstance(value, dict) and request.pick in value:
        return value[request.pick]
    if request.content is Content.ANY:
        return value
    raise ToolFailedError(f"The answer has no {request.pick}; check {form.base_url} in the tool's settings.")


def _hint(form: HttpForm, request: Request, scope: Scope, answer: OutgoingAnswer) -> str:
    base = request.base_url or form.base_url
    secret = credential_names(form, scope.settings) or "the credentials"
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


def _setup_hint(form: HttpForm, request: Request, scope: Scope, answer: OutgoingAnswer) -> str:
    """Say the same of a call whose arguments are right, for they are ours."""
    base = request.base_url or form.base_url
    hints = {
        404: f"there is no such thing; check {base} in the tool's settings.",
        429: "there were too many requests; wait a little, and try it again.",
    }
    if answer.status in {401, 403, 407} or answer.status < 400 or answer.status >= 500:
        usual = _hint(form, request, scope, answer)
        return usual if answer.status < 500 else f"{usual[:-1]}; look into its log, and try it again later."
    return hints.get(answer.status, f"it does not take the request; check {base} in the tool's settings.")


def _line(text: str, sent: OutgoingRequest) -> str:
    """Return what the other side says as one line, without secrets."""
    return without_secrets(" ".join(text.split()), sent.secrets)[:LONGEST_ERROR]


def _tls_hint(form: HttpForm) -> str:
    return (
        f"put it into {form.ca_pem}, or switch {form.verify_tls} off"
        if form.ca_pem
        else f"switch {form.verify_tls} off"
    )


def _host(url: str) -> str:
    return parsed_target(url).place
