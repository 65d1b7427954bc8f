"""Occupations and skills: what they are called, how they hang together (see README.md here).

taxonomy = load(place(settings.taxonomy_file, settings.taxonomy_dir))
taxonomy.concepts["isco-08:7212"].labels["zh"]
"""

from shared.taxonomy.model import Concept, Kind, Region, Taxonomy, load
from shared.taxonomy.place import place

__all__ = ["Concept", "Kind", "Region", "Taxonomy", "load", "place"]
