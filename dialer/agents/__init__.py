"""Agents' desks over MQTT: where the broker is and how to connect; the link itself comes with the desks."""
