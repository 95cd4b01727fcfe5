"""The models of the Aotanami API: every class and alias a call takes or returns.

from akmatori_sdk.aotanami import Incident
"""

# See the package's own __init__: `typing` is not worth its import here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from akmatori_sdk._generated.aotanami.models import *  # noqa: F403 - the generator knows the names


if not TYPE_CHECKING:
    # Type checkers must not see it: they would take any misspelt name for an object.
    def __getattr__(name: str) -> object:
        from akmatori_sdk._core.facade import own_names
        from akmatori_sdk._generated.aotanami import models

        if name not in own_names(models):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(models, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    from akmatori_sdk._core.facade import own_names
    from akmatori_sdk._generated.aotanami import models

    return own_names(models)
