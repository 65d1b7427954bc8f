"""What texts say, as concepts of the taxonomy: `skills` in postings and in seekers' own words."""
