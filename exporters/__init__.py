"""Exporters: one module per dataset format."""
