"""Models and specialists over the OpenAI protocol: `/v1/models`, `/v1/chat/completions`, `/v1/completions`,
`/v1/embeddings`.

    request ─► access (who asks?) ─► protocol (is it sound?) ─► catalogue (what is this name?) ─► replying (words out)

`metier serve` puts it on a port of its own; the workbench mounts the same routes over its own catalogue.
"""
