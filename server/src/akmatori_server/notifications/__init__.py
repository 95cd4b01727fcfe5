"""Telling people: about incidents and what awaits their approval, in Slack and wherever Apprise reaches."""
