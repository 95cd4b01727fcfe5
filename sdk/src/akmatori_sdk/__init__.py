"""Typed clients for the Akmatori and Aotanami APIs.

    from akmatori_sdk import Akmatori

    with Akmatori(base_url="https://akmatori.example.com", api_key="...") as client:
        for incident in client.incidents.list():
            print(incident.uuid, incident.status)

`AsyncAkmatori`, `Aotanami` and `AsyncAotanami` are made and used the same way. The models are in
`akmatori_sdk.akmatori` and `akmatori_sdk.aotanami`. Names are loaded when they are first used (PEP 562), so
that importing the package costs next to nothing.
"""

# Importing `typing` would cost more than all the rest; type checkers take any TYPE_CHECKING as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from akmatori_sdk._clients.akmatori import Akmatori
    from akmatori_sdk._clients.aotanami import Aotanami
    from akmatori_sdk._clients.async_akmatori import AsyncAkmatori
    from akmatori_sdk._clients.async_aotanami import AsyncAotanami
    from akmatori_sdk._core.clock import Clock
    from akmatori_sdk._core.errors import (
        AkmatoriError,
        BadRequestError,
        ConfigError,
        ConflictError,
        ConnectError,
        DeadlineExceededError,
        DecodeError,
        Delivery,
        ForbiddenError,
        NotFoundError,
        PaginationError,
        RateLimitedError,
        RequestTimeoutError,
        Sent,
        ServerError,
        StatusError,
        TransportError,
        UnauthorizedError,
        UnavailableError,
        UnprocessableError,
        WaitTimeoutError,
    )
    from akmatori_sdk._core.files import Upload
    from akmatori_sdk._core.model import UNSET, Model, Unset
    from akmatori_sdk._core.options import CallOptions, RetryPolicy, Timeout
    from akmatori_sdk._core.paging import AsyncPager, Pager
    from akmatori_sdk._core.response import Response
    from akmatori_sdk._core.streams import AsyncEventStream, EventStream
    from akmatori_sdk._core.walk import Page, PageRef
    from akmatori_sdk.ext.async_tail import AsyncTail
    from akmatori_sdk.ext.tail import Tail

__version__ = "0.1.0"

__all__ = (
    "UNSET",
    "Akmatori",
    "AkmatoriError",
    "Aotanami",
    "AsyncAkmatori",
    "AsyncAotanami",
    "AsyncEventStream",
    "AsyncPager",
    "AsyncTail",
    "BadRequestError",
    "CallOptions",
    "Clock",
    "ConfigError",
    "ConflictError",
    "ConnectError",
    "DeadlineExceededError",
    "DecodeError",
    "Delivery",
    "EventStream",
    "ForbiddenError",
    "Model",
    "NotFoundError",
    "Page",
    "PageRef",
    "Pager",
    "PaginationError",
    "RateLimitedError",
    "RequestTimeoutError",
    "Response",
    "RetryPolicy",
    "Sent",
    "ServerError",
    "StatusError",
    "Tail",
    "Timeout",
    "TransportError",
    "UnauthorizedError",
    "UnavailableError",
    "UnprocessableError",
    "Unset",
    "Upload",
    "WaitTimeoutError",
    "__version__",
)

_HOME = {
    "_clients.akmatori": "Akmatori",
    "_clients.aotanami": "Aotanami",
    "_clients.async_akmatori": "AsyncAkmatori",
    "_clients.async_aotanami": "AsyncAotanami",
    "_core.clock": "Clock",
    "_core.files": "Upload",
    "_core.model": "UNSET Model Unset",
    "_core.options": "CallOptions RetryPolicy Timeout",
    "_core.paging": "AsyncPager Pager",
    "_core.response": "Response",
    "_core.streams": "AsyncEventStream EventStream",
    "_core.walk": "Page PageRef",
    "ext.async_tail": "AsyncTail",
    "ext.tail": "Tail",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}


if not TYPE_CHECKING:
    # Type checkers must not see it: they would take any misspelt name for an object.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        # What has no home of its own lives with the errors.
        value: object = getattr(import_module(f"{__name__}.{_MODULE_OF.get(name, '_core.errors')}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
