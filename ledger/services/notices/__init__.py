"""Notices to members by e-mail: what there is to tell, its words, and the sending."""
