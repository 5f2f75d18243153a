"""What membership credentials are signed with, and the two formats that they come in.

A JSON Web Token around a W3C Verifiable Credential, and a list of bits for what is not in force.
"""
