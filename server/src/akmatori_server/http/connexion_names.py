"""The names of connexion that this package uses, and the only place that imports them."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Connexion uses what Starlette and jsonschema call deprecated; all three are pinned, so nothing changes under us.
    warnings.simplefilter("ignore")
    from connexion import ConnexionMiddleware
    from connexion.exceptions import InvalidSpecification, ProblemException
    from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware, SpecMiddleware
    from connexion.middleware.lifespan import LifespanMiddleware
    from connexion.middleware.main import API
    from connexion.middleware.security import SecurityMiddleware
    from connexion.resolver import Resolver
    from connexion.security import NO_VALUE
    from connexion.spec import OpenAPISpecification

__all__ = [
    "API",
    "NO_VALUE",
    "ROUTING_CONTEXT",
    "ConnexionMiddleware",
    "InvalidSpecification",
    "LifespanMiddleware",
    "OpenAPISpecification",
    "ProblemException",
    "Resolver",
    "RoutedAPI",
    "RoutedMiddleware",
    "SecurityMiddleware",
    "SpecMiddleware",
]
