"""Who may call. Smallest form: one key for everybody, or none on loopback."""

from service.access.keys import Caller, Gate, Settings, is_loopback

__all__ = ["Caller", "Gate", "Settings", "is_loopback"]
