"""Serve the people who manage customers, lists, imports and assignments."""
