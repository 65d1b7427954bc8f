"""Employers, partners and postings: what is offered, by whom, and until when."""
