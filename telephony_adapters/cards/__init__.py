"""The bodies of the numbered adapter cards, and the bench they are run on (telephony_adapters.conformance)."""
