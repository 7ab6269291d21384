"""Open-vocabulary auto-labeling: from videos and class names in plain words to a dataset."""
