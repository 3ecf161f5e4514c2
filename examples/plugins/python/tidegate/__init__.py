"""What a plugin has at hand. An author need not read further: `contract.py` has the records, the other files are glue."""

from .contract import *  # noqa: F403 (the records of the contract)
from .errors import Failed, Skip
from .glue import Context, Custom, Event, Interpretation, Item, Response, Trigger, contact, plugin
from .read import Reader

__all__ = [  # noqa: F405
    "Address", "Appointment", "Cart", "Case", "ConnectionChange", "Consent", "ContactChange", "ContactInfo", "Context", "Custom",
    "Deal", "Entity", "Event", "Failed", "Field", "Form", "Interpretation", "Item", "Lead", "LineItem", "Media", "Message", "Money",
    "Order", "Phone", "Pricing", "ProviderError", "Reader", "Referral", "Response", "Sender", "Shipment", "Skip", "Status", "Template",
    "Trigger", "contact", "plugin",
]
