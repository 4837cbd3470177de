"""The shared machine: accounts, jobs, datasets, chats. Services that every face (web, API, command line) calls.

Each call names its owner, and the owner is part of every query: what is not yours is not found.
"""
