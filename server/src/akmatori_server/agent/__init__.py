"""Investigations by a language model that works with the installation's tools.

The loop is a plain one: ask the model, make the calls it asks for, ask again. Each whole message is stored
before anything follows from it, so that another process can go on where this one died. pydantic-ai speaks to
the providers; it is imported by the first investigation that needs it, not with the server.
"""
