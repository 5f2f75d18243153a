"""Vouchers: messages that people signed, as files that anybody can read, check and bring."""
