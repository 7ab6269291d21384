"""Students: small detectors that learn from datasets."""
