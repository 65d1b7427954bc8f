"""The operator's kit: partners come and go, dead letters are looked at, mended and sent again.

It speaks to Kafka's internal listener, where everything is allowed, and to nobody's database.
"""
