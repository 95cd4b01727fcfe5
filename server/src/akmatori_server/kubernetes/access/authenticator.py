"""Tokens of a cluster beside our own keys and tokens, for Aotanami's paths alone."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from akmatori_server.errors import Forbidden, Unauthorized, Unavailable
from akmatori_server.http.call import Caller
from akmatori_server.http.security import Authenticator, Requested
from akmatori_server.kubernetes.access.model import Admitted, NotAllowed, Question, Verdict, Verifier
from akmatori_server.kubernetes.access.verdicts import Key, Verdicts

BASE_PATH = "/api/v1"
# Tokens of a cluster have 1 to 2 KiB; what is longer is not looked at.
LONGEST_TOKEN = 8 * 1024
# Tokens that are verified at once, so that a slow API server holds up nobody but those who need it.
PLACES = 8
WAIT_SECONDS = 10.0
REALM = 'Bearer realm="API", error="invalid_token"'


class KubernetesAuthenticator:
    """Asks whether a credential is ours; else, below `/api/v1`, whether the cluster knows it."""

    def __init__(self, ours: Authenticator, verifier: Verifier, *, verdicts: Verdicts | None = None) -> None:
        self._ours = ours
        self._verifier = verifier
        self._verdicts = verdicts or Verdicts()
        self._places = asyncio.Semaphore(PLACES)
        # What is being verified now: many requests that come at once with one token ask once.
        self._running: dict[Key, asyncio.Task[Verdict]] = {}

    async def authenticate(self, credential: str, requested: Requested, /) -> Caller | None:
        """Return whose a credential is.

        Raises:
            Unauthorized: a token of a cluster is not good; the sentence says why.
            Forbidden: it is, but not for this request.
            Unavailable: nobody can say now.
        """
        caller = await self._ours.authenticate(credential, requested)
        # A token of a cluster must never open the other system.
        if caller is not None or requested.base_path != BASE_PATH or not credential:
            return caller
        if len(credential) > LONGEST_TOKEN or not credential.isascii() or not credential.isprintable():
            raise Unauthorized(f"A token is printable and has {LONGEST_TOKEN} bytes at most.", realm=REALM)
        verdict = await self._verdict(credential, Question(requested.method.lower(), requested.path))
        if isinstance(verdict, Admitted):
            return verdict.caller
        if isinstance(verdict, NotAllowed):
            raise Forbidden(verdict.sentence)
        raise Unauthorized(verdict.sentence, realm=REALM)

    async def _verdict(self, token: str, question: Question) -> Verdict:
        key = self._verdicts.key(token, question)
        known = self._verdicts.get(key)
        if known is not None:
            return known
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._verify(token, question))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        # Whoever goes away while it is verified takes nothing away from the others.
        return await asyncio.shield(task)

    async def _verify(self, token: str, question: Question) -> Verdict:
        try:
            await asyncio.wait_for(self._places.acquire(), WAIT_SECONDS)
        except TimeoutError:
            raise Unavailable("Too many tokens wait to be verified; try again.") from None
        try:
            return await run_in_threadpool(self._verifier.verify, token, question)
        finally:
            self._places.release()

    def _finish(self, key: Key, done: asyncio.Task[Verdict]) -> None:
        self._running.pop(key, None)
        if not done.cancelled() and done.exception() is None:
            self._verdicts.put(key, done.result())
