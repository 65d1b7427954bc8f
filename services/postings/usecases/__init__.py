"""Load, decide, save, emit: what can be done with employers, partners and postings."""
