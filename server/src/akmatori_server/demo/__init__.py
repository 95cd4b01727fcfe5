"""The demonstration: one alert, as Alertmanager really sends it, from delivery to report."""

from akmatori_server.demo.command import RunningServer, run, temporary_server

__all__ = ["RunningServer", "run", "temporary_server"]
