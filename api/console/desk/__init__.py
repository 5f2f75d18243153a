"""The officers' desk: what waits for an officer, and forms for what is to be done about it.

Forms ask for nothing that the API cannot be asked for, by the same code and under the same rights:
what a form holds is made into the body of a request, rehearsed, told in a sentence, and sent once.
They need no script.
"""
