"""The load: a process of its own that calls a service over HTTP/2 and counts every answer.

A gRPC client in Python costs more than the server it calls. So frames are written here directly:
headers and bodies are made beforehand, and only ids are filled in.
"""
