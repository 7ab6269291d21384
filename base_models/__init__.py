"""Base models: what answers with boxes and masks."""
