"""The client of CHeKT's Partner API.

client.py has one method per row of the API; transport.py makes one call; auth.py, retry.py and rate_limit.py are what a
call needs.
"""
