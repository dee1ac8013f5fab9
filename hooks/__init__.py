"""A hook is a moment in the clinical workflow (CDS Hooks); this package holds what we have to say then, and why.

Pure medicine: it imports the standard library only, and never reads the clock.
"""

from hooks.assess import Service
from hooks.order_select import ORDER_SELECT
from hooks.order_sign import ORDER_SIGN
from hooks.patient_view import PATIENT_VIEW

SERVICES: tuple[Service, ...] = (ORDER_SIGN, ORDER_SELECT, PATIENT_VIEW)

__all__ = ["SERVICES", "Service"]
