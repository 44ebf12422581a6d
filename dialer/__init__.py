"""An event-driven predictive dialer with a CDR pipeline."""
