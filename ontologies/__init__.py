"""The text ontology: which classes to find, and the words that mean them."""
