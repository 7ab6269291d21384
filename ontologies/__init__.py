"""The text ontology: which classes to find, and the words that mean them."""

from autolabel.ontologies.ontology import Ontology, OntologyClass, preset_names

__all__ = ["Ontology", "OntologyClass", "preset_names"]
