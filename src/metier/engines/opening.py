"""From what a specialist says of its model to a `ChatModel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from metier.core.errors import ConfigError
from metier.engines.base import EngineOptions
from metier.engines.chatmodel import ChatModel


class ServerFields(Protocol):
    """A model behind a server, as specialists name it. api_key: the NAME of a key, never the key itself."""

    @property
    def address(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def api_key(self) -> str: ...

    @property
    def context_length(self) -> int: ...


class ModelFields(Protocol):
    """What a specialist says of its model: `server`, or what `hf` loads."""

    @property
    def model_name_or_path(self) -> str: ...

    @property
    def adapter_name_or_path(self) -> str | None: ...

    @property
    def server(self) -> ServerFields | None: ...


def open_chat_model(
    wanted: ModelFields,
    *,
    keys: Mapping[str, str] | None = None,
    local: bool = False,
    options: EngineOptions | None = None,
) -> ChatModel:
    """Opens the model of a specialist: the server's if it names one, else `hf` in this process (which loads weights:
    call it in a thread).

    keys: by name, what `server.api_key` may name: the command line passes `os.environ`, the workbench the owner's
    secrets and nothing else, so that no address gets a key that its owner has not put there; local: whether the
    address may lead to this machine and its network: yes for the command line.
    Raises ConfigError for a bad address or an unknown key, ModelError for a model that cannot be had.
    """
    server = wanted.server
    if server is None:
        from metier.engines.local import open_local

        return open_local(wanted.model_name_or_path, wanted.adapter_name_or_path, options)
    from metier.engines.server import ServerChatModel

    key = (keys or {}).get(server.api_key, "") if server.api_key else ""
    if server.api_key and not key:
        raise ConfigError("engines.no_key", key="api_key", name=server.api_key)
    return ServerChatModel(server.address, key, server.model, context_length=server.context_length, local=local)
