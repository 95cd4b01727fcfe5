"""The Akmatori server: alerts in, investigations, explained incidents out."""
